import os
import pickle
import shutil
import signal
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import RegistryError, UnknownNameError
from models.bundle import Bundle
from models.registry import manifest
from models.registry.registry import Registry
from models.registry.slug import slug
from tests.trials.tampered import change_bytes, resign

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MODEL = "seal risk"


def folder_of(registry: Registry, version: str) -> Path:
    return registry.folder / slug(MODEL) / version


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


@pytest.fixture
def two(registry: Registry, seal_risk: Bundle) -> tuple[str, str]:
    other = replace(seal_risk, threshold=seal_risk.threshold * 0.9)
    return registry.save(seal_risk, created=NOW).version, registry.save(other, created=NOW + timedelta(days=1)).version


def test_a_version_has_a_card_a_page_and_a_model(registry: Registry, two: tuple[str, str]) -> None:
    assert sorted(path.name for path in folder_of(registry, two[0]).iterdir()) == [
        "card.json",
        "card.md",
        "card.sig",
        "model.skops",
    ]
    assert [each.version for each in registry.versions(MODEL)] == list(two)
    assert [each.version for each in registry.versions()] == list(two)
    assert registry.versions("another") == []


def test_saving_again_changes_nothing_whenever_it_is(registry: Registry, seal_risk: Bundle) -> None:
    first = registry.save(seal_risk, created=NOW)
    before = {path: path.stat().st_mtime_ns for path in folder_of(registry, first.version).iterdir()}
    again = registry.save(seal_risk, created=NOW + timedelta(days=9))

    assert again == first
    assert {path: path.stat().st_mtime_ns for path in folder_of(registry, first.version).iterdir()} == before


def test_any_changed_byte_is_refused(registry: Registry, two: tuple[str, str]) -> None:
    refused = change_bytes(Registry(registry.folder), MODEL, two[0], changes=240)

    assert refused == dict.fromkeys(("card.json", "card.md", "model.skops", "card.sig"), 60)
    assert registry.load(MODEL, two[0]).version == two[0]


def test_missing_truncated_and_strange_files_are_refused(registry: Registry, two: tuple[str, str]) -> None:
    folder = folder_of(registry, two[0])
    for name in ("card.json", "card.md", "model.skops"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(RegistryError, match=f"{name}.* was altered"):
            registry.load(MODEL, two[0])
        (folder / name).unlink()
        with pytest.raises(RegistryError, match=f"{name} cannot be read"):
            registry.load(MODEL, two[0])
        (folder / name).write_bytes(content)
    (folder / "card.sig").write_bytes((folder / "card.sig").read_bytes()[:-1])
    with pytest.raises(RegistryError, match=r"card\.sig was altered"):
        registry.load(MODEL, two[0])
    (folder / "card.sig").unlink()
    with pytest.raises(RegistryError, match=r"nobody has signed it.*format 1.*train again"):
        registry.load(MODEL, two[0])
    (folder / "card.sig").write_bytes(registry.keys.sign((folder / "card.json").read_bytes()))
    (folder / "extra.py").write_text("")
    with pytest.raises(RegistryError, match=r"extra\.py does not belong to it"):
        registry.load(MODEL, two[0])


def test_a_version_under_another_name_is_refused(registry: Registry, two: tuple[str, str]) -> None:
    folder_of(registry, two[0]).rename(folder_of(registry, "0123456789abcdef"))

    with pytest.raises(RegistryError, match=r"card\.json was altered"):
        registry.load(MODEL, "0123456789abcdef")


def test_a_signed_version_of_another_model_is_refused_among_those_of_this_one(
    registry: Registry, two: tuple[str, str], seal_risk: Bundle
) -> None:
    entry = seal_risk.entry.model_copy(update={"name": "another"})
    card = {**seal_risk.card, "model": "another"}
    other = registry.save(replace(seal_risk, entry=entry, card=card), created=NOW).version
    shutil.copytree(registry.folder / slug("another") / other, folder_of(registry, other))

    for attempt in (
        lambda: registry.load(MODEL, other),
        lambda: registry.promote(MODEL, other, at=NOW, by="me", why="swapped", force=True),
    ):
        with pytest.raises(RegistryError, match="this is a version of model 'another' and not of this one"):
            attempt()
    assert [each.version for each in registry.versions(MODEL)] == list(two)
    assert registry.load("another", other).version == other


@pytest.mark.parametrize("name", ["card.json", "card.md", "card.sig", "model.skops"])
def test_training_again_mends_what_was_altered(
    name: str, registry: Registry, two: tuple[str, str], seal_risk: Bundle
) -> None:
    (folder_of(registry, two[0]) / name).write_bytes(b"")
    (folder_of(registry, two[0]) / "extra.py").touch()

    assert registry.save(seal_risk, created=NOW).version == two[0]
    assert registry.load(MODEL, two[0]).version == two[0]
    assert {path.name for path in (registry.folder / slug(MODEL)).iterdir()} == set(two)


def test_an_unreadable_card_is_told_and_stops_no_other_version(
    registry: Registry, two: tuple[str, str], seal_risk: Bundle
) -> None:
    registry.promote(MODEL, two[0], at=NOW, by="me", why="first")
    card = folder_of(registry, two[0]) / "card.json"
    card.write_text("{")
    told: list[str] = []
    listing = Registry(registry.folder, tell=told.append)

    assert [each.version for each in listing.versions()] == [each.version for each in listing.versions(MODEL)]
    assert [each.version for each in listing.versions()] == [two[1]]
    assert [(each.model, each.version, each.live) for each in listing.unreadable()] == [(MODEL, two[0], True)]
    assert len(told) == 1
    assert str(card) in told[0].replace(": card.json", "/card.json")
    assert registry.names(MODEL) == sorted(two)
    assert listing.load(MODEL, two[1]).version == two[1]
    third = listing.save(replace(seal_risk, threshold=seal_risk.threshold * 0.8), created=NOW)
    assert listing.promote(MODEL, third.version, at=NOW, by="me", why="mended").live


def test_a_card_is_read_once_and_again_when_its_file_changes(
    registry: Registry, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(
        manifest,
        "manifest_of",
        lambda folder, keys, manifest_of=manifest.manifest_of: read.append(folder.name) or manifest_of(folder, keys),
    )
    first = registry.versions()

    assert registry.versions() == Registry(registry.folder).versions() == first
    assert sorted(read) == sorted(two)
    card = folder_of(registry, two[0]) / "card.json"
    os.utime(card, ns=(0, 1))
    assert registry.versions() == first
    assert len(read) == 3
    card.write_bytes(card.read_bytes() + b" ")
    assert [each.version for each in registry.versions()] == [two[1]]


def test_a_model_of_which_nothing_can_be_read_is_recognised_by_its_name(
    registry: Registry, two: tuple[str, str]
) -> None:
    for version in two:
        (folder_of(registry, version) / "card.json").unlink()

    assert registry.versions() == []
    assert {each.model for each in registry.unreadable([MODEL])} == {MODEL}
    assert {each.model for each in registry.unreadable()} == {slug(MODEL)}
    with pytest.raises(UnknownNameError):
        registry.load(MODEL)


def test_a_type_that_is_not_pinned_is_never_built(registry: Registry, seal_risk: Bundle) -> None:
    learner = seal_risk.learner
    version = registry.save(replace(seal_risk, card={**seal_risk.card, "x": 1}), created=NOW).version
    stranger = skops.io.dumps({"learner": learner, "threshold": os.path.join})
    with zipfile.ZipFile(BytesIO(stranger)) as content:
        assert "posixpath" in content.read("schema.json").decode()
    forged = resign(folder_of(registry, version), registry.keys, stranger).name

    with pytest.raises(RegistryError, match=r"holds types that are not allowed.*posixpath\.join"):
        registry.load(MODEL, forged)


def test_promote_rollback_and_who_was_live_when(registry: Registry, two: tuple[str, str]) -> None:
    first, second = two
    assert registry.live(MODEL) is None
    registry.promote(MODEL, first, at=NOW, by="me", why="first")
    registry.promote(MODEL, second, at=NOW + timedelta(days=1), by="me", why="better", force=True)

    assert registry.load(MODEL).version == second
    assert [each.live for each in registry.versions(MODEL)] == [False, True]
    assert registry.rollback(MODEL, at=NOW + timedelta(days=2), by="you").version == first
    moments = [registry.live(MODEL, NOW + timedelta(days=days)) for days in (-1, 0, 1, 1.5, 2, 9)]
    assert moments == [None, first, second, second, first, first]
    with pytest.raises(RegistryError, match=f"no version of model 'seal risk' was live before {first}"):
        registry.rollback(MODEL, at=NOW + timedelta(days=3), by="you")


def test_promoting_the_live_one_again_writes_nothing(registry: Registry, two: tuple[str, str]) -> None:
    registry.promote(MODEL, two[0], at=NOW, by="me", why="first")
    registry.promote(MODEL, two[0], at=NOW, by="me", why="again")

    assert len(registry.history.changes()) == 1


def test_an_altered_version_cannot_become_live(registry: Registry, two: tuple[str, str]) -> None:
    (folder_of(registry, two[0]) / "card.md").write_text("better than it is")

    with pytest.raises(RegistryError, match="altered"):
        registry.promote(MODEL, two[0], at=NOW, by="me", why="")
    assert registry.live(MODEL) is None


@pytest.mark.parametrize("name", ["card.json", "model.skops"])
def test_a_live_version_that_was_altered_keeps_no_sound_one_from_its_place(
    name: str, registry: Registry, two: tuple[str, str]
) -> None:
    registry.promote(MODEL, two[0], at=NOW, by="me", why="first")
    with pytest.raises(RegistryError, match="the live version"):
        registry.promote(MODEL, two[1], at=NOW, by="me", why="second")
    (folder_of(registry, two[0]) / name).write_bytes(b"")

    assert registry.promote(MODEL, two[1], at=NOW, by="me", why="the first is broken").live


def test_names_that_do_not_exist_are_answered_with_those_that_do(registry: Registry, two: tuple[str, str]) -> None:
    with pytest.raises(UnknownNameError, match="no model 'x' has been trained"):
        registry.load("x")
    with pytest.raises(RegistryError, match=f"no version is live|promote one of: {two[0]}"):
        registry.load(MODEL)
    with pytest.raises(RegistryError, match=r"has no version '\.\./x'; there is"):
        registry.load(MODEL, "../x")


def test_a_history_that_was_altered_is_refused_and_one_cut_off_by_a_crash_is_not(
    registry: Registry, two: tuple[str, str]
) -> None:
    registry.promote(MODEL, two[0], at=NOW, by="me", why="first")
    registry.promote(MODEL, two[1], at=NOW, by="me", why="second", force=True)
    path = registry.folder / "live.jsonl"
    whole = path.read_bytes()

    path.write_bytes(whole[:-20])
    assert registry.live(MODEL) == two[0]
    registry.promote(MODEL, two[1], at=NOW, by="me", why="again", force=True)
    assert registry.live(MODEL) == two[1]

    for content in (whole.replace(b"first", b"First"), whole.splitlines(keepends=True)[1], b"{}\n" + whole, b"x\n"):
        path.write_bytes(content)
        with pytest.raises(RegistryError, match="line 1 was altered"):
            registry.live(MODEL)


@pytest.fixture
def many(registry: Registry, seal_risk: Bundle) -> list[str]:
    """Six versions, oldest first."""
    shares = [1 - step / 10 for step in range(6)]
    return [
        registry.save(
            replace(seal_risk, threshold=seal_risk.threshold * share), created=NOW + timedelta(days=day)
        ).version
        for day, share in enumerate(shares)
    ]


def test_old_versions_go_but_those_that_were_ever_live_or_are_named(registry: Registry, many: list[str]) -> None:
    for version in (many[0], many[5]):
        registry.promote(MODEL, version, at=NOW, by="me", why="a test", force=True)
    card = folder_of(registry, many[3]) / "card.json"
    card.write_text("{")

    assert registry.retire(MODEL, newest=9) == registry.retire("another", newest=1) == []
    assert registry.retire(MODEL, newest=1, besides=[many[1]]) == [many[2], many[4]]
    assert sorted(registry.names(MODEL)) == sorted([many[0], many[1], many[3], many[5]])
    assert registry.rollback(MODEL, at=NOW + timedelta(days=9), by="me").version == many[0]
    assert registry.retire(MODEL, newest=1, besides=[many[1]]) == []


KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from datetime import UTC, datetime
from models.registry import archive
from models.registry.registry import Registry
bundle, sync = pickle.loads(Path(sys.argv[1]).read_bytes()), os.fsync
def killed_at(step, target):
    count = 0
    def fsync(handle):
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)
        sync(handle)
    archive.os.fsync = fsync
    Registry(target).save(bundle, created=datetime(2026, 3, 1, tzinfo=UTC))
for target in map(Path, sys.argv[2:]):
    if (child := os.fork()) == 0:
        killed_at(int(target.name), target)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""Saves a bundle in forks of one process, which has imported everything; each is killed in another step."""


@pytest.mark.slow
def test_a_kill_while_saving_leaves_nothing_or_the_whole(seal_risk: Bundle, tmp_path: Path) -> None:
    (tmp_path / "bundle").write_bytes(pickle.dumps(seal_risk))
    version = Registry(tmp_path / "whole").save(seal_risk, created=NOW).version
    targets = [Registry(tmp_path / step) for step in ("1", "3", "6")]
    arguments = [sys.executable, "-c", KILLED, str(tmp_path / "bundle"), *(str(each.folder) for each in targets)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])

    assert done.stdout.split() == [str(-signal.SIGKILL)] * 3
    for target in targets:
        assert target.versions() == []
        assert target.save(seal_risk, created=NOW).version == version
        assert [path.name for path in (target.folder / slug(MODEL)).iterdir()] == [version]
        assert np.isfinite(target.load(MODEL, version).threshold)


KILLED_WHILE_RETIRING = """
import os, shutil, signal, sys
from pathlib import Path
from models.registry import archive
from models.registry.registry import Registry
def clear(folder):
    if sys.argv[2] == "half":
        next(folder.iterdir()).unlink()
    os.kill(os.getpid(), signal.SIGKILL)
archive.shutil.rmtree = clear
Registry(Path(sys.argv[1])).retire("seal risk", newest=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "half"])
def test_a_kill_while_retiring_leaves_a_readable_registry(moment: str, registry: Registry, many: list[str]) -> None:
    arguments = [sys.executable, "-c", KILLED_WHILE_RETIRING, str(registry.folder), moment]
    done = subprocess.run(arguments, check=False, cwd=Path(__file__).parents[2])

    assert done.returncode == -signal.SIGKILL
    assert [each.version for each in registry.versions(MODEL)] == many[4:]
    assert registry.unreadable() == []
    registry.retire(MODEL, newest=2)
    assert sorted(path.name for path in (registry.folder / slug(MODEL)).iterdir()) == sorted(many[4:])


@given(st.lists(st.text(min_size=1, max_size=80), min_size=2, max_size=2, unique=True))
def test_two_models_never_share_a_folder(names: list[str]) -> None:
    first, second = map(slug, names)

    assert first != second
    assert not {"/", "\\", "."} & set(first)
