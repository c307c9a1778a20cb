"""A card's numbers and keys as a plant engineer reads them."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from service.dashboard.axis import number
from service.dashboard.render import percent

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_SHARES = ("recall", "precision", "early_enough", "base_rate")
_WORDS = {
    "baselines": "compared with",
    "base_rate": "share of the time with an event ahead",
    "early_enough": "noticed early enough, of those noticed",
    "event": "event that followed",
    "event_list": "events one by one",
    "false_alarms_per_machine_week": "false alarms per machine-week",
    "found": "events found",
    "late": "found too late",
    "lead_hours": "warning before the event, in hours",
    "machine_weeks": "machine-weeks judged",
    "median": "half are longer than",
    "money": "cost over the judged time",
    "p10": "nine in ten are longer than",
    "precision": "share of alerts that were right",
    "recall": "share of events found",
    "track_record": "alerts whose outcome is known",
}


def readable(value: object, currency: str = "") -> object:
    r"""Return a part of a card with its keys in words, shares as percentages and moments as ``datetime``.

    Parameters
    ----------
    currency : of the amounts of money in it

    Examples
    --------
    >>> readable({"recall": {"value": 0.615, "low": 0.355, "high": 0.823}, "machine_weeks": 2.5})
    {'share of events found': '62 % [36–82 %]', 'machine-weeks judged': 2.5}
    >>> readable({"money": {"do_nothing": 104000.0}}, "EUR")
    {'cost over the judged time': {'do nothing': '104\u202f000 EUR'}}
    """
    if isinstance(value, Mapping):
        return {_WORDS.get(key, key.replace("_", " ")): _entry(key, each, currency) for key, each in value.items()}
    if isinstance(value, str):
        return datetime.fromisoformat(value) if _MOMENT.fullmatch(value) else value
    if isinstance(value, Sequence):
        return [readable(each, currency) for each in value]
    return value


def share_text(share: Mapping[str, float]) -> str:
    """Write a share with its interval.

    Examples
    --------
    >>> share_text({"value": 0.8, "low": 0.55, "high": 0.93})
    '80 % [55–93 %]'
    """
    return f"{percent(share['value'])} [{100 * share['low']:.0f}–{100 * share['high']:.0f} %]"


def _entry(key: str, value: object, currency: str) -> object:
    if key in _SHARES and isinstance(value, float):
        return percent(value)
    if key in _SHARES and isinstance(value, Mapping) and value.get("value") is not None:
        return share_text(value)
    if key == "cost":
        return _amount(value, currency)
    if key == "money" and isinstance(value, Mapping):
        return {each.replace("_", " "): _amount(amount, currency) for each, amount in value.items()}
    return readable(value, currency)


def _amount(amount: object, currency: str) -> object:
    return f"{number(amount, 9)} {currency}".rstrip() if isinstance(amount, int | float) else amount
