"""How much of the newest time of a class is left out because its machines were off or settled."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from features.excluded import excluded_time
from features.microsecond import moment
from features.running import Running
from features.sampling import signal_intervals
from ingest.duration import format_duration
from ingest.history import History
from ingest.plant import MachineClass
from ingest.plant_words import nearest

LONGEST_LOOK = timedelta(days=30)
READINGS_LOOKED_AT = 5_000_000
"""About how many readings of a signal are looked at; machines that are read often are looked at for less long."""


_NAMED = 5


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is left out of the time of a class.

    Attributes
    ----------
    machines : share of the time that is left out of each machine, 0 to 1
    span : length of that time, up to each machine's newest reading
    problems : what is wrong with the expression, by what came
    """

    machine_class: str
    expression: str
    settle: timedelta
    machines: dict[str, float]
    span: timedelta
    problems: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share over all machines."""
        return sum(self.machines.values()) / len(self.machines)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        return {
            "class": self.machine_class,
            "running": self.expression,
            "settle": format_duration(self.settle),
            "share": self.share,
            "machines": self.machines,
            "span": format_duration(self.span),
        }

    def summary(self) -> str:
        """Say it in one sentence, with the machines at both ends."""
        least, most = (f(self.machines, key=lambda name: self.machines[name]) for f in (min, max))
        apart = f" ({least} {self.machines[least]:.0%}, {most} {self.machines[most]:.0%})" if least != most else ""
        return (
            f"{self.machine_class}: {self.share:.0%} of the newest {format_duration(self.span)} is left out,"
            f" off or settling{apart}."
        )


def left_out(machine_class: MachineClass, history: History) -> LeftOut | None:
    """Return what is left out of a class; ``None`` if its machines always run or were never read.

    Raises
    ------
    NotEnoughDataError
        When it is not known how often a signal is read.
    """
    spans = history.spans(machine_class.name)
    if machine_class.running is None or not spans:
        return None
    sampling = signal_intervals(history, machine_class)
    running = Running.of(machine_class, sampling)
    if running is None:
        return None
    every = min((sampling[name] for name in running.signals), default=LONGEST_LOOK)
    longest = max(newest - first for first, newest in spans.values())
    span = min(LONGEST_LOOK, every * (READINGS_LOOKED_AT // len(spans)), max(longest, every))
    shares = {}
    for machine, (first, newest) in spans.items():
        start = max(first - timedelta(microseconds=1), newest - span)
        shares[machine] = _share(running, history, machine_class.name, machine, start, newest)
    found = LeftOut(machine_class.name, machine_class.running, machine_class.settle, shares, span)
    return replace(found, problems=tuple(_problems(found, running, history)))


def _problems(found: LeftOut, running: Running, history: History) -> Iterator[str]:
    about = f"class '{found.machine_class}': running:"
    codes = running.read().codes
    if codes:
        events = history.events(machines=list(found.machines), kinds=["state"])
        known = sorted(set(events.loc[events["component"] == "", "code"]) - {""})
        if not known:
            yield f"{about} no event of kind 'state' came yet, so no state is known; map them under 'sources.events'"
        for code in codes:
            if known and code not in known:
                yield f"{about} no state {code!r} came yet; {nearest(code, known)}"
    if found.share == 1:
        yield (
            f"{about} by {found.expression!r} no machine ran in the newest {format_duration(found.span)};"
            " look at the expression and its signals"
        )
    else:
        never = [name for name, share in found.machines.items() if share == 1]
        if never:
            more = f" and {len(never) - _NAMED} more" if len(never) > _NAMED else ""
            yield (
                f"{about} by {found.expression!r} {', '.join(never[:_NAMED])}{more} never ran in the newest"
                f" {format_duration(found.span)}, while others did; if they did run, look at their signals"
            )


def _share(
    running: Running, history: History, machine_class: str, machine: str, start: datetime, end: datetime
) -> float:
    begin, stop = moment(start), moment(end)
    (excluded,) = excluded_time(running, history, machine_class, [machine], begin, stop)
    return float((excluded.stop - excluded.begin).sum() / (stop - begin))
