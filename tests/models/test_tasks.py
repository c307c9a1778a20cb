"""Every task that a plant file can name keeps the contract."""

import typing

import pytest

from ingest.plant import ModelEntry
from models.finding import FindingKind
from models.tasks.table import TASKS, task_of

NAMES = typing.get_args(ModelEntry.model_fields["task"].annotation)


def test_every_task_of_a_plant_file_is_a_row_and_no_other() -> None:
    assert set(TASKS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_task_tells_people_what_it_does(name: str) -> None:
    entry = ModelEntry(name="m", task=name, machine_class="pump", horizon="7 d")
    task = task_of(entry)

    assert task.kind in typing.get_args(FindingKind)
    assert task.words
    assert task.means(entry)
    assert all(limit.endswith(".") for limit in task.limits)
    assert "7 d" in task.judged_by("7 d", "1 d", "failure")


@pytest.mark.parametrize("name", NAMES)
def test_a_task_makes_a_new_learner_each_time(name: str) -> None:
    entry = ModelEntry(name="m", task=name, machine_class="pump", horizon="7 d")
    first, second = task_of(entry).learner(entry), task_of(entry).learner(entry)

    assert first is not second
    for learner in (first, second):
        assert all(hasattr(learner, part) for part in ("fit", "level", "parts", "groups", "held_out"))
