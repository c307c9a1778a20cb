"""Repeat: people are called once, and again when nobody has acknowledged for long."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from service.alerts.pipeline.call import Call, Held, Reason, Sieved
from service.alerts.pipeline.escalate import next_rung, rungs_due
from service.alerts.pipeline.scene import Scene
from service.delivery.outbox import NoticeKind


def repeat(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Let pass what people do not know yet, and what they are to be reminded of; the ladder is not held back here."""
    sieved = Sieved()
    for each in calls:
        if not each.kept.told:
            kind = NoticeKind.RAISED if each.kept.first is None else NoticeKind.CHANGED
            sieved.passed.append(each if kind is each.kind else replace(each, kind=kind))
        elif scene.now >= next_repeat(each):
            sieved.passed.append(replace(each, kind=NoticeKind.REPEATED))
        elif rungs_due(each, scene.now) > each.kept.rung:
            sieved.passed.append(replace(each, kind=NoticeKind.ESCALATED, targets=()))
        else:
            again = next_look(each)
            words = f"told at {each.kept.newest:%Y-%m-%d %H:%M} UTC; again if nobody acknowledges"
            sieved.held.append(Held(each, Reason.TOLD_BEFORE, words, again))
    return sieved


def next_repeat(call: Call) -> datetime:
    """Return when people are called again."""
    return (call.kept.newest or call.kept.since) + call.route.repeat_every


def next_look(call: Call) -> datetime:
    """Return when something is to be done about a call that was made: a repeat, or a rung of the ladder."""
    moments = [next_repeat(call), next_rung(call), call.worth.critical_from]
    return min(each for each in moments if each is not None)
