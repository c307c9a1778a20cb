"""What keeps a version from being promoted, whoever asks for it."""

from collections.abc import Mapping
from typing import Any


def hindrance(card: Mapping[str, Any]) -> str:
    """Return why a version cannot go live; empty when nothing stands against it.

    A model that was judged on events and cost no less than calendar maintenance is no help: who promotes
    it pays for it. Where no event was judged, or almost no time, nobody can say, and a person may decide.

    Examples
    --------
    >>> card = {"currency": "EUR", "judged": {"events": 9, "money": {"model": 5000.0, "calendar": 4000.0}}}
    >>> hindrance(card)
    'on 9 judged events it cost 5,000 EUR and calendar maintenance 4,000 EUR; what does not beat the calendar stays out'
    >>> hindrance({"currency": "EUR"})
    ''
    """
    judged = card.get("judged")
    if not judged or not judged["events"] or not judged.get("enough", True):
        return ""
    model, calendar = judged["money"]["model"], judged["money"]["calendar"]
    if calendar is None or model < calendar:
        return ""
    return (
        f"on {judged['events']} judged events it cost {model:,.0f} {card['currency']} and calendar maintenance"
        f" {calendar:,.0f} {card['currency']}; what does not beat the calendar stays out"
    )
