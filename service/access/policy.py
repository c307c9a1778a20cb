"""The policy: what each operation needs, in one table; without a row for each, the application does not start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from service.access.role import Right


class Needs(StrEnum):
    """What an operation needs that is no right."""

    NOTHING = "nothing"
    """Anybody may ask."""
    SOMEBODY = "somebody"
    """Whoever has a session or a key."""
    PERSON = "person"
    """Whoever has a session."""


class Of(StrEnum):
    """What an operation is about; outside the reach of whoever asks, there is no such thing (404)."""

    PLANT = "plant"
    """The plant, which is narrowed to their machines for them."""
    ALERT = "alert"
    """The alert whose number is in the path."""
    MUTE = "mute"
    """The mute whose number is in the path."""
    ORDER = "work order"
    """The work order whose number is in the path."""
    MODEL = "model"
    """The model in the path: its card names all machines of its class, so all of them have to be reached."""
    WHOLE = "whole plant"
    """Something that is of no single machine, such as a run of a job."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what is needed, and what it is about."""

    needs: Right | Needs
    of: Of = Of.PLANT


PUBLIC = Rule(Needs.NOTHING)
OWN = Rule(Needs.PERSON)

READ, READ_ALERT, READ_MUTE = Rule(Right.READ), Rule(Right.READ, Of.ALERT), Rule(Right.READ, Of.MUTE)
READ_WHOLE, RUN = Rule(Right.READ, Of.WHOLE), Rule(Right.RUN, Of.WHOLE)
ACT, ACT_ALERT, ACT_MUTE = Rule(Right.ACT), Rule(Right.ACT, Of.ALERT), Rule(Right.ACT, Of.MUTE)
READ_ORDER, ACT_ORDER, TELL_ORDER = Rule(Right.READ, Of.ORDER), Rule(Right.ACT, Of.ORDER), Rule(Right.TELL, Of.ORDER)
SEND, TELL = Rule(Right.SEND), Rule(Right.TELL)
READ_MODEL, JUDGE = Rule(Right.READ, Of.MODEL), Rule(Right.JUDGE, Of.MODEL)
MANAGE = Rule(Right.MANAGE, Of.WHOLE)

POLICY: Mapping[str, Rule] = {
    # The service itself
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /metrics": READ_WHOLE,
    "GET /watchz": READ_WHOLE,
    "GET /api/v1/openapi.json": PUBLIC,
    "HEAD /api/v1/openapi.json": PUBLIC,
    "GET /report.css": PUBLIC,
    # Programs
    "GET /api/v1/plant": READ,
    "GET /api/v1/machines": READ,
    "GET /api/v1/machines/{machine}": READ,
    "POST /api/v1/readings": SEND,
    "GET /api/v1/readings": READ,
    "POST /api/v1/events": TELL,
    "GET /api/v1/events": READ,
    "GET /api/v1/dead-letters": READ_WHOLE,
    "POST /api/v1/dead-letters": SEND,
    "POST /api/v1/dead-letters/replay": RUN,
    "GET /api/v1/dead-letters/{number}": READ_WHOLE,
    "DELETE /api/v1/dead-letters/{number}": RUN,
    "GET /api/v1/corrections": READ,
    "GET /api/v1/alerts": READ,
    "GET /api/v1/alerts/stream": READ_WHOLE,
    "GET /api/v1/alerts/health": READ_WHOLE,
    "POST /api/v1/alerts/route-test": READ_WHOLE,
    "GET /api/v1/alerts/{number}": READ_ALERT,
    "GET /api/v1/alerts/{number}/history": READ_ALERT,
    "GET /api/v1/alerts/{number}/why": READ_ALERT,
    # It names alerts of other machines, for which nobody was called about this one, and whom messages go to.
    "GET /api/v1/alerts/{number}/trace": READ_WHOLE,
    "POST /api/v1/alerts/{number}/assign": ACT_ALERT,
    "POST /api/v1/alerts/{number}/unassign": ACT_ALERT,
    "POST /api/v1/alerts/{number}/acknowledge": ACT_ALERT,
    "POST /api/v1/alerts/{number}/reset": ACT_ALERT,
    "POST /api/v1/alerts/{number}/shelve": ACT_ALERT,
    "POST /api/v1/alerts/{number}/unshelve": ACT_ALERT,
    "POST /api/v1/alerts/{number}/close": ACT_ALERT,
    "POST /api/v1/alerts/{number}/comment": ACT_ALERT,
    "GET /api/v1/mutes": READ,
    "GET /api/v1/mutes/{mute}": READ_MUTE,
    "POST /api/v1/out-of-service": ACT,
    "POST /api/v1/out-of-service/{mute}/end": ACT_MUTE,
    "GET /api/v1/digest": READ_WHOLE,
    "GET /api/v1/notices": READ_WHOLE,
    "GET /api/v1/notices/{number}": READ_WHOLE,
    "POST /api/v1/notices/replay": RUN,
    "GET /api/v1/targets": READ_WHOLE,
    "GET /api/v1/work-orders": READ,
    "GET /api/v1/work-orders/{number}": READ_ORDER,
    "POST /api/v1/work-orders/{number}/approve": ACT_ORDER,
    "POST /api/v1/work-orders/{number}/refuse": ACT_ORDER,
    "POST /api/v1/work-orders/{number}/status": TELL_ORDER,
    "GET /api/v1/losses": READ,
    "GET /api/v1/characteristics": READ,
    "GET /api/v1/characteristics/chart": READ,
    "GET /api/v1/levers": READ,
    "GET /api/v1/levers/{name}": READ,
    "GET /api/v1/models": READ,
    "GET /api/v1/models/{model}": READ_MODEL,
    "GET /api/v1/models/{model}/live": READ_MODEL,
    "GET /api/v1/models/{model}/versions/{version}": READ_MODEL,
    "POST /api/v1/models/{model}/promote": JUDGE,
    "POST /api/v1/models/{model}/rollback": JUDGE,
    "GET /api/v1/jobs": READ_WHOLE,
    "GET /api/v1/jobs/{job}/next": READ_WHOLE,
    "POST /api/v1/jobs/{job}/run": RUN,
    "POST /api/v1/jobs/{job}/plan": READ_WHOLE,
    "POST /api/v1/jobs/{job}/back-fill": RUN,
    "POST /api/v1/jobs/{job}/pause": RUN,
    "POST /api/v1/jobs/{job}/resume": RUN,
    "GET /api/v1/runs": READ_WHOLE,
    "GET /api/v1/runs/{number}": READ_WHOLE,
    "GET /api/v1/operational-alarms": READ_WHOLE,
    "GET /api/v1/audit": READ_WHOLE,
    "GET /api/v1/audit/head": READ_WHOLE,
    "GET /api/v1/me": Rule(Needs.SOMEBODY),
    "GET /api/v1/users": MANAGE,
    "POST /api/v1/users": MANAGE,
    "GET /api/v1/users/{user}": MANAGE,
    "PATCH /api/v1/users/{user}": MANAGE,
    "POST /api/v1/users/{user}/link": MANAGE,
    "GET /api/v1/keys": MANAGE,
    "POST /api/v1/keys": MANAGE,
    "POST /api/v1/keys/{key}/rotate": MANAGE,
    "DELETE /api/v1/keys/{key}": MANAGE,
    # Alertmanager's interface, for amtool and Prometheus
    "GET /api/v2/status": READ,
    "GET /api/v2/receivers": READ_WHOLE,
    "GET /api/v2/alerts": READ,
    "POST /api/v2/alerts": TELL,
    "GET /api/v2/alerts/groups": READ_WHOLE,
    "GET /api/v2/silences": READ,
    "POST /api/v2/silences": ACT,
    "GET /api/v2/silence/{silence}": READ,
    "DELETE /api/v2/silence/{silence}": ACT,
    # Pages
    "GET /": READ,
    "GET /live": READ,
    "GET /plant": READ,
    "GET /machines/{machine}": READ,
    "GET /alerts": READ,
    "GET /alerts/{number}": READ_ALERT,
    "POST /alerts/{number}/acknowledge": ACT_ALERT,
    "POST /alerts/{number}/close": ACT_ALERT,
    "POST /alerts/{number}/assign": ACT_ALERT,
    "POST /alerts/{number}/comment": ACT_ALERT,
    "POST /alerts/{number}/reset": ACT_ALERT,
    "POST /alerts/{number}/shelve": ACT_ALERT,
    "POST /alerts/{number}/unshelve": ACT_ALERT,
    "POST /alerts/{number}/out-of-service": ACT_ALERT,
    "POST /alerts/{number}/back-in-service": ACT_ALERT,
    "GET /losses": READ,
    "GET /characteristics": READ,
    "GET /characteristics/chart": READ,
    "GET /levers/{name}": READ,
    "GET /models": READ,
    "GET /models/{model}/versions/{version}": READ_MODEL,
    "GET /models/{model}/versions/{version}/report": READ_MODEL,
    "GET /jobs": READ_WHOLE,
    "GET /runs/{number}": READ_WHOLE,
    "POST /jobs/{job}/run": RUN,
    "GET /sign-in": PUBLIC,
    "POST /sign-in": PUBLIC,
    "GET /sign-in/oidc": PUBLIC,
    "GET /sign-in/oidc/back": PUBLIC,
    "GET /set-password": PUBLIC,
    "POST /set-password": PUBLIC,
    "POST /sign-out": OWN,
    "GET /account": OWN,
    "POST /account/password": OWN,
    "POST /account/second-factor": OWN,
    "POST /account/second-factor/off": OWN,
    "POST /account/sessions/end": OWN,
    "POST /account/keys": OWN,
    "POST /account/keys/{key}/revoke": OWN,
    "GET /users": MANAGE,
    "POST /users": MANAGE,
    "GET /users/{user}": MANAGE,
    "POST /users/{user}/access": MANAGE,
    "POST /users/{user}/enabled": MANAGE,
    "POST /users/{user}/link": MANAGE,
    "POST /users/{user}/sessions/end": MANAGE,
    "POST /keys": MANAGE,
    "POST /keys/{key}/rotate": MANAGE,
    "POST /keys/{key}/revoke": MANAGE,
}
"""By method and path, as the framework writes it without the kinds of its parameters."""


def unruled(operations: Iterable[str]) -> list[str]:
    """Return the operations that no row is about.

    Examples
    --------
    >>> unruled(["GET /healthz", "DELETE /everything"])
    ['DELETE /everything']
    """
    return sorted(set(operations) - set(POLICY))
