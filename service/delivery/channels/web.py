"""One POST to a place that is allowed: resolved once, connected to what was checked, no redirects, one deadline."""

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Timer
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

from ingest.errors import DeliveryError
from service.delivery.allowed import Allowed, is_allowed
from service.delivery.channels.trust import trust
from service.delivery.outcome import Later, Never, Outcome, Sent

_AGAIN = (408, 425, 429)
_EXCERPT = 300
"""Bytes of a refusal that are kept for people."""


class WebAddress(NamedTuple):
    """Where a POST goes."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """Computer and port, for people."""
        return f"{self.host}:{self.port}"


def web_address(url: str) -> WebAddress:
    """Take an ``http`` or ``https`` URL apart."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    path = parts.path or "/"
    return WebAddress(
        secure,
        parts.hostname or "",
        parts.port or (443 if secure else 80),
        path + (f"?{parts.query}" * bool(parts.query)),
    )


class Web:
    """Posts to one address.

    Parameters
    ----------
    ca_file : whom to trust; the system's authorities when left out
    timeout : for everything from the name to the answer
    """

    def __init__(self, url: str, *, allowed: Sequence[Allowed], ca_file: Path | None, timeout: timedelta) -> None:
        self.address = web_address(url)
        self._allowed, self._ca_file, self._seconds = allowed, ca_file, timeout.total_seconds()

    def post(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Outcome:
        """Post a body and say what the answer means.

        Raises
        ------
        DeliveryError
            If nobody allowed webhooks to go there, or the authorities cannot be read.
        """
        until = monotonic() + self._seconds
        try:
            stream = self._connect(until)
        except OSError as error:
            return Later(f"{self.address.place} does not answer: {_said(error)}")
        with _deadline(stream, until) as cut:
            try:
                with self._encrypted(stream) as secured:
                    return self._ask(secured, body, headers, now)
            except (OSError, HTTPException) as error:
                why = f"no answer within {self._seconds:g} s" if cut.is_set() else _said(error)
                return Later(f"{self.address.place} does not answer: {why}")

    def check(self) -> str:
        """Connect and let go; return why that cannot be done, empty if it can."""
        try:
            self._encrypted(self._connect(monotonic() + self._seconds)).close()
        except OSError as error:
            return f"{self.address.place} does not answer: {_said(error)}"
        return ""

    def _connect(self, until: float) -> socket.socket:
        """Connect to an address that is allowed, whatever the name resolves to a moment later."""
        host, port = self.address.host, self.address.port
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        let_through = [each for each in found if is_allowed(self._allowed, host, port, str(each[4][0]))]
        if not let_through:
            raise DeliveryError(
                f"webhooks may not go to {self.address.place} ({found[0][4][0]}); if they may, add it to"
                f" ANDON_WEBHOOKS_TO: {self.address.place}"
            )
        failure: OSError = OSError("no address")
        for family, kind, protocol, _, where in let_through:
            stream = socket.socket(family, kind, protocol)
            try:
                stream.settimeout(max(0.001, until - monotonic()))
                stream.connect(where)
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                stream.close()
                failure = error
            else:
                return stream
        raise failure

    def _encrypted(self, stream: socket.socket) -> socket.socket:
        if not self.address.secure:
            return stream
        try:
            return trust(self._ca_file).wrap_socket(stream, server_hostname=self.address.host)
        except BaseException:
            stream.close()
            raise

    def _ask(self, stream: socket.socket, body: bytes, headers: Mapping[str, str], now: datetime) -> Outcome:
        # The name, not what it resolved to: servers tell sites apart by it.
        connection = HTTPConnection(self.address.host, None if self._usual_port else self.address.port)
        connection.sock = stream
        connection.request("POST", self.address.path, body, {**headers, "Connection": "close"})
        response = connection.getresponse()
        said = b"" if 200 <= response.status < 300 else response.read(_EXCERPT)
        return outcome_of(response.status, response.reason, dict(response.headers), said, now)

    @property
    def _usual_port(self) -> bool:
        return self.address.port == (443 if self.address.secure else 80)


@contextmanager
def _deadline(stream: socket.socket, until: float) -> Iterator[Event]:
    """Cut a connection off at a moment, and set the event when that was done.

    The time-out of a socket is for each read: without this, one byte now and then would hold us for ever.
    """
    cut, line = Event(), stream.dup()

    def cut_off() -> None:
        cut.set()
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    timer = Timer(max(0.0, until - monotonic()), cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()
        line.close()


def outcome_of(status: int, reason: str, headers: Mapping[str, str], said: bytes, now: datetime) -> Outcome:
    """Say what an answer means for a message.

    Examples
    --------
    >>> outcome_of(429, "Too Many Requests", {"Retry-After": "30"}, b"", datetime(2026, 1, 1))
    Later(why='answers 429 Too Many Requests', wait=datetime.timedelta(seconds=30))
    >>> outcome_of(404, "Not Found", {}, b"no such hook", datetime(2026, 1, 1))
    Never(why='answers 404 Not Found: no such hook')
    """
    named = {name.lower(): value for name, value in headers.items()}
    if 200 <= status < 300:
        return Sent()
    why = f"answers {status} {reason}".rstrip()
    if said := " ".join(said.decode("utf-8", "replace").split()).encode():
        why += f": {said.decode()}"
    if 300 <= status < 400:
        moved = f" to {named['location'][:200]}" if "location" in named else ""
        return Later(f"{why}; it points elsewhere{moved}, and redirects are not followed: write the right address")
    if 400 <= status < 500 and status not in _AGAIN:
        return Never(why)
    return Later(why, _wait(named.get("retry-after"), now))


def _wait(text: str | None, now: datetime) -> timedelta | None:
    """Read ``Retry-After``: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return timedelta(seconds=min(float(text), 1e9))
    with suppress(ValueError, TypeError):
        return max(timedelta(0), parsedate_to_datetime(text) - now)
    return None


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); name its authority in ca_file"
    if isinstance(error, socket.gaierror):
        return f"no computer of this name ({error.strerror})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
