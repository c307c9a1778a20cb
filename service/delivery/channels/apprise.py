"""Slack, Teams, Telegram and a hundred others, through Apprise."""

from datetime import datetime
from typing import Any

from ingest.errors import DeliveryError
from ingest.plant_target import MessageTarget
from service.delivery.body import headline
from service.delivery.channels.channel import Surroundings
from service.delivery.mail import mail_text
from service.delivery.notice import Notice
from service.delivery.outcome import Later, Outcome, Sent
from service.delivery.secret import secret_of


class AppriseChannel:
    """A service that Apprise knows, as a ``Channel``; Apprise says only whether it worked, not whether it ever will."""

    def __init__(self, target: MessageTarget, around: Surroundings) -> None:
        self._target, self._around = target, around

    def send(self, notice: Notice, now: datetime) -> Outcome:
        """See ``Channel``."""
        del now
        apprise, service = self._service()
        title, *lines = mail_text(notice, self._around.plant.zone, self._around.link(notice))
        kind = "success" if notice.body.get("status") == "resolved" else "warning"
        with apprise.LogCapture(level=apprise.logging.WARNING) as said:
            if service.notify(title=title, body="\n".join(lines).strip() or headline(notice.body), notify_type=kind):
                return Sent()
            return Later(_last_line(said.getvalue()) or "Apprise says that it was not taken")

    def check(self) -> str:
        """See ``Channel``; Apprise cannot ask without sending, so only the address is read."""
        self._service()
        return ""

    def close(self) -> None:
        """See ``Channel``."""

    def _service(self) -> tuple[Any, Any]:
        try:
            import apprise
        except ImportError as error:
            raise DeliveryError(
                f"target {self._target.name!r}: Apprise is not installed; run: pip install 'andon[apprise]'"
            ) from error
        service = apprise.Apprise()
        if not service.add(secret_of(self._target, self._around.environment, self._around.plant.folder)):
            raise DeliveryError(
                f"target {self._target.name!r}: its secret is no address that Apprise knows; write one such as slack://…"
            )
        return apprise, service


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
