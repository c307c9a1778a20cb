"""The contract of channels: each brings messages to one target, in its own words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingest.plant import Plant
from service.alerts.alert import Alert
from service.delivery.allowed import Allowed
from service.delivery.notice import Notice
from service.delivery.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What channels know beside their target.

    Attributes
    ----------
    environment : holds the secrets
    allowed : where webhooks may go
    public_address : where people reach the dashboard, without a slash at the end; empty if nobody said
    live_alerts : returns the live alerts of a machine as they are now
    """

    plant: Plant
    environment: Mapping[str, str]
    allowed: Sequence[Allowed] = ()
    public_address: str = ""
    live_alerts: Callable[[str], Sequence[Alert]] = lambda _: ()

    def link(self, notice: Notice, alert: int | None = None) -> str:
        """Return the page of an alert, or of the one that a notice tells of; empty if nobody said where they are."""
        number = notice.alert if alert is None else alert
        page = "/" if number is None else f"/alerts/{number}"
        return f"{self.public_address}{page}" if self.public_address else ""


class Channel(Protocol):
    """Brings messages to one target; may be used by several threads at once, where ``places`` of it is above one.

    Raises
    ------
    DeliveryError
        From ``send`` and ``check``, when a secret is missing or the place is not allowed.
    """

    def send(self, notice: Notice, now: datetime) -> Outcome:
        """Try to bring a message to the target, within its ``timeout``; return when it has it, or why not."""

    def check(self) -> str:
        """Return why the target cannot be reached now; empty if it can. Nothing is sent."""

    def close(self) -> None:
        """Let go of connections."""
