"""Whether what a plant file says of conditions, and of histograms, fits together."""

from collections.abc import Iterator
from datetime import timedelta

from ingest.plant import MachineClass, ModelEntry
from ingest.plant_condition import Condition
from ingest.plant_names import names_in
from ingest.plant_problem import Problem
from ingest.plant_words import Location, nearest


def check_condition(at: Location, model: ModelEntry) -> Iterator[Problem]:
    """Give what is wrong with a model's keys for conditions.

    Parameters
    ----------
    at : place of the model in the plant file
    """
    asked = model.condition
    if model.task != "condition":
        if asked != Condition():
            yield Problem((*at, "condition"), f"has no meaning for task = {model.task!r}; leave it out")
        if model.split in ("group", "random"):
            yield Problem((*at, "split"), f"'{model.split}' is for conditions; write 'time' or 'machine'")
        return
    if model.target.kind != "inspection":
        yield Problem((*at, "target"), 'are no inspections; write target = { kind = "inspection" }')
    if not model.windows:
        yield Problem((*at, "windows"), "is missing; write how long a piece or a cycle takes, such as ['1 min']")
    if model.horizon > timedelta():
        yield Problem((*at, "horizon"), "is not 0; a condition is told when it is, not ahead: write '0 s'")
    here = (*at, "condition")
    if asked.good and asked.watched:
        yield Problem((*here, "watched"), "stands beside 'good'; keep one of the two")
    for index, mistake in enumerate(asked.mistakes):
        if mistake.was == mistake.said:
            yield Problem((*here, "mistakes", index), f"{mistake.was!r} for {mistake.said!r} is none; leave it out")
    if model.split == "group" and not asked.groups:
        yield Problem((*here, "groups"), "is missing; split = 'group' needs the components that make a group")
    if model.split != "group" and asked.groups:
        yield Problem((*here, "groups"), "has no meaning without split = 'group'; add it, or leave them out")
    if model.split == "random" and not asked.random_because.strip():
        yield Problem(
            (*here, "random_because"),
            "is missing; a random split flatters: write why it is used all the same, which every report will say,"
            " or split = 'time'",
        )
    if model.split != "random" and asked.random_because:
        yield Problem((*here, "random_because"), "has no meaning without split = 'random'; leave it out")


def check_histograms(at: Location, entry: MachineClass) -> Iterator[Problem]:
    """Give what is wrong with the histograms of a class.

    Parameters
    ----------
    at : place of the class in the plant file
    """
    known = [signal.name for signal in entry.signals]
    seen: dict[str, int] = {}
    for index, histogram in enumerate(entry.histograms):
        here = (*at, "histograms", index)
        if seen.setdefault(histogram.name, index) != index:
            yield Problem((*here, "name"), f"{histogram.name!r} stands here a second time; give every entry its own")
        try:
            bins = names_in(histogram.signals, "signals")
        except ValueError as error:
            yield Problem((*here, "signals"), str(error))
            continue
        if len(bins) < 2:
            yield Problem((*here, "signals"), "is one signal; a histogram has two bins or more")
        for name in bins:
            if name not in known:
                yield Problem((*here, "signals"), f"no signal {name!r}; {nearest(name, known)}")
                break
