"""The report page: everything is said, nothing is fetched, and nothing that a name holds becomes markup."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from models.report.page import policy, report_page, style

HOSTILE = "<script>alert(1)</script>"


def report(**fields: Any) -> dict[str, Any]:
    share = {"value": 0.8, "low": 0.548, "high": 0.93}
    event = {"machine": "pump-1", "begin": "2026-01-05T06:00:00Z", "needed_hours": 8.0}
    return {
        "model": "seal risk",
        "events": 15,
        "found": 12,
        "recall": share,
        "lead_hours": {"median": 20.0, "p10": 9.0},
        "lead_intervals": {
            "median": {"value": 20.0, "low": 15.0, "high": 26.0},
            "p10": {"value": 9.0, "low": 8.0, "high": 12.0},
        },
        "false_alarms_per_machine_week": {"value": 0.1, "low": 0.02, "high": 0.3},
        "precision": share,
        "money": {"model": 50_000.0, "do_nothing": 150_000.0, "calendar": 90_000.0, "signal_limits": None},
        "saved": {
            "do_nothing": {"value": 100_000.0, "low": 60_000.0, "high": 140_000.0},
            "calendar": {"value": 40_000.0, "low": -5_000.0, "high": 80_000.0},
            "signal_limits": None,
        },
        "share_of_possible_saving": 0.83,
        "real_rate": {"events_per_machine_year": share, "stated": True, "precision": share},
        "machine_weeks": 30.0,
        "enough": True,
        "late": 1,
        "false_alarms": 3,
        "right_once": 12,
        "split": "time",
        "span": {"start": "2026-01-01T00:00:00Z", "end": "2026-03-01T00:00:00Z"},
        "currency": "EUR",
        "horizon_hours": 72.0,
        "threshold": [0.3],
        "baselines": {"calendar": ["replace every 1000 h"]},
        "alerts_without_model": {},
        "money_curve": {"threshold": [0.01, 0.3, 0.9], "cost": [200_000.0, 50_000.0, 150_000.0]},
        "by_mode": [],
        "missed": [
            {
                **event,
                "mode": "seal",
                "why": "level never over",
                "sentence": "the level rose to 0.12; 0.3 raises an alert",
            }
        ],
        "leaks": [],
        "reliability": [
            {
                "horizon": "3 d",
                "error": 0.03,
                "rows": 100,
                "rows_before_events": 9,
                "said": [0.01, 0.4],
                "happened": [0.0, 0.5],
            }
        ],
        "event_list": [
            {**event, "mode": "seal", "verdict": "found", "lead_hours": 20.0},
            {**event, "mode": "seal", "verdict": "missed", "lead_hours": None},
        ],
        **fields,
    }


def trace(**fields: Any) -> dict[str, Any]:
    return {
        "machine": "pump-1",
        "begin": "2026-01-05T06:00:00Z",
        "mode": "seal",
        "verdict": "missed",
        "needed_hours": 8.0,
        "threshold": 0.3,
        "hours": [200.0, 100.0, 50.0, 10.0],
        "level": [0.01, None, 0.2, 0.25],
        "alerts": [60.0],
        **fields,
    }


class Tags(HTMLParser):
    """Collects tags, their attributes, and whether they close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


def test_the_page_says_what_an_engineer_asks_for_with_intervals() -> None:
    text = read(report_page(report(), [trace()], said="12 of 15.")).text

    assert "12 of 15" in text
    assert "80 % [55–93 %]" in text
    assert "100\u202f000 EUR" in text
    assert "−5\u202f000 to 80\u202f000" in text
    assert "calendar maintenance" in text
    assert "replace every 1000 h" in text
    assert "1 × level never over" in text
    assert "the level rose to 0.12; 0.3 raises an alert" in text
    assert "days before the event" in text
    assert "cost of the judged time, EUR" in text
    assert "said: probability of an event" in text
    assert "chosen before, on training data" in text


def test_the_page_asks_for_nothing_and_runs_nothing() -> None:
    tags = read(report_page(report(), [trace()])).tags

    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in tags}
    for tag, attributes in tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "href")], tag
    assert "url(" not in style()
    assert "@import" not in style()


def test_the_policy_of_the_page_allows_its_own_style_alone() -> None:
    page = report_page(report())

    assert f'content="{policy()}"' in page
    assert "default-src 'none'" in policy()
    assert re.findall(r"<style>(.*?)</style>", page, re.DOTALL) == [style()]


def test_names_are_text_and_never_markup() -> None:
    hostile = {"model": HOSTILE, "currency": HOSTILE, "evidence": HOSTILE, "new_key": HOSTILE}
    missed = [{"machine": HOSTILE, "begin": "2026", "mode": HOSTILE, "why": HOSTILE, "sentence": HOSTILE}]
    page = report_page(report(**hostile, missed=missed), [trace(machine=HOSTILE, mode=HOSTILE)], said=HOSTILE)

    assert "<script" not in page
    assert "alert(1)" in read(page).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"watermark": "judged on a random split", "split": "random"},
            "NOT TO BE RELIED ON: judged on a random split.",
        ),
        (
            {"leaks": [{"column": "x__mean__3h", "kind": "countdown", "evidence": "falls", "refused": True}]},
            "features know the outcome beforehand",
        ),
        ({"enough": False}, "The figures say nothing"),
    ],
)
def test_what_must_not_be_relied_on_is_marked_at_the_top(fields: dict[str, Any], said: str) -> None:
    text = read(report_page(report(**fields))).text

    assert said in text[: text.index("Events found in time")]


def test_a_sound_judgement_has_no_mark() -> None:
    assert 'class="mark"' not in report_page(report())


def test_levels_near_one_are_drawn_by_how_rare_they_are() -> None:
    strange = trace(threshold=0.9998, level=[0.5, 0.99, 0.999, 0.99999])

    assert "1 in 1\u202f000" in report_page(report(), [strange])


def test_a_card_with_few_figures_shows_those_and_whatever_else_it_holds() -> None:
    text = read(report_page({"model": "life", "prognostic": {"rmse": 12.5}})).text

    assert "Prognostic" in text
    assert "12.5" in text


def test_the_style_may_lie_elsewhere() -> None:
    page = report_page(report(), stylesheet="/report.css")

    assert '<link rel="stylesheet" href="/report.css">' in page
    assert "<style>" not in page
