"""Metrics: what store and state say, whichever process did the work."""

from datetime import timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from service.jobs import ledger
from service.jobs.ledger import Origin, Outcome, RunState
from service.late_looks import LateLooks, Tries, keep_late_looks
from service.metrics import Figures, Metrics


def samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (each.name, tuple(each.labels.values())): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def scrape(works: Any) -> dict[tuple[str, tuple[str, ...]], float]:
    return samples(works.client.get("/metrics").text)


def test_an_empty_plant_has_no_age_and_no_alerts(works: Any) -> None:
    found = scrape(works)

    assert found["andon_open_alerts", ()] == 0
    assert not [name for name, _ in found if name == "andon_newest_reading_age_seconds"]


def test_the_age_of_the_newest_reading_is_told_by_class(works: Any) -> None:
    works.send("press-1", until=works.now - timedelta(hours=2))
    works.send("press-2", until=works.now - timedelta(minutes=5))

    assert scrape(works)["andon_newest_reading_age_seconds", ("press",)] == 300


def test_a_silent_machine_is_not_hidden_behind_those_of_its_class_that_speak(works: Any) -> None:
    works.send("press-1", until=works.now - timedelta(hours=5))
    works.send("press-2")
    works.assess("press-1", level=0.1)
    works.assess("press-2", level=0.1)

    found = scrape(works)

    stale = [found["andon_machine_stale", (machine,)] for machine in ("press-1", "press-2", "press-3")]
    assert stale == [1, 0, 1]
    assert found["andon_machines", ("normal",)] == 1
    assert found["andon_machines", ("no recent readings",)] == 1


def test_open_alerts_are_counted(works: Any) -> None:
    works.alert("press-1")
    works.alert("press-2")

    assert scrape(works)["andon_open_alerts", ()] == 2


def test_late_readings_that_were_given_up_are_counted_by_model(works: Any) -> None:
    with works.room.state.write() as connection:
        tries = {"press-1": Tries(given_up=2, why="no"), "press-2": Tries(10, 20, tries=3, why="no")}
        keep_late_looks(connection, "press failure", LateLooks(7, tries))

    assert scrape(works)["andon_late_given_up_total", ("press failure",)] == 2


def test_runs_are_counted_by_action_and_outcome_and_rounds_are_timed(works: Any) -> None:
    with works.room.state.write() as connection:
        for state, seconds in ((RunState.DONE, 3), (RunState.DONE, 5), (RunState.FAILED, 100)):
            slot = works.now - timedelta(minutes=seconds)
            ledger.plan(connection, "score", [slot], origin=Origin.SCHEDULE)
            run = ledger.claim(connection, jobs=["score"], worker="w", at=works.now, lease=timedelta(minutes=1))
            assert run is not None
            ledger.finish(connection, run, Outcome(summary="", state=state), at=works.now + timedelta(seconds=seconds))

    found = scrape(works)

    assert found["andon_runs_total", ("score", "done")] == 2
    assert found["andon_runs_total", ("score", "failed")] == 1
    assert found["andon_rounds_total", ()] == 2
    assert found["andon_round_seconds_sum", ()] == 8


def test_two_applications_count_for_themselves() -> None:
    one, other = Metrics(Figures), Metrics(Figures)

    one.accepted.inc(3)

    assert samples(one.exposition()[0].decode())["andon_readings_accepted_total", ()] == 3
    assert samples(other.exposition()[0].decode())["andon_readings_accepted_total", ()] == 0
