"""What `andon check` says of the quality of readings."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ingest.quality.assess import SignalGrade
    from service.control_room import ControlRoom

MACHINES_GRADED = 200
"""Machines of a class that are graded; of more, some are taken."""


def clocks_and_grades(room: "ControlRoom") -> "tuple[list[str], dict[str, list[SignalGrade]]]":
    """Return which clocks seem wrong and each class's grades; or what is damaged, which cannot be asked."""
    from ingest.errors import DamagedError
    from ingest.skew import clock_problems
    from service.grades import grade_class

    try:
        clocks = clock_problems(room.plant, room.store)
        return clocks, {
            each.name: grade_class(room.plant, room.store, each, machines=_some_machines(room, each.name))
            for each in room.plant.classes
        }
    except DamagedError as error:
        return [str(error)], {}


def repeated_rows(room: "ControlRoom") -> dict[str, int]:
    """Return how many rows of each machine came again with nothing new, in the newest 30 days of the plant."""
    from ingest.quality.assess import SPAN

    newest = [last for each in room.plant.classes for _, last in room.store.spans(each.name).values()]
    return room.store.repeated(max(newest) - SPAN, max(newest)) if newest else {}


def _some_machines(room: "ControlRoom", machine_class: str) -> list[str]:
    """Return the machines of a class that are graded: all of them, or some of very many, spread evenly."""
    machines = room.plant.machines_of(machine_class)
    return list(machines[:: -(-len(machines) // MACHINES_GRADED)]) if machines else []


def rows_of(grades: "dict[str, list[SignalGrade]]") -> list[dict[str, Any]]:
    """Return one row for each signal: the grade of its worst machine, and on how many machines it has which faults."""
    from ingest.quality.assess import summary
    from ingest.quality.fault import FAULTS

    rows: list[dict[str, Any]] = []
    for machine_class, those in grades.items():
        for signal, machines in summary(those).items():
            faulty = [each for each in machines if each.grade.faults]
            reasons = Counter(code for each in faulty for code in each.grade.reasons)
            worst = machines[0]
            rows.append(
                {
                    "class": machine_class,
                    "signal": signal,
                    "machines": len(machines),
                    "with_faults": len(faulty),
                    "worst_grade": worst.grade.number,
                    "level": worst.grade.level,
                    "worst_machine": worst.machine if faulty else "",
                    "reasons": dict(reasons.most_common()),
                    "says": worst.grade.sentence(),
                    "remedy": FAULTS[worst.grade.reasons[0]].remedy if faulty else "",
                }
            )
    return rows


def tell(rows: list[dict[str, Any]]) -> None:
    """Print the signals of which some machine is not graded high, and how many there are without fault."""
    if not rows:
        return
    shown = [each for each in rows if each["with_faults"]]
    click.echo(
        f"Quality of the newest 30 days: {len(rows) - len(shown)} of {len(rows)} signals are without fault"
        + (" on all machines." if not shown else "; of the others, the worst machine each:")
    )
    width = max((len(f"{each['class']} {each['signal']}") for each in shown), default=0)
    for each in sorted(shown, key=lambda row: row["worst_grade"]):
        name = f"{each['class']} {each['signal']}"
        click.echo(
            f"  {name:{width}}  {each['worst_machine']}  {each['says']}"
            f" ({each['with_faults']} of {each['machines']} machines)"
        )


def write_page(room: "ControlRoom", grades: "dict[str, list[SignalGrade]]", path: Path, now: datetime) -> None:
    """Write the page of the grades and strips of all signals, the worst first.

    Raises
    ------
    AndonError
        When the file cannot be written.
    """
    from ingest.errors import AndonError
    from service.dashboard.quality_page import quality_page

    try:
        path.write_text(quality_page(room.plant, room.store, grades, now), encoding="utf-8")
    except OSError as error:
        raise AndonError(f"{path}: the page cannot be written: {error.strerror}") from error
