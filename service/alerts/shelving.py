"""Shelving: what leads from which way of it to which, after OPC UA Part 9."""

from enum import StrEnum

from ingest.errors import IllegalTransitionError
from service.alerts.alert import Alert, Happening
from service.alerts.mute import MuteKind


class Shelving(StrEnum):
    """Whether and how an alert is shelved."""

    UNSHELVED = "unshelved"
    TIMED = "shelved"
    ONE_SHOT = "shelved once"


SHELVINGS: dict[tuple[Shelving, Happening], Shelving] = {
    (Shelving.UNSHELVED, Happening.SHELVED): Shelving.TIMED,
    (Shelving.UNSHELVED, Happening.SHELVED_ONCE): Shelving.ONE_SHOT,
    (Shelving.TIMED, Happening.SHELVED_ONCE): Shelving.ONE_SHOT,
    (Shelving.ONE_SHOT, Happening.SHELVED): Shelving.TIMED,
    (Shelving.TIMED, Happening.UNSHELVED): Shelving.UNSHELVED,
    (Shelving.ONE_SHOT, Happening.UNSHELVED): Shelving.UNSHELVED,
    (Shelving.TIMED, Happening.SHELVING_OVER): Shelving.UNSHELVED,
    (Shelving.ONE_SHOT, Happening.SHELVING_OVER): Shelving.UNSHELVED,
}

ENDS_ONE_SHOT = (Happening.CONDITION_OVER, Happening.CLOSED)
"""What ends the time that a condition holds, and with it a one-shot shelving."""

OF_LIVE_ALERTS = (Happening.SHELVED, Happening.SHELVED_ONCE)
"""What cannot be done to an alert that is normal: there is nothing to be told of."""


def shelving_of(alert: Alert) -> Shelving:
    """Return how an alert is shelved, by its mutes."""
    shelved = [each for each in alert.mutes if each.kind is MuteKind.SHELVED]
    return (Shelving.ONE_SHOT if shelved[0].once else Shelving.TIMED) if shelved else Shelving.UNSHELVED


def shelving_after(alert: Alert, happening: Happening) -> Shelving:
    """Return how an alert is shelved after a happening.

    Raises
    ------
    IllegalTransitionError
        If it cannot happen to an alert that is shelved so, or to one that is normal.
    """
    now = shelving_of(alert)
    possible = [h for s, h in SHELVINGS if s is now and h is not Happening.SHELVING_OVER]
    if not alert.live:
        possible = [each for each in possible if each not in OF_LIVE_ALERTS]
    if happening not in possible:
        words = ", ".join(repr(each.value) for each in possible) or "nothing of the kind"
        raise IllegalTransitionError(
            f"alert {alert.number} is {alert.state.value} and {now.value}; {happening.value!r} is not possible, "
            f"only {words}",
            [each.value for each in possible],
        )
    return SHELVINGS[now, happening]
