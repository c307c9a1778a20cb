import json
from dataclasses import replace

from models.bundle import Bundle
from models.registry.card import judged_of, page

REPORT = {
    "model": "seal risk", "events": 9, "found": 7, "recall": {"value": 7 / 9, "low": 0.45, "high": 0.94},
    "lead_hours": {"median": 20.0, "p10": float("nan")}, "early_enough": 1.0,
    "false_alarms_per_machine_week": {"value": 0.1, "low": 0.01, "high": None},
    "precision": {"value": 0.78, "low": 0.45, "high": 0.94},
    "money": {"model": 12000.0, "do_nothing": 90000.0, "calendar": 40000.0, "fixed_limit": None},
    "machine_weeks": 20.0, "seconds": 12.3,
}  # fmt: skip


def judged(bundle: Bundle) -> Bundle:
    return replace(bundle, card={**bundle.card, "judged": judged_of(REPORT, right=7, alerts=9)})


def test_a_card_is_json_and_says_what_it_was_learnt_from(seal_risk: Bundle) -> None:
    card = json.loads(json.dumps(seal_risk.card, allow_nan=False))

    assert card["data"]["events"] == 18
    assert card["data"]["machines"] == [f"pump-{number}" for number in range(6)]
    assert card["recipe"]["hash"] == seal_risk.recipe.hash
    assert card["threshold"]["value"] == seal_risk.threshold
    assert card["components"] == {"seal": 18}
    assert {"numpy", "scikit-learn", "skops"} <= set(card["libraries"])


def test_how_long_judging_took_and_what_is_not_a_number_are_no_part_of_a_card(seal_risk: Bundle) -> None:
    card = judged(seal_risk).card

    assert "seconds" not in card["judged"]
    assert card["judged"]["lead_hours"] == {"median": 20.0, "p10": None}
    assert json.dumps(card, allow_nan=False)


def test_the_page_says_in_plain_words_what_the_card_holds(seal_risk: Bundle) -> None:
    text = page(judged(seal_risk).card)

    assert text.startswith("# Model card: seal risk\n")
    assert "| Events found | 7 of 9, 77.8 % [45–94 %] |" in text
    assert "| Alerts that were right, once an event | 7 of 9," in text
    assert "| False alarms per machine and week | 0.1 [0.01–∞] |" in text
    assert "| Cost with this model | 12,000 EUR |" in text
    assert "| Cost a fixed limit on one signal | not known |" in text
    assert "Can name: seal (18 failures)." in text
    assert "nan" not in text.replace("maintenance", "")
    assert "<" not in text


def test_a_model_that_was_not_judged_says_so(seal_risk: Bundle, strange_pump: Bundle) -> None:
    assert "has not been judged on unseen time" in page(seal_risk.card)
    assert "not what is wrong" in page(strange_pump.card)
