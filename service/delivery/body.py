"""What a message about an alert says, the same for every channel: fixed when it is written.

A body is a JSON object. Channels know these keys, and do without those that are left out:

===============  =============================================================================
``plant``, ``site``, ``line``, ``machine``  where it is
``alert``        number of the alert
``status``       ``firing`` or ``resolved``
``state``        state of the alert; ``acknowledged_by`` says by whom
``kind``, ``cause``  what it is about; with plant and machine they name the matter over its whole life
``severity``     how bad it is, where a route says so
``subject``      the headline; the sentence where it is left out
``sentence``     one plain sentence with numbers
``text``         more of it, such as a digest
``level``        the model's newest number, 0 to 1
``begin``, ``end``, ``act_before``  times, ISO 8601
===============  =============================================================================
"""

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
        **more,
    }


def headline(body: dict[str, Any]) -> str:
    """Return one line for people: the subject, or the sentence.

    Examples
    --------
    >>> headline({"status": "resolved", "sentence": "press-1: bearing likely to fail"})
    'Over: press-1: bearing likely to fail'
    """
    said = str(body.get("subject") or body.get("sentence") or body.get("cause") or "Message from Andon")
    line = " ".join(said.split())
    return f"Over: {line}" if body.get("status") == RESOLVED and not body.get("subject") else line


def moment(body: dict[str, Any], key: str) -> datetime | None:
    """Return a time of a body; ``None`` where it has none, or says something else there."""
    try:
        found = datetime.fromisoformat(str(body.get(key) or ""))
    except ValueError:
        return None
    return found if found.tzinfo else None
