"""Webhooks: a signed POST, with our own body or that of Alertmanager."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ingest.plant_target import MessageTarget
from service.delivery.alertmanager import alertmanager_body
from service.delivery.channels.channel import Surroundings
from service.delivery.channels.web import Web
from service.delivery.notice import Notice
from service.delivery.outcome import Outcome
from service.delivery.secret import secret_of
from service.delivery.signature import keys_of, signed_headers

MakeBody = Callable[[Notice, Surroundings], dict[str, Any]]


def event_body(notice: Notice, around: Surroundings) -> dict[str, Any]:
    """Return a message as an event of Standard Webhooks: type, time and data."""
    kind = f"alert.{notice.kind.value}" if notice.alert is not None else notice.kind.value
    link = around.link(notice)
    data = {**notice.body, **({"link": link} if link else {})}
    return {"type": kind, "timestamp": notice.at.isoformat(), "data": data}


class WebhookChannel:
    """A webhook, as a ``Channel``.

    Parameters
    ----------
    make_body : builds what is posted; the same notice always gives the same
    """

    def __init__(self, target: MessageTarget, around: Surroundings, make_body: MakeBody = event_body) -> None:
        self._target, self._around, self._make_body = target, around, make_body
        ca_file = around.plant.folder / target.ca_file if target.ca_file else None
        self._web = Web(target.address, allowed=around.allowed, ca_file=ca_file, timeout=target.timeout)

    @classmethod
    def of_alertmanager(cls, target: MessageTarget, around: Surroundings) -> "WebhookChannel":
        """Make one that posts what Alertmanager would."""
        return cls(target, around, alertmanager_body)

    def send(self, notice: Notice, now: datetime) -> Outcome:
        """See ``Channel``."""
        keys = self._keys()
        body = json.dumps(self._make_body(notice, self._around), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "andon"}
        return self._web.post(body, headers | signed_headers(notice.message, body, keys, now), now)

    def check(self) -> str:
        """See ``Channel``."""
        self._keys()
        return self._web.check()

    def close(self) -> None:
        """See ``Channel``."""

    def _keys(self) -> list[bytes]:
        secret = secret_of(self._target, self._around.environment, self._around.plant.folder)
        return keys_of(secret, self._target.name)
