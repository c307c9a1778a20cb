"""The pages of losses and levers: what they show, what is to be asked for, and that each second is drawn once."""

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.production.bucket import BUSY, NAMES, RUNS
from ingest.errors import NotEnoughDataError
from models.efficiency.losses import Loss
from models.finding import Finding
from service.alerts import book
from service.answers import Answers
from service.dashboard.loss_bars import SUMS, pareto_rows, tree_rows
from tests.service.pressing import press_a_month

HOUR = 3_600_000_000
PRODUCTION = {
    "products": [{"name": "cap", "ideal_cycle": "3 s"}],
    "production": {"words": {"running": ["RUN"], "breakdown": ["DOWN"]}, "hour_value": 100},
    "meters": [
        {
            "name": "electricity",
            "machine": "press-1",
            "signal": "vibration",
            "reads": "power",
            "drivers": [{"signal": "temperature"}],
            "baseline": "20 d",
        }
    ],
}


def declare(works: Any, **told: Any) -> None:
    plant = works.room.plant
    changed = {**plant.model_dump(by_alias=True), **told}
    object.__setattr__(works.room, "plant", plant.model_validate(changed))


def show(works: Any, path: str) -> str:
    answer = works.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return " ".join(str(answer.text).split())


@pytest.fixture
def running(works: Any) -> Any:
    """Return the works after press-1 told of two days: 42 h running, 6 h down, 30 h of pieces."""
    declare(works, **{key: PRODUCTION[key] for key in ("products", "production")})
    for code, back in (("RUN", 48), ("DOWN", 24), ("RUN", 18)):
        at = (works.now - timedelta(hours=back)).isoformat()
        told = {"machine": "press-1", "kind": "state", "time": at, "code": code}
        assert works.client.post("/api/v1/events", json=told).status_code == 201
    good = {"machine": "press-1", "kind": "count", "time": works.now.isoformat(), "code": "good", "value": 36_000}
    assert works.client.post("/api/v1/events", json={**good, "component": "cap"}).status_code == 201
    return works


def test_the_page_shows_the_tree_and_its_hours_add_up(running: Any) -> None:
    text = show(running, "/losses?days=2")

    rows = re.findall(r'<tr( class="sum")?><th scope="row">([^<]*)</th> <td class="number">([\d,.-]+)</td>', text)
    hours = {name: float(value.replace(",", "")) for _, name, value in rows}
    whole = 4 * 48.0
    assert hours["calendar time"] == whole
    assert sum(float(value.replace(",", "")) for summed, _, value in rows if not summed) == pytest.approx(whole)
    assert hours["breakdown"] == 6
    assert hours["good"] == 30


def test_the_dearest_losses_are_listed_with_what_they_make_up_together(running: Any) -> None:
    text = show(running, "/losses?days=2")

    pareto = text[text.index('id="pareto"') :]
    assert pareto.index("speed loss") < pareto.index("breakdown")
    assert "DOWN" in pareto
    assert "100 %" in pareto


def test_a_factor_that_is_not_known_has_its_reason_in_place_of_a_number(works: Any) -> None:
    text = show(works, "/losses")

    assert "<b>not known</b>" in text
    assert "nothing says what machines did" in text


def test_a_line_is_chosen_and_kept_in_the_links(running: Any) -> None:
    text = show(running, "/losses?line=Line+1&days=2")

    assert "Line 1 · 3 machines" in text
    assert "?days=30&amp;line=Line%201" in text
    assert "<option selected>Line 1</option>" in text
    answer = running.client.get("/losses?line=Line+2", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "did you mean &#39;Line 1&#39;" in answer.text


def test_an_open_loss_is_shown_first_and_in_colour(running: Any) -> None:
    finding = Finding(
        machine="press-1",
        kind="quality loss",
        cause="scrap",
        model="scrap",
        version="",
        begin=running.now - timedelta(hours=9),
        end=None,
        level=1.0,
        act_before=running.now + timedelta(hours=9),
        sentence="press-1: more scrap than usual",
        money_per_hour=4.5,
    )
    with running.room.state.write() as connection:
        number = book.raise_alert(connection, finding, at=running.now)[0].number

    text = show(running, "/losses")

    assert text.index("press-1: more scrap than usual") < text.index("<h2>OEE</h2>")
    assert 'class="notice bad"' in text
    assert "/levers/press?machine=press-1" in show(running, f"/alerts/{number}")


def test_a_baseline_is_learnt_when_it_is_asked_for_and_then_kept(works: Any) -> None:
    press_a_month(works)
    classes = works.room.plant.model_dump(by_alias=True)["classes"]
    classes[0]["signals"][1]["unit"] = "kW"
    declare(works, classes=classes, meters=PRODUCTION["meters"])

    waiting = show(works, "/losses")
    asked = show(works, "/losses?energy=1")
    kept = show(works, "/losses")

    assert "Compare with the baseline" in waiting
    assert "power, actual against expected" not in waiting
    for text in (asked, kept):
        assert "power, actual against expected" in text
        assert "running sum (falling: more is used than expected)" in text
        assert 'class="band"' in text
    assert "Compare with the baseline" not in asked


def test_a_meter_that_cannot_be_read_says_so_and_the_rest_of_the_page_stands(works: Any) -> None:
    press_a_month(works)
    declare(works, meters=PRODUCTION["meters"])

    text = show(works, "/losses?days=2&energy=1")

    assert "&#39;mm/s&#39; does not convert to &#39;kW&#39;" in text
    assert 'id="pareto"' in text


def test_without_meters_the_page_says_how_to_declare_one(works: Any) -> None:
    assert "<code>[[meters]]</code>" in show(works, "/losses")


def test_the_levers_page_ranks_them_and_says_that_they_are_no_proof(works: Any) -> None:
    press_a_month(works)

    text = show(works, "/levers/press")

    assert re.search(r"temperature &lt; 6[\d.]+ °C: rejects [\d.]+ times as frequent", text)
    assert "that it makes them is for a trial to show" in text
    assert "EUR an hour" not in text or "Costs" in text


def test_where_no_lever_holds_the_page_says_why(works: Any) -> None:
    press_a_month(works, ratio=1.0)

    assert "No lever is told." in show(works, "/levers/press")


def test_an_answer_is_worked_out_once_and_an_error_is_not_kept() -> None:
    answers, asked = Answers(most=2), []

    def work() -> int:
        asked.append(1)
        return len(asked)

    def fails() -> int:
        raise NotEnoughDataError("nothing yet")

    assert [answers.to("a", work), answers.to("a", work)] == [1, 1]
    with pytest.raises(NotEnoughDataError):
        answers.to("b", fails)
    assert not answers.known("b")
    assert answers.to("b", work) == 2
    answers.to("c", work)
    assert not answers.known("a")


@given(st.lists(st.integers(0, 40 * HOUR), min_size=len(NAMES), max_size=len(NAMES)))
def test_bars_of_the_tree_lie_side_by_side_and_fill_calendar_time(times: list[int]) -> None:
    whole = sum(times)
    single = {name: Loss(name, name, time, 0.0, None, None, None) for name, time in zip(NAMES, times, strict=True)}
    sums = {"calendar": NAMES, "planned": NAMES[1:], "busy": BUSY, "running": RUNS}
    order = ["calendar", "not_planned", "planned", "planned_stop", "busy"]
    order += [name for name in BUSY if name not in RUNS] + ["running", *RUNS]
    tree = [
        single[name]
        if name in single
        else Loss(name, name, sum(single[each].time for each in sums[name]), 0.0, None, None, None)
        for name in order
    ]

    rows = [each for each in tree_rows(tree) if each.loss.name not in SUMS]

    assert sum(each.loss.time for each in rows) == whole
    ends = sorted((each.left, each.left + each.width) for each in rows)
    if whole:
        assert ends[0][0] == pytest.approx(0, abs=0.05)
        assert ends[-1][1] == pytest.approx(100, abs=0.05)
        for (_, end), (begin, _) in pairwise(ends):
            assert begin == pytest.approx(end, abs=0.05)


@given(st.lists(st.floats(0, 1e6), max_size=12))
def test_the_shares_of_a_pareto_rise_to_one(money: list[float]) -> None:
    top = [Loss("scrap", "scrap", HOUR, 0.1, None, each, each, "m") for each in sorted(money, reverse=True)]

    together = [each.together for each in pareto_rows(top)]

    assert together == sorted(together)
    assert not together or together[-1] == pytest.approx(1.0)
