"""Whether the regimes of a class, and the signals that say how it runs, can be used."""

from collections.abc import Iterator

from ingest.errors import ExpressionError
from ingest.expression import read_expression
from ingest.plant import MachineClass
from ingest.plant_problem import Problem
from ingest.plant_words import Location

OTHER = "other"
"""The regime of a machine that is known to run in none of those that are declared."""
MOST = 20


def check_regimes(at: Location, entry: MachineClass) -> Iterator[Problem]:
    """Give what is wrong with the regimes and the operating signals of a class.

    Parameters
    ----------
    at : place of the class in the plant file
    """
    signals = [signal.name for signal in entry.signals]
    for index, signal in enumerate(entry.signals):
        if signal.operating and signal.rate is not None:
            yield Problem(
                (*at, "signals", index, "operating"),
                "has no meaning with 'rate'; a waveform says what a machine does, not what it is told to do",
            )
    if all(signal.operating for signal in entry.signals):
        yield Problem((*at, "signals"), "are all operating; leave at least one that tells how the machine takes it")
    if len(entry.regimes) > MOST:
        yield Problem((*at, "regimes"), f"are {len(entry.regimes)}; {MOST} are the most, as each needs time of its own")
    for index, regime in enumerate(entry.regimes):
        here = (*at, "regimes", index)
        if "__" in regime.name or "@" in regime.name:
            yield Problem((*here, "name"), f"{regime.name!r} stands in names of columns; leave out '__' and '@'")
        if regime.name == OTHER:
            yield Problem((*here, "name"), f"{OTHER!r} stands for all other time; name it otherwise")
        try:
            read_expression(regime.when, signals)
        except ExpressionError as error:
            yield Problem((*here, "when"), str(error))
