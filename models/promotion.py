"""What keeps a version from being promoted, whoever asks for it."""

from collections.abc import Mapping
from typing import Any


def hindrance(card: Mapping[str, Any]) -> str:
    """Return why a version cannot go live; empty when nothing stands against it.

    A model that was judged on events and cost no less than calendar maintenance is no help: who promotes
    it pays for it. One that saved something, but so little or on so few events that it may have been luck (the
    interval of the saving includes zero), is none either. Where no event was judged, or almost no time, nobody
    can say, and a person may decide.

    Examples
    --------
    >>> card = {"currency": "EUR", "judged": {"events": 9, "money": {"model": 5000.0, "calendar": 4000.0}}}
    >>> hindrance(card)
    'on 9 judged events it cost 5,000 EUR and calendar maintenance 4,000 EUR; what does not beat the calendar stays out'
    >>> hindrance({"currency": "EUR"})
    ''
    """
    if card.get("watermark"):
        return str(card["watermark"]).rstrip(".")
    judged = card.get("judged")
    if not judged or not judged["events"] or not judged.get("enough", True):
        return ""
    model, calendar = judged["money"]["model"], judged["money"]["calendar"]
    if calendar is None:
        return ""
    if model < calendar:
        return _by_luck(judged, card["currency"])
    return (
        f"on {judged['events']} judged events it cost {model:,.0f} {card['currency']} and calendar maintenance"
        f" {calendar:,.0f} {card['currency']}; what does not beat the calendar stays out"
    )


def _by_luck(judged: Mapping[str, Any], currency: str) -> str:
    """Say that a saving against the calendar may have been luck; empty if it was not, or nobody worked it out."""
    saved = (judged.get("saved") or {}).get("calendar")
    if saved is None or saved["low"] > 0:
        return ""
    return (
        f"on {judged['events']} judged events it saved {saved['value']:,.0f} {currency} against the calendar, but"
        f" between {saved['low']:,.0f} and {saved['high']:,.0f}: that may be luck"
    )
