"""What people can do with an alert as it stands: the rows of the tables that a person may choose."""

from service.alerts.alert import TRANSITIONS, Alert, Happening
from service.alerts.mute import MuteKind
from service.alerts.shelving import OF_LIVE_ALERTS, SHELVINGS, shelving_of

_BY_PEOPLE = (Happening.ACKNOWLEDGED, Happening.RESET, Happening.CLOSED, Happening.COMMENT)


def offers(alert: Alert) -> tuple[Happening, ...]:
    """Return what a person can do; whatever is not in it is answered with 409.

    A machine may be taken out of service, whole or by its cause, where neither is so yet.
    """
    open_to = [each for each in _BY_PEOPLE if (alert.state, each) in TRANSITIONS]
    if alert.verdict is not None:
        open_to = [Happening.COMMENT]
    now = shelving_of(alert)
    shelving = [h for s, h in SHELVINGS if s is now and h is not Happening.SHELVING_OVER]
    open_to += [each for each in shelving if alert.live or each not in OF_LIVE_ALERTS]
    out = any(each.kind is MuteKind.OUT_OF_SERVICE for each in alert.mutes)
    return (*open_to, Happening.BACK_IN_SERVICE if out else Happening.OUT_OF_SERVICE)
