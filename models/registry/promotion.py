"""What keeps a version from being promoted, unless a person says why it is to be used all the same."""

from collections.abc import Callable, Mapping
from typing import Any

from ingest.plant import Costs
from models.judging.saving import Term, counted, of_so_many, summed
from models.registry.challenge import compare

Card = Mapping[str, Any]
Rule = Callable[[Card, Card | None], str]


def hindrance(card: Card, live: Card | None = None) -> str:
    """Return why a version cannot go live; empty when nothing stands against it.

    A version that bears a watermark was judged in a way that flatters. A model that was judged on events and cost
    no less than calendar maintenance, or of which it is not sure that it costs less than that or than doing nothing
    (the interval of the saving includes zero), is no help: who promotes it pays for it. Where no event was judged,
    or almost no time, nobody can say, and a person may decide. What is to replace a live version has to be
    shown to cost less than that one. A model of conditions has to be shown to cost less than saying the same of every
    piece.

    Parameters
    ----------
    card : of the version
    live : card of the version that it is to replace; ``None`` where none is live or it cannot be used

    Examples
    --------
    >>> card = {"currency": "EUR", "judged": {"events": 9, "money": {"model": 5000.0, "calendar": 4000.0}}}
    >>> hindrance(card)
    'on 9 judged events it cost 5,000 EUR and calendar maintenance 4,000 EUR; what does not beat the calendar stays out'
    >>> hindrance({"currency": "EUR"})
    ''
    """
    return next((why for rule in RULES if (why := rule(card, live))), "")


def _watermark(card: Card, _live: Card | None) -> str:
    return str(card.get("watermark") or "").rstrip(".")


def _calendar(card: Card, _live: Card | None) -> str:
    judged = _enough(card)
    if not judged:
        return ""
    model, calendar = judged["money"]["model"], judged["money"]["calendar"]
    if calendar is None:
        return ""
    if model < calendar:
        return _by_luck(judged, card["currency"])
    return (
        f"on {judged['events']} judged events it cost {_money(card, model)} and calendar maintenance"
        f" {_money(card, calendar)}; what does not beat the calendar stays out"
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


def _nothing(card: Card, _live: Card | None) -> str:
    """Say when the saving against doing nothing may be none, given the events that there were."""
    judged = _enough(card)
    if not judged or "costs" not in card:
        return ""
    costs = Costs.model_validate(card["costs"])
    worth = costs.missed_failure - costs.planned_stop
    found = Term(worth, of_so_many(judged["found"], judged["events"]))
    saved = summed([found, Term(-costs.false_alarm, counted(judged["false_alarms"]))])
    if saved.low > 0:
        return ""
    return (
        f"it found {judged['found']} of {judged['events']} judged events with {judged['false_alarms']} false alarms,"
        f" and so it saved {_money(card, saved.value or 0.0)} against doing nothing, of which"
        f" {_money(card, saved.low)} are sure at 95 %; what may save nothing stays out"
    )


def _live_version(card: Card, live: Card | None) -> str:
    if live is None:
        return ""
    found = compare(card, live)
    if found is None:
        return (
            "it is not shown to cost less than the live version, since there is no time on which both were judged on"
            " the same kind of event"
        )
    if found.saved.low > 0:
        return ""
    return (
        f"it is not shown to cost less than the live version: on {found.events} events of {found.machines} machines it"
        f" saved {_money(card, found.saved.value or 0.0)} against it [{_money(card, found.saved.low)} to"
        f" {_money(card, found.saved.high)}]; only it found {found.only_challenger} of them, only the live one"
        f" {found.only_live}; false alarms {found.false_challenger}, those of the live one {found.false_live}"
    )


def _saying_the_same(card: Card, _live: Card | None) -> str:
    """Say when a model of conditions costs no less than saying the same of every piece, or may do so by luck."""
    pieces = (card.get("conditions") or {}).get("judged")
    if not pieces:
        return ""
    saved = pieces.get("saved_per_piece")
    if saved is None:
        return "it was judged before savings had an interval; train it again"
    if saved["low"] > 0:
        return ""
    if saved["value"] > 0:
        return (
            f"on {pieces['judged']:,} judged pieces it saved {saved['value']:.3g} a piece against saying the same of"
            f" all, but between {saved['low']:.3g} and {saved['high']:.3g}: that may be luck"
        )
    return (
        f"on {pieces['judged']:,} judged pieces its mistakes cost {pieces['cost_per_piece']['value']:.3g} a piece, and"
        f" saying the same of all {pieces['usual_cost_per_piece']:.3g}; what does not beat that stays out"
    )


RULES: tuple[Rule, ...] = (_watermark, _calendar, _nothing, _saying_the_same, _live_version)
"""Each says why not, or nothing."""


def _enough(card: Card) -> Mapping[str, Any] | None:
    judged = card.get("judged")
    if not judged or not judged.get("events") or not judged.get("enough", True):
        return None
    return judged


def _money(card: Card, amount: float) -> str:
    return f"{amount:,.0f} {card['currency']}"
