"""The centre as an edge sees it: one connection, and what each answer means for what was sent."""

import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingest.errors import SettingError
from service.edge.load import Load

SECONDS_TO_ANSWER = 30.0
LARGEST_ANSWER = 1 << 20


class Outcome(Enum):
    """What an answer means for what was sent."""

    KEPT = "it is on disk at the centre"
    BUSY = "the centre cannot take it now; send it again soon"
    TOO_LARGE = "send it in smaller pieces"
    REFUSED = "the centre will never take this"
    ASTRAY = "what answers there is no centre that lets us in; a person has to look"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the centre said.

    Attributes
    ----------
    why : what is wrong, for a person; empty where it was kept
    accepted, rejected : readings, events or letters that are kept; rows and cells turned away
    faults : pairs of place and reason, for the first that were turned away
    wait : seconds to wait before the next try, where the centre says so
    """

    outcome: Outcome
    why: str = ""
    accepted: int = 0
    rejected: int = 0
    faults: tuple[tuple[str, str], ...] = ()
    wait: float | None = None


_BY_STATUS: Mapping[int, Outcome] = {
    408: Outcome.BUSY,
    413: Outcome.TOO_LARGE,
    425: Outcome.BUSY,
    429: Outcome.BUSY,
    **dict.fromkeys(range(500, 600), Outcome.BUSY),
    505: Outcome.ASTRAY,
    501: Outcome.ASTRAY,
}
_REFUSALS = (400, 409, 415, 422)
"""Of content, and only where an Andon says so: anything between us may say the same of something else."""


class Centre:
    """A central Andon over HTTP; connects when something is to be sent.

    Parameters
    ----------
    address : ``http://host:port`` or ``https://…``, with a path where a proxy puts one before ours
    ca_file : whom to trust; the system's authorities when left out
    token : sent as ``Authorization: Bearer``, for a proxy in between

    Raises
    ------
    SettingError
        When the address, the file or the token cannot be used.
    """

    def __init__(
        self, address: str, *, ca_file: Path | None = None, token: str = "", seconds: float = SECONDS_TO_ANSWER
    ) -> None:
        self.address = address.rstrip("/")
        try:
            parts = urlsplit(self.address)
            usable = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.username
            self._port = parts.port
            (parts.hostname or "").encode("idna")
        except ValueError:
            usable = False
        if not usable:
            raise SettingError(f"{address!r} is no address of a centre; write it like https://andon.example:8420")
        if not (token.isascii() and token.isprintable()):
            raise SettingError("the token for the centre has characters that no header may have")
        self._host, self._path = parts.hostname or "", parts.path
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._seconds = seconds
        self._context = _trust(ca_file) if parts.scheme == "https" else None
        self._connection: HTTPConnection | None = None

    def send(self, load: Load, now: datetime) -> Answer:
        """Send a load and return what became of it; an error of the network is an answer, too."""
        body = load.body()
        headers = {"Content-Type": load.media_type, "Idempotency-Key": load.key, **self._headers}
        reused = self._connection is not None
        try:
            try:
                response, text = self._ask(load.path, body, headers)
            except (ConnectionError, HTTPException):
                # The centre closes connections that were silent for a while; only a new one tells.
                self.close()
                if not reused:
                    raise
                response, text = self._ask(load.path, body, headers)
        except (OSError, HTTPException) as error:
            self.close()
            return Answer(Outcome.BUSY, f"{self.address} does not answer: {_said(error)}")
        if response.will_close or not response.isclosed():
            self.close()
        return self._understood(response, text, len(load), now)

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[HTTPResponse, bytes]:
        if self._connection is None:
            self._connection = (
                HTTPConnection(self._host, self._port, timeout=self._seconds)
                if self._context is None
                else HTTPSConnection(self._host, self._port, timeout=self._seconds, context=self._context)
            )
        self._connection.request("POST", self._path + path, body, dict(headers))
        response = self._connection.getresponse()
        return response, response.read(LARGEST_ANSWER)

    def _understood(self, response: HTTPResponse, text: bytes, rows: int, now: datetime) -> Answer:
        status = response.status
        found = _document(text)
        ours = response.headers.get_content_type() == "application/problem+json" and "status" in found
        faults = _faults(found)
        why = f"{self.address} answers {status} {response.reason}".rstrip()
        if detail := str(found.get("detail") or found.get("title") or "") if ours else "":
            why += f": {detail}"
        if status in (200, 201):
            accepted = found.get("accepted", found.get("added"))
            if not isinstance(accepted, int):
                return Answer(Outcome.ASTRAY, f"{why}, but not as an Andon does; is this the right address?")
            return Answer(Outcome.KEPT, "", accepted, _count(found.get("rejected")), faults)
        if ours and found.get("type") == "urn:andon:other-content":
            # The key is ours alone: another release of us packed the same rows in other bytes.
            return Answer(Outcome.KEPT, "")
        if status == 422 and ours and faults and found.get("type") == "about:blank":
            # Each row was turned away for itself, and is told of or kept there as it is beside good rows.
            return Answer(Outcome.KEPT, "", 0, rows, faults)
        if status in _REFUSALS:
            outcome = Outcome.REFUSED if ours else Outcome.ASTRAY
            return Answer(outcome, why, 0, rows, faults)
        return Answer(_BY_STATUS.get(status, Outcome.ASTRAY), why, wait=_wait(response.headers.get("Retry-After"), now))


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(f"{ca_file}: cannot be used as a file of authorities ({error})") from error


def _document(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _faults(found: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    errors = found.get("errors")
    given = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    return tuple((str(each.get("where", "")), str(each.get("reason", ""))) for each in given)


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0


def _wait(text: str | None, now: datetime) -> float | None:
    """Read ``Retry-After``: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    with suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    return None


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); name its authority with --ca-file"
    if isinstance(error, socket.gaierror):
        return f"no computer of this name ({error.strerror})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
