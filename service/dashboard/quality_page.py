"""A page of its own, without a server: the grade of each signal, and a strip of its readings, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.catalogue import from_microseconds
from ingest.history import History
from ingest.plant import MachineClass, Plant
from ingest.quality.assess import SPAN, SignalGrade, summary
from ingest.quality.fault import FAULTS, Fault
from service.dashboard import chart
from service.dashboard.chart import Chart, Mark, Span, draw
from service.dashboard.render import document
from service.series import signal_series

MOST_STRIPS = 200
"""Signals that are drawn; the worst of them."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One signal of its worst machine: the grade, and the readings with its faults marked.

    Attributes
    ----------
    faulty : of so many of the machines it has a fault
    """

    machine_class: str
    graded: SignalGrade
    faulty: int
    machines: int
    drawn: Chart

    @property
    def faults(self) -> list[tuple[str, str, str]]:
        """Title, detail and remedy of each fault, the costliest first."""
        kinds = [(FAULTS[each.code], each.detail) for each in self.graded.grade.faults]
        return [(kind.title, detail, kind.remedy) for kind, detail in kinds]


def quality_page(plant: Plant, history: History, grades: dict[str, list[SignalGrade]], now: datetime) -> str:
    """Return the page as HTML that needs no other file."""
    worst = [
        (machine_class, those)
        for machine_class in plant.classes
        for those in summary(grades.get(machine_class.name, [])).values()
        if those[0].machine in history.spans(machine_class.name)
    ]
    worst.sort(key=lambda each: each[1][0].grade.number)
    faulty = sum(bool(those[0].grade.faults) for _, those in worst)
    strips = [_strip(plant, history, machine_class, those) for machine_class, those in worst[:MOST_STRIPS]]
    return document(
        "quality.html", plant, now, strips=strips, signals=len(worst), faulty=faulty, days=SPAN.days, frame=chart
    )


def _strip(plant: Plant, history: History, machine_class: MachineClass, those: Sequence[SignalGrade]) -> Strip:
    graded = those[0]
    first, newest = history.spans(machine_class.name)[graded.machine]
    units = {each.name: each.unit for each in machine_class.signals}
    start = max(first, newest - SPAN)
    name = graded.signal
    found = signal_series(history, graded.machine, machine_class.name, (name,), (start, newest), chart.PIXELS)
    marks = [_mark(each) for each in graded.grade.faults]
    title = f"{name} of {graded.machine}"
    drawn = draw(title, units[name], found[name], Span(start, newest, plant.zone), marks=marks)
    return Strip(machine_class.name, graded, sum(bool(each.grade.faults) for each in those), len(those), drawn)


def _mark(fault: Fault) -> Mark:
    begin, end = from_microseconds(fault.begin), from_microseconds(fault.end)
    return Mark(begin, end, "fault", f"{FAULTS[fault.code].title}: {fault.detail}")
