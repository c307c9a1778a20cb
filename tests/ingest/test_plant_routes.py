"""Routes and inhibitions of the plant file, and every mistake in them by name."""

from pathlib import Path

import pytest

from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_draft import Draft
from ingest.plant_file import load_plant
from ingest.plant_route_check import check_routes

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "vibration" }]

[[machines]]
names = ["press-1..2"]
class = "press"
line = "Line 1"

[[shifts]]
name = "early"
hours = "06:00-14:00"

[[routes]]
name = "line 1"
when = { lines = "Line*", machines = ["press-1"], severity = "high", least_per_hour = 10 }
on_call = [{ shifts = "early", targets = "phone" }]
escalate = [{ after = "30 min", targets = "foreman" }]
go_on = true

[[routes]]
name = "rest"
targets = ["mail", "radio"]

[[inhibits]]
name = "drive"
when = { causes = "drive" }
quiet = { kinds = ["anomaly"] }
"""


def load(folder: Path, text: str) -> Plant:
    (folder / "plant.toml").write_text(text, encoding="utf-8")
    return load_plant(folder / "plant.toml")


def test_routes_are_read_with_the_defaults_that_are_documented(tmp_path: Path) -> None:
    plant = load(tmp_path, PLANT)

    first, rest = plant.routes
    assert (first.when.lines, first.on_call[0].targets, rest.targets) == (["Line*"], ["phone"], ["mail", "radio"])
    waits = [each.total_seconds() for each in (rest.group_wait, rest.group_interval, rest.repeat_every)]
    assert waits == [30, 300, 14_400]
    assert plant.alerts.budget == 5
    assert plant.inhibits[0].same == ["machine"]


MISTAKES = [
    ('machines = ["press-1"]', 'machines = ["pres-1"]', "no machine 'pres-1'; did you mean 'press-1'?"),
    ('lines = "Line*"', 'lines = "Lane*"', "routes[1].when.lines[1]: no line 'Lane*'"),
    ('shifts = "early"', 'shifts = "erly"', "no shift 'erly'; did you mean 'early'? (route \"line 1\")"),
    ('targets = ["mail", "radio"]', "", "routes[2].targets: is missing; write whom to call"),
    ('after = "30 min"', 'after = "0 s"', "escalate[1].after: is not above zero"),
    ('severity = "high"', 'severity = "higher"', "'higher' is none of low, medium, high, critical"),
    ('kinds = ["anomaly"]', 'kinds = ["anomoly"]', "inhibits[1].quiet.kinds[1]: 'anomoly' is none of"),
    ('name = "rest"', 'name = "line 1"', "'line 1' stands here a second time"),
    ("go_on = true", "repeat_every = '0 s'", "repeat_every: is not above zero; write a duration such as '4 h'"),
    (
        "[[inhibits]]",
        '[[routes]]\nname = "more"\ntargets = "x"\n[[inhibits]]',
        "route 'rest' stands before it and takes",
    ),
    ('severity = "high"', 'sverity = "high"', "when.sverity: unknown key; did you mean 'severity'?"),
]


@pytest.mark.parametrize(("right", "wrong", "message"), MISTAKES, ids=[each[1] for each in MISTAKES])
def test_a_mistake_is_named_with_what_would_be_right(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    assert right in PLANT

    with pytest.raises(PlantFileError) as error:
        load(tmp_path, PLANT.replace(right, wrong, 1))

    assert message in "\n".join(error.value.problems)


def test_targets_are_held_against_those_that_there_are(tmp_path: Path) -> None:
    plant = load(tmp_path, PLANT)
    draft = Draft.of_plant({}, plant)

    problems = [each for each in check_routes(draft, {"phone", "foreman", "mail"}) if "target" in each.what]

    assert [(each.at, each.what) for each in problems] == [
        (("routes", 1, "targets", 1), "no target 'radio'; known: foreman, mail, phone")
    ]
