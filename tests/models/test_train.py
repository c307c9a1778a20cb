import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ingest.errors import NotEnoughDataError, RegistryError
from models.believed import believed
from models.known_history import KnownHistory
from models.moment import as_datetime
from models.registry import Registry, Version
from models.train import TrainReport, train
from tests.features.table_history import TableHistory, after, readings_frame
from tests.models.pumps import HOURS, MACHINES, PLANT, pump_entry, pump_history

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Trained = tuple[TrainReport, Registry]


@pytest.fixture(scope="module")
def trained(pumps: TableHistory, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    registry = Registry(tmp_path_factory.mktemp("models"))
    return train(PLANT, pumps, pump_entry(), registry, now=NOW), registry


def test_a_first_version_with_enough_evidence_is_live_and_judged(trained: Trained) -> None:
    report, registry = trained
    bundle = registry.load("seal risk")

    assert report.live
    assert (bundle.version, report.known) == (report.version, False)
    assert report.judged is not None
    assert bundle.card["judged"]["found"] == report.judged.verdict.found >= 5
    assert bundle.card["judged"]["track_record"]["right"] >= 5
    assert bundle.card["claim"] == report.evidence.claim
    assert "it is live" in report.summary()
    assert report.to_dict()["judged"]["model"] == "seal risk"


def test_a_judgement_on_almost_nothing_says_so_and_is_not_live(pumps: TableHistory, tmp_path: Path) -> None:
    until = after(hours=400)
    entry = pump_entry(task="anomaly", train_until=until - timedelta(hours=26))
    report = train(PLANT, pumps, entry, Registry(tmp_path), now=NOW, until=until)

    assert report.evidence.enough
    assert not report.hindrance
    assert not report.live
    assert "Almost nothing was judged" in report.summary()


def test_a_clock_that_was_wrong_by_years_does_not_change_what_is_judged(pumps: TableHistory, tmp_path: Path) -> None:
    lone = readings_frame("pump-0", [-20 * 365 * 24 * 60.0], vibration=[1.0])
    history = TableHistory(pd.concat([lone, pumps.readings]))
    history.known_events = pumps.known_events
    report = train(PLANT, history, pump_entry(stride="4 h", task="anomaly"), Registry(tmp_path), now=NOW)

    assert report.judged is not None
    assert after(hours=340) < as_datetime(report.judged.start) < after(hours=350)


def test_training_again_gives_the_same_version(trained: Trained, pumps: TableHistory) -> None:
    report, registry = trained
    again = train(PLANT, pumps, pump_entry(), registry, now=NOW + timedelta(days=5))

    assert again.version == report.version
    assert again.known
    assert len(registry.versions("seal risk")) == 1


def test_nothing_after_until_is_looked_at(pumps: TableHistory, tmp_path: Path) -> None:
    until = after(hours=480)
    versions = {
        train(PLANT, history, pump_entry(), Registry(tmp_path), now=NOW, until=until).version
        for history in (pumps, pump_history(later=9.0))
    }

    assert len(versions) == 1


def test_a_later_version_stays_a_candidate_and_says_how_to_promote_it(
    trained: Trained, pumps: TableHistory, tmp_path: Path
) -> None:
    registry = Registry(tmp_path)
    first = train(PLANT, pumps, pump_entry(task="anomaly"), registry, now=NOW, until=after(hours=480))
    second = train(PLANT, pumps, pump_entry(task="anomaly"), registry, now=NOW)

    assert (first.live, second.live) == (True, False)
    assert registry.live("seal risk") == first.version
    assert f"andon models promote 'seal risk' {second.version}" in second.summary()


@pytest.mark.parametrize("task", ["anomaly", "failure_risk"])
def test_a_reading_of_absurd_size_overflows_nothing(task: str, tmp_path: Path) -> None:
    history = pump_history()
    history.readings.loc[history.readings.index % 47 == 0, "vibration"] = 1.7e308
    history.readings.loc[history.readings.index % 53 == 0, "vibration"] = -1.7e308
    registry = Registry(tmp_path)
    report = train(PLANT, history, pump_entry(task=task), registry, now=NOW)
    bundle = registry.load("seal risk", report.version)
    said = believed(PLANT, history, bundle, MACHINES[:2], after(hours=400), after(hours=HOURS))

    assert np.isfinite(said.level).mean() > 0.5
    assert all(np.isfinite(part).all() for part in (bundle.normal.spread, bundle.normal.between, bundle.normal.own))


def test_too_few_failures_are_never_live_by_themselves(tmp_path: Path) -> None:
    history = pump_history(until=300)
    few = KnownHistory(history, after(hours=115))  # three failures on three machines
    report = train(PLANT, few, pump_entry(), Registry(tmp_path), now=NOW)

    assert not report.live
    assert not report.evidence.enough
    assert "a person must promote it" in report.summary()


def test_without_failures_the_model_that_needs_none_is_offered(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDataError, match='task = "anomaly"'):
        train(PLANT, pump_history(failures=False), pump_entry(), Registry(tmp_path), now=NOW)


def test_without_readings_it_says_what_to_do_first(pumps: TableHistory, tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDataError, match="ingest its files first"):
        train(PLANT, pumps, pump_entry(), Registry(tmp_path), now=NOW, until=after(hours=-5))


def test_one_failure_only_is_learnt_from_and_nothing_is_claimed(tmp_path: Path) -> None:
    one = KnownHistory(pump_history(), after(hours=90))
    report = train(PLANT, one, pump_entry(), Registry(tmp_path), now=NOW)

    assert (report.live, report.judged) == (False, None)
    assert "nothing can be claimed" in report.summary()
    assert "Not judged" in report.summary()


def test_a_trained_model_assesses_unseen_machines(trained: Trained, pumps: TableHistory) -> None:
    bundle = trained[1].load("seal risk")
    said = believed(PLANT, pumps, bundle, MACHINES[:2], after(hours=400), after(hours=HOURS))

    assert np.isfinite(said.level).mean() > 0.8


def test_progress_counts_up_to_its_total(pumps: TableHistory, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    train(
        PLANT,
        pumps,
        pump_entry(task="anomaly"),
        Registry(tmp_path),
        now=NOW,
        progress=lambda phase, done, total: seen.append((phase, done, total)),
    )

    assert all(0 <= done <= total for _, done, total in seen)
    assert seen[-1][1] == seen[-1][2]


def test_a_known_history_hides_what_came_later(pumps: TableHistory) -> None:
    known = KnownHistory(pumps, after(hours=100))

    assert known.spans("pump")["pump-0"][1] == after(hours=100)
    assert known.events()["time"].max() <= after(hours=100)
    assert known.read("pump", end=after(hours=300)).table.num_rows == 6 * 101


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from models.registry import Registry, Version
from models.train import train
from tests.models.pumps import PLANT, pump_entry, pump_history
def progress(phase, done, total):
    if phase == "fitting to the whole past" and done == 2:
        os.kill(os.getpid(), signal.SIGKILL)
train(PLANT, pump_history(), pump_entry(), Registry(Path(sys.argv[1])), now=datetime(2026, 1, 1, tzinfo=UTC),
      progress=progress)
"""


@pytest.mark.slow
def test_a_kill_while_training_changes_nothing_of_the_next_result(
    trained: Trained, pumps: TableHistory, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, check=False, cwd=Path(__file__).parents[2])

    assert done.returncode == -signal.SIGKILL
    assert Registry(tmp_path).versions() == []
    assert train(PLANT, pumps, pump_entry(), Registry(tmp_path), now=NOW).version == trained[0].version


def test_a_version_that_does_not_beat_the_calendar_cannot_be_promoted(trained: Trained, tmp_path: Path) -> None:
    bundle, registry = trained[1].load("seal risk"), Registry(tmp_path)

    def saved(model: float) -> Version:
        money = {**bundle.card["judged"]["money"], "model": model, "calendar": 4000.0}
        card = {**bundle.card, "judged": {**bundle.card["judged"], "money": money}}
        return registry.save(replace(bundle, card=card), created=NOW)

    lost, won = saved(4000.0), saved(3999.0)
    with pytest.raises(RegistryError, match=r"cannot be promoted: on \d+ judged events it cost 4,000"):
        registry.promote(lost.model, lost.version, at=NOW, by="me", why="I like it")
    assert registry.live(lost.model) is None
    assert registry.promote(won.model, won.version, at=NOW, by="me", why="it pays").live
