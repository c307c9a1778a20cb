"""Look at calls: which of them people are told of now, and what becomes of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from service.alerts.alert import AlertState
from service.alerts.pipeline.budget import needs_token
from service.alerts.pipeline.call import Call, CallState, Held, Kept, Reason
from service.alerts.pipeline.decisions import Decision
from service.alerts.pipeline.group import due_of
from service.alerts.pipeline.repeat import next_look
from service.alerts.pipeline.scene import Group, Scene
from service.alerts.pipeline.stages import NAMES, sieve
from service.delivery.outbox import NoticeKind

_ASKING = NAMES[NAMES.index("budget") :]
"""Stages that a call reaches when it has asked for a token."""


@dataclass(slots=True)
class Looked:
    """What a look at calls found.

    Attributes
    ----------
    tell : calls to tell of now, each with what and whom
    kept : the others, as they are kept now
    decisions : about the others
    groups : timers of groups that were set
    """

    tell: list[Call] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    groups: dict[tuple[str, str], Group] = field(default_factory=dict)


def look(calls: Sequence[Call], scene: Scene, lines: Mapping[int, int | None]) -> Looked:
    """Look at calls; nothing is written here.

    Parameters
    ----------
    lines : by alert, the line of its history that made us look; alerts are missing that only a timer asks about
    """
    looked = Looked()
    open_ones = []
    for each in calls:
        if each.alert.state is not AlertState.UNACKNOWLEDGED:
            _quiet(each, scene, lines, looked)
        elif each.kept.state is CallState.RETURNING:
            called = replace(each.kept, state=CallState.CALLED)
            due = next_look(replace(each, kept=called))
            held = Held(each, Reason.NO_NEWS, "it was back before anybody was told that it was over", due)
            _keep(held, CallState.CALLED, scene, lines, looked)
        else:
            open_ones.append(each)
    sieved = sieve(open_ones, scene)
    for passed in sieved.passed:
        asked = passed.kept.asked or (scene.now if needs_token(passed) else None)
        kept = replace(passed.kept, asked=asked, worth=passed.kept.worth if passed.kept.asked else passed.worth.value)
        looked.tell.append(replace(passed, kept=kept))
    for held in sieved.held:
        _keep(held, _state_of(held), scene, lines, looked)
    return looked


def _quiet(call: Call, scene: Scene, lines: Mapping[int, int | None], looked: Looked) -> None:
    """Deal with an alert that somebody answers for, or that is over."""
    if call.alert.state is AlertState.ACKNOWLEDGED:
        who = call.alert.acknowledged_by
        state = CallState.CALLED if call.kept.told else CallState.OVER
        _keep(Held(call, Reason.ACKNOWLEDGED, f"{who} answers for it"), state, scene, lines, looked)
    elif not call.kept.told:
        before = f": {call.kept.reason}" if call.kept.reason and call.kept.state is not CallState.OVER else ""
        reason, words = Reason.OVER, f"it is over{before}"
        if call.kept.first is not None:
            reason, words = Reason.NO_NEWS, "people know that it is over"
        elif call.kept.state is CallState.OVER:
            reason, words = Reason.NO_NEWS, "nobody was called for it"
        _keep(Held(call, reason, words), CallState.OVER, scene, lines, looked)
    elif (due := due_of(call, scene)) <= scene.now:
        looked.tell.append(replace(call, kind=NoticeKind.RESOLVED, targets=call.kept.told))
    else:
        held = Held(call, Reason.GROUP_WAIT, "it is over; the next message of its group says so", due, "group")
        _keep(held, CallState.RETURNING, scene, lines, looked)


def _state_of(held: Held) -> CallState:
    if held.stage == "group":
        return CallState.GROUPING
    return CallState.CALLED if held.call.kept.told else CallState.HELD


def _keep(held: Held, state: CallState, scene: Scene, lines: Mapping[int, int | None], looked: Looked) -> None:
    call, kept = held.call, held.call.kept
    own = (call.route.name, kept.key)
    in_group = state in (CallState.GROUPING, CallState.RETURNING)
    if in_group and held.until is not None:
        before = looked.groups.get(own) or scene.groups.get(own) or Group(scene.now)
        if before.due is None or held.until < before.due:
            looked.groups[own] = replace(before, since=scene.now, due=held.until)
    asks = held.stage in _ASKING and kept.asked is None and needs_token(call)
    fresh = state is not CallState.CALLED
    looked.kept.append(
        replace(
            kept,
            state=state,
            since=scene.now if fresh else kept.since,
            due=None if in_group else held.until,
            asked=scene.now if asks else kept.asked,
            worth=call.worth.value if asks or kept.asked is None else kept.worth,
            stage=held.stage,
            reason=held.reason.value,
        )
    )
    line = lines.get(call.alert.number)
    if line is None and (kept.stage, kept.reason) == (held.stage, held.reason.value):
        return
    looked.decisions.append(
        Decision(
            alert=call.alert.number,
            line=line,
            at=scene.now,
            route=call.route.name,
            stage=held.stage,
            reason=held.reason,
            words=held.words,
            until=held.until,
        )
    )
