"""The state of a machine as it is kept at a broker: one JSON object, retained, the newest one counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.alerts.alert import SEEN_STATES, Alert


def machine_state(machine: str, alerts: Sequence[Alert], *, message: str, at: datetime) -> dict[str, Any]:
    """Return what to keep of a machine.

    Parameters
    ----------
    alerts : its live alerts
    message : id of the message that this is sent for
    """
    state = "normal"
    if alerts:
        state = "acknowledged" if all(each.state in SEEN_STATES for each in alerts) else "alert"
    return {
        "machine": machine,
        "state": state,
        "at": at.isoformat(),
        "message": message,
        "alerts": [
            {
                "alert": each.number,
                "kind": each.kind,
                "cause": each.cause,
                "state": each.state.value,
                "sentence": each.sentence,
                "level": each.level,
                "act_before": each.act_before.isoformat(),
            }
            for each in alerts
        ],
    }
