"""The card of a model in the words, zone and currency of the plant."""

from datetime import UTC, datetime

from service.dashboard.card import readable


def test_moments_become_times_wherever_they_stand() -> None:
    begin = datetime(2026, 5, 15, 20, tzinfo=UTC)

    assert readable({"alerts": [{"begin": "2026-05-15T20:00:00Z", "end": None}]}) == {
        "alerts": [{"begin": begin, "end": None}]
    }
    assert readable("2026-05-15") == "2026-05-15"


def test_shares_are_percentages_and_amounts_have_a_currency() -> None:
    card = {"early_enough": 0.8889, "base_rate": None, "precision": {"value": None, "low": 0, "high": 1}, "cost": 1500}

    assert readable(card, "EUR") == {
        "noticed early enough, of those noticed": "89 %",
        "share of the time with an event ahead": None,
        "share of alerts that were right": {"value": None, "low": 0, "high": 1},
        "cost": "1\u202f500 EUR",
    }
