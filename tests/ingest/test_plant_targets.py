"""The targets of a plant file: what is missing or means nothing is named."""

from pathlib import Path

import pytest

from ingest.errors import PlantFileError
from ingest.plant import Plant
from ingest.plant_file import load_plant

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "force" }]
[[machines]]
name = "press-1"
class = "press"
"""
MES = {"name": '"mes"', "kind": '"alertmanager"', "address": '"http://mes:8080/hook"'}
MAIL = {
    "name": '"shift"',
    "kind": '"email"',
    "address": '"smtp://mail:25"',
    "to": '["a@b.example"]',
    "sender": '"andon@b.example"',
}
PANEL = {"name": '"panel"', "kind": '"mqtt"', "address": '"mqtt://broker"'}
CHAT = {"name": '"chat"', "kind": '"apprise"', "secret_variable": '"CHAT"'}


def load(folder: Path, *targets: dict[str, str]) -> Plant:
    path = folder / "plant.toml"
    tables = ["[[targets]]\n" + "\n".join(f"{key} = {value}" for key, value in each.items()) for each in targets]
    path.write_text(PLANT + "\n".join(tables), encoding="utf-8")
    return load_plant(path)


def test_one_of_each_kind_can_be_read(tmp_path: Path) -> None:
    signed = {**MES, "name": '"signed"', "kind": '"webhook"', "secret_file": '"hook.secret"'}

    plant = load(tmp_path, MES, signed, MAIL, PANEL, CHAT)

    assert [each.kind for each in plant.targets] == ["alertmanager", "webhook", "email", "mqtt", "apprise"]
    assert {each.name: each.at_once for each in plant.targets} == dict.fromkeys(
        ("mes", "signed", "shift", "panel", "chat"), 4
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (MES | {"kind": '"webhook"'}, "secret_variable: is missing; a target of kind 'webhook' needs it"),
        (MES | {"address": '""'}, "address: is empty; write one such as 'https://host/path'"),
        (MES | {"address": '"mes:8080"'}, "address: 'mes:8080' is no address"),
        (MES | {"address": '"http://mes:99999"'}, "is no address"),
        (MES | {"address": '"smtp://mes"'}, "begins with 'smtp'; a target of kind 'alertmanager' has http or https"),
        (MES | {"address": '"http://a:b@mes/"'}, "holds a user or a password"),
        (MES | {"to": '["a@b.example"]'}, "to: means nothing to a target of kind 'alertmanager'; leave it out"),
        (MES | {"user": '"me"'}, "user: means nothing"),
        (MES | {"timeout": '"0 s"'}, "timeout: is not above zero"),
        (MES | {"per_minute": "0"}, "per_minute: 0 is too small; write 1 or more"),
        (MES | {"kind": '"pager"'}, "kind: 'pager' is none of webhook, alertmanager, email, mqtt, apprise"),
        (MAIL | {"to": "[]"}, "to: is empty; a target of kind 'email' needs it"),
        (MAIL | {"sender": '""'}, "sender: is empty"),
        (MAIL | {"user": '"me"'}, "secret_variable: is missing; a user needs a password"),
        (MAIL | {"secret_variable": '"P"'}, "user: is missing; a password needs a user"),
        (PANEL | {"topic": '"andon/state"'}, "topic: has no {machine}"),
        (PANEL | {"topic": '"andon/{machne}/{machine}"'}, "no word {machne}; did you mean 'machine'?"),
        (PANEL | {"topic": '"andon/#/{machine}"'}, "topic: has '+' or '#'"),
        (PANEL | {"topic": '"andon/{machine"'}, "has a brace too many"),
        (CHAT | {"address": '"slack://x"'}, "address: means nothing here: the secret is the whole URL"),
        (CHAT | {"secret_file": '"chat"'}, "secret_file: stands beside 'secret_variable'; keep one of the two"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, target: dict[str, str], said: str) -> None:
    with pytest.raises(PlantFileError) as error:
        load(tmp_path, target)
    (line,) = error.value.problems
    assert said in line
    assert f'(target "{target["name"][1:-1]}")' in line


def test_two_targets_have_two_names(tmp_path: Path) -> None:
    with pytest.raises(PlantFileError, match="'mes' stands here a second time"):
        load(tmp_path, MES, MES)


def test_the_watchdog_tells_targets_that_there_are(tmp_path: Path) -> None:
    plant = tmp_path / "plant.toml"
    load(tmp_path, MES)
    right = plant.read_text(encoding="utf-8") + '\n[watchdog]\ntargets = ["mes"]\n'
    plant.write_text(right, encoding="utf-8")
    assert load_plant(plant).watchdog.targets == ["mes"]

    plant.write_text(right.replace('["mes"]', '["mse"]'), encoding="utf-8")
    with pytest.raises(PlantFileError, match=r"watchdog\.targets\[1\]: no target 'mse'; did you mean 'mes'\?"):
        load_plant(plant)
