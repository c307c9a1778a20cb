import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.leaks.leak import REFUSED, Leak
from ingest.errors import LeakError, NotEnoughDataError, RegistryError
from ingest.plant import Signal
from models.believed import believed
from models.judging.backtest import backtest
from models.judging.known_history import KnownHistory
from models.leak_check import accepted, leaks_card
from models.moment import as_datetime
from models.registry.card import page
from models.registry.registry import Registry, Version
from models.train import TrainReport, train
from tests.features.table_history import TableHistory, after, readings_frame
from tests.models.pumps import FAILURES, HOURS, MACHINES, PLANT, pump_entry, pump_history

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
from models.registry.registry import Registry
from models.train import train
from tests.models.pumps import PLANT, pump_entry, pump_history
def progress(phase, done, total):
    if phase == "fitting to the whole past" and done == 2:
        os.kill(os.getpid(), signal.SIGKILL)
train(PLANT, pump_history(), pump_entry(task="anomaly"), Registry(Path(sys.argv[1])),
      now=datetime(2026, 1, 1, tzinfo=UTC), progress=progress)
"""


@pytest.mark.slow
def test_a_kill_while_training_changes_nothing_of_the_next_result(pumps: TableHistory, tmp_path: Path) -> None:
    killed, whole = Registry(tmp_path / "killed"), Registry(tmp_path / "whole")
    command = [sys.executable, "-c", KILLED, str(killed.folder)]
    done = subprocess.run(command, check=False, cwd=Path(__file__).parents[2])

    assert done.returncode == -signal.SIGKILL
    assert killed.versions() == []
    after_kill, undisturbed = (
        train(PLANT, pumps, pump_entry(task="anomaly"), registry, now=NOW) for registry in (killed, whole)
    )
    assert after_kill.version == undisturbed.version


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


LEAKY = PLANT.model_copy(
    update={
        "classes": [
            PLANT.classes[0].model_copy(
                update={
                    "signals": [
                        *PLANT.classes[0].signals,
                        Signal(name="hours_to_repair", unit="h", every=timedelta(hours=1)),
                    ]
                }
            )
        ]
    }
)
HOUR = timedelta(hours=1)


def knowing_pumps() -> TableHistory:
    """Return pumps with a column that somebody filled in from the list of repairs afterwards."""
    history = pump_history()
    for machine, failures in FAILURES.items():
        mine = history.readings["machine"] == machine
        hours = (history.readings.loc[mine, "time"] - after()) / HOUR
        ahead = np.array([*failures, HOURS])[np.searchsorted(failures, hours, side="right")] - hours
        history.readings.loc[mine, "hours_to_repair"] = ahead
    history.signals = ("vibration", "hours_to_repair")
    return history


@pytest.fixture(scope="module")
def knowing() -> TableHistory:
    return knowing_pumps()


def test_a_model_that_would_learn_from_the_future_is_refused_and_the_leak_is_named(
    knowing: TableHistory, tmp_path: Path
) -> None:
    registry = Registry(tmp_path)
    with pytest.raises(LeakError) as refused:
        train(LEAKY, knowing, pump_entry(), registry, now=NOW)

    message = str(refused.value)
    assert "hours_to_repair" in message
    assert "vibration" not in message
    assert "leave it out" in message
    assert "--accept-leaks" in message
    assert registry.versions() == []


def test_a_backtest_says_before_its_figures_that_a_model_knows_the_outcome(knowing: TableHistory) -> None:
    leaky = backtest(LEAKY, knowing, pump_entry())

    assert "may know the outcome beforehand" in leaky.summary().split("would have raised")[0]
    assert "hours_to_repair" in leaky.summary()
    assert any("hours_to_repair" in leak["column"] for leak in leaky.to_dict()["leaks"])


def test_without_the_leaking_signal_it_is_trained_as_before(
    trained: Trained, knowing: TableHistory, tmp_path: Path
) -> None:
    report = train(LEAKY, knowing, pump_entry(signals=["vibration"]), Registry(tmp_path), now=NOW)

    assert report.live
    assert not any(leak.refused for leak in report.leaks)
    assert report.judged is not None
    assert "beforehand" not in report.judged.summary()
    assert trained[0].judged is not None
    assert report.judged.verdict.found == trained[0].judged.verdict.found


def test_a_leak_that_a_person_accepts_stands_in_the_card_and_waits_for_a_person(
    knowing: TableHistory, tmp_path: Path
) -> None:
    registry = Registry(tmp_path)
    why = "the repairs are planned a month ahead"
    report = train(LEAKY, knowing, pump_entry(), registry, now=NOW, accept_leaks=why)
    (version,) = registry.versions("seal risk")

    assert not report.live
    assert version.card["leaks"]["accepted"] == report.accepted == why
    assert {leak["kind"] for leak in version.card["leaks"]["found"]} & set(REFUSED)
    assert why in report.summary()
    assert why in page(version.card)
    assert report.to_dict()["leaks"][0]["evidence"]


def test_what_was_accepted_for_the_live_version_needs_no_second_word_and_anything_else_does() -> None:
    known, new = Leak("a__mean__3h", "countdown", "30 of 30"), Leak("b__mean__3h", "countdown", "30 of 30")
    card = {"leaks": leaks_card(2, [known], "planned a month ahead")}

    assert accepted(pump_entry(), [known], "", card) == "planned a month ahead"
    assert accepted(pump_entry(), [Leak("c", "identifier", "one value each")], "", None) == ""
    with pytest.raises(LeakError, match="b__mean__3h: countdown"):
        accepted(pump_entry(), [known, new], "", card)
    with pytest.raises(LeakError, match="is not trained"):
        accepted(pump_entry(), [known], "  ", None)


def test_the_card_says_what_was_looked_at(trained: Trained) -> None:
    card = trained[1].load("seal risk").card
    clean = {**card, "leaks": leaks_card(7, [], "")}

    assert card["leaks"]["columns"] == card["recipe"]["features"]
    assert card["leaks"]["accepted"] == ""
    assert "None of 7 features was found to know the outcome" in page(clean)


def test_a_fault_that_always_takes_as_long_is_told_and_not_refused(trained: Trained) -> None:
    """These pumps begin to shake just 20 h before each failure, which a made-up list would do as well."""
    kinds = {leak.kind for leak in trained[0].leaks}

    assert kinds == {"shifted label"}
    assert "May know too much: vibration__" in trained[0].summary()
