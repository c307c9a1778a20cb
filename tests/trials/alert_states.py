"""Alerts beside their oracle for as long as wished: ``python -m tests.trials.alert_states --steps 1000000``.

The same comparison as in ``tests/service/test_alert_states.py`` (``tests/service/alert_oracle.py``), in
lives of a thousand random steps: what people, rules, the monitor and a clock that steps by up to a day do to two causes
of one machine. After each step state and mutes of every alert are compared with what the oracle says.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from service.alerts.suppress import RULES
from service.database import open_state
from tests.service.alert_oracle import CAUSES, Beside

LIFE = 1000
HOUR = timedelta(hours=1)
SPANS = (timedelta(minutes=1), HOUR, 7 * HOUR, 24 * HOUR)


class OverError(Exception):
    """Ends a life without a trace."""


def main() -> None:
    """Compare, and say how many steps there were of which so many were refused; ends with 1 at the first difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started, steps, refused = time.perf_counter(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        state = open_state(Path(folder) / "state.db")
        for life in range(-(-arguments.steps // LIFE)):
            with suppress(OverError), state.write() as connection:
                beside = Beside(connection)
                chance = random.Random(f"{arguments.seed} {life}")  # noqa: S311 – a trial
                for step in range(min(LIFE, arguments.steps - life * LIFE)):
                    try:
                        _step(beside, chance)
                        beside.compare()
                    except AssertionError as error:
                        sys.exit(f"seed {arguments.seed}, life {life}, step {step}: {error}")
                steps, refused = steps + beside.steps, refused + beside.refused
                raise OverError
        state.close()
    sys.stdout.write(f"steps: {steps:,}, of which refused as they should be: {refused:,}\n")
    sys.stdout.write(f"all equal; {time.perf_counter() - started:,.0f} s\n")


def _step(beside: Beside, chance: random.Random) -> None:
    cause, reach = chance.choice(CAUSES), chance.choice(("", *CAUSES))
    rules = frozenset(rule for rule in RULES if chance.random() < 0.4)
    acts: list[Callable[[], None]] = [
        lambda: beside.raise_it(cause, chance.choice((0.5, 0.9)), chance.random() < 0.4),
        lambda: beside.condition_over(cause),
        lambda: beside.acknowledge(cause),
        lambda: beside.reset(cause),
        lambda: beside.close(cause),
        lambda: beside.comment(cause),
        lambda: beside.shelve(cause, chance.choice((None, HOUR, 8 * HOUR)), chance.random() < 0.5),
        lambda: beside.unshelve(cause),
        lambda: beside.take_out(reach, chance.choice((HOUR, 48 * HOUR))),
        lambda: beside.put_back(reach),
        lambda: beside.rules_say(rules),
        lambda: beside.wait(chance.choice(SPANS), chance.random() < 0.5),
        lambda: beside.set_back(chance.choice(SPANS)),
    ]
    chance.choice(acts)()


if __name__ == "__main__":
    main()
