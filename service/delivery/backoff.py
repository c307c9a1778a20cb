"""How long to wait after a failure: longer each time, and never the same for all."""

from datetime import timedelta
from random import Random

LONGEST = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(days=3)
"""A message that could not be sent for so long is dead."""

LONGEST_WAIT = timedelta(days=1)
"""A target that asks to be left alone for longer is asked again after this."""


def pause(failures: int, random: Random, longest: timedelta = LONGEST) -> timedelta:
    """Return the pause after so many failures in a row: 1 s, doubled each time, less up to a half by chance.

    Examples
    --------
    >>> timedelta(seconds=2) <= pause(3, Random(1)) <= timedelta(seconds=4)
    True
    >>> pause(10_000, Random(1)) <= LONGEST
    True
    """
    whole = min(timedelta(seconds=2.0 ** min(failures - 1, 30)), longest)
    return whole * random.uniform(0.5, 1)
