"""What a message about an alert says, the same for every channel: fixed when it is written.

A body is a JSON object, of one alert, or of several under ``alerts``, each of which has the same keys. Channels know
these keys, and do without those that are left out:

===============  =============================================================================
``plant``, ``site``, ``line``, ``machine``  where it is
``alert``        number of the alert
``status``       ``firing`` or ``resolved``
``state``        state of the alert; ``acknowledged_by`` says by whom
``kind``, ``cause``  what it is about; with plant and machine they name the matter over its whole life
``labels``       of an alert that another system posted, its labels
``severity``     how bad it is, where a route says so
``subject``      the headline; the sentence where it is left out
``sentence``     one plain sentence with numbers
``text``         more of it, such as a digest
``level``        the model's newest number, 0 to 1
``alerts``       several alerts in one message, the worst first
``more``         numbers of further alerts that the message does not tell of in full
``machines``     all machines that it tells of, those of ``more``, too
``begin``, ``end``, ``act_before``  times, ISO 8601
===============  =============================================================================
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.plant import Plant
from service.alerts.alert import OVER_STATES, Alert, AlertState

FIRING, RESOLVED = "firing", "resolved"
_LATCHED = (AlertState.LATCHED, AlertState.LATCHED_ACKNOWLEDGED)


def body_of(alert: Alert, plant: Plant, *, at: datetime, **more: Any) -> dict[str, Any]:
    """Return what to say of an alert as it is now.

    Parameters
    ----------
    at : the end of the condition, where the alert is over and nobody wrote one down
    more : further keys, such as ``severity`` or ``text``
    """
    machine = {each.name: each for each in plant.machines}.get(alert.machine)
    over = alert.state is AlertState.NORMAL or (alert.state in OVER_STATES and alert.state not in _LATCHED)
    end = (alert.condition_end or alert.closed_at or at) if over else None
    return {
        "plant": plant.name,
        "site": machine.site if machine else "",
        "line": machine.line if machine else "",
        "machine": alert.machine,
        "alert": alert.number,
        "status": RESOLVED if over else FIRING,
        "state": alert.state.value,
        "acknowledged_by": alert.acknowledged_by,
        "kind": alert.kind,
        "cause": alert.cause,
        "sentence": alert.sentence,
        "level": alert.level,
        "begin": alert.condition_begin.isoformat(),
        "end": None if end is None else end.isoformat(),
        "act_before": alert.act_before.isoformat(),
        **({"labels": dict(alert.labels)} if alert.kind == "external" else {}),
        **more,
    }


def told_in(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the alerts that a body tells of, one at least: the body itself where it lists none.

    Each has the plant of the body.

    Examples
    --------
    >>> told_in({"plant": "Ulm", "alerts": [{"alert": 7}]})
    [{'plant': 'Ulm', 'alert': 7}]
    """
    listed = body.get("alerts")
    return [{"plant": body.get("plant", ""), **each} for each in listed] if listed else [body]


def machines_in(body: Mapping[str, Any]) -> list[str]:
    """Return the machines that a body tells of, each once.

    Examples
    --------
    >>> machines_in({"alerts": [{"machine": "press-1"}, {"machine": "press-2"}, {"machine": "press-1"}]})
    ['press-1', 'press-2']
    """
    named = body.get("machines") or [each.get("machine") for each in told_in(body)]
    return [*dict.fromkeys(each for each in named if each)]


def headline(body: Mapping[str, Any]) -> str:
    """Return one line for people: the subject, or the sentence; of several alerts that of the first.

    Examples
    --------
    >>> headline({"status": "resolved", "sentence": "press-1: bearing likely to fail"})
    'Over: press-1: bearing likely to fail'
    >>> headline({"alerts": [{"sentence": "press-1 fails"}, {"sentence": "press-2 drifts"}], "more": [9]})
    'press-1 fails; and 2 more'
    """
    told = told_in(body)
    if not body.get("subject") and told[0] is not body:
        others = len(told) - 1 + len(body.get("more", ()))
        return headline(told[0]) + (f"; and {others} more" if others else "")
    said = str(body.get("subject") or body.get("sentence") or body.get("cause") or "Message from Andon")
    line = " ".join(said.split())
    return f"Over: {line}" if body.get("status") == RESOLVED and not body.get("subject") else line


def moment(body: Mapping[str, Any], key: str) -> datetime | None:
    """Return a time of a body; ``None`` where it has none, or says something else there."""
    try:
        found = datetime.fromisoformat(str(body.get(key) or ""))
    except ValueError:
        return None
    return found if found.tzinfo else None
