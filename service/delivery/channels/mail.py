"""E-mail by SMTP."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

from ingest.plant_target import MessageTarget
from service.delivery.channels.channel import Surroundings
from service.delivery.channels.trust import trust
from service.delivery.mail import mail_of
from service.delivery.notice import Notice
from service.delivery.outcome import Later, Never, Outcome, Sent
from service.delivery.secret import secret_of

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailChannel:
    """E-mail, as a ``Channel``; a connection for each message."""

    def __init__(self, target: MessageTarget, around: Surroundings) -> None:
        self._target, self._around = target, around
        parts = urlsplit(target.address)
        self._scheme, self._host = parts.scheme, parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._ca_file = around.plant.folder / target.ca_file if target.ca_file else None

    def send(self, notice: Notice, now: datetime) -> Outcome:
        """See ``Channel``; a server that refuses some of the receivers for good has still taken the message."""
        mail = mail_of(
            notice,
            sender=self._target.sender,
            to=self._target.to,
            zone=self._around.plant.zone,
            link=self._around.link(notice),
        )
        try:
            with self._connected() as server:
                refused = server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            return _refusal(error.recipients)
        except smtplib.SMTPAuthenticationError as error:
            # A person has to put this right; no message is lost meanwhile.
            return Later(f"does not let us in: {_said(error.smtp_code, error.smtp_error)}")
        except smtplib.SMTPResponseException as error:
            why = f"answers {_said(error.smtp_code, error.smtp_error)}"
            return Never(why) if error.smtp_code >= 500 else Later(why)
        except (OSError, smtplib.SMTPException) as error:
            return Later(f"{self._place} does not answer: {_why(error)}")
        if not refused:
            return Sent()
        kept = _refusal(refused)
        return Sent(f"some did not get it: {kept.why}") if isinstance(kept, Never) else kept

    def check(self) -> str:
        """See ``Channel``."""
        try:
            with self._connected() as server:
                server.noop()
        except (OSError, smtplib.SMTPException) as error:
            return f"{self._place} does not answer: {_why(error)}"
        return ""

    def close(self) -> None:
        """See ``Channel``."""

    @property
    def _place(self) -> str:
        return f"{self._host}:{self._port}"

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        password = secret_of(self._target, self._around.environment, self._around.plant.folder)
        seconds = self._target.timeout.total_seconds()
        context = trust(self._ca_file) if self._scheme != "smtp" else None
        server: smtplib.SMTP
        if self._scheme == "smtps":
            server = smtplib.SMTP_SSL(self._host, self._port, timeout=seconds, context=context)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=seconds)
        with server:
            if self._scheme == "smtp+starttls":
                server.starttls(context=context)
            if self._target.user:
                server.login(self._target.user, password)
            yield server


def _refusal(refused: dict[str, tuple[int, bytes]]) -> Later | Never:
    why = "; ".join(f"{name}: {_said(code, said)}" for name, (code, said) in refused.items())
    # Whoever got it already gets a copy with the same Message-ID; that is better than somebody who gets none.
    return Never(why) if all(code >= 500 for code, _ in refused.values()) else Later(why)


def _said(code: int, text: bytes | str) -> str:
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(plain.split())}"[:300]


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
