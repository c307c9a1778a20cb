"""One Andon over HTTP: a request and its answer, tried again only where that can change nothing twice."""

import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from ingest.errors import RemoteError, SettingError

BUSY = frozenset({408, 425, 429, 502, 503, 504})
"""Answers that say: not now."""
LONGEST_WAIT = 60.0
Query = Mapping[str, str | int | float | Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request brings.

    Attributes
    ----------
    key : names the body, so that it counts once however often it comes; empty where nothing makes it so
    """

    body: bytes
    media_type: str
    key: str = ""


class Connection:
    """Asks one Andon; connects anew for each request, so that it may be used from several threads.

    Parameters
    ----------
    address : ``http://host:port`` or ``https://…``, with a path where a proxy puts one before ours
    key : such as ``andon_…``; empty where nobody has to sign in
    ca_file : whom to trust; the system's authorities when left out
    seconds : that one answer may take
    tries : how often a request is sent at most
    sleep : waits for so many seconds

    Raises
    ------
    SettingError
        When the address or the key cannot be used.
    """

    def __init__(
        self,
        address: str,
        *,
        key: str = "",
        ca_file: Path | None = None,
        seconds: float = 30.0,
        tries: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address.rstrip("/")
        try:
            parts = urlsplit(self.address)
            usable = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.username
            self._port = parts.port
        except ValueError:
            usable = False
        if not usable:
            raise SettingError(f"{address!r} is no address of an Andon; write it like https://andon.example:8420")
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise SettingError("the key has characters that no key has; copy it again, it begins with 'andon_'")
        if tries < 1:
            raise SettingError(f"{tries} tries send nothing; write 1 or more")
        self._host, self._path = parts.hostname or "", parts.path
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._context = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
        self._seconds, self._tries, self._sleep = seconds, tries, sleep

    def get(self, path: str, query: Query | None = None) -> Any:
        """Return the document at a path; tried again while the server is busy or away."""
        kept = {name: value for name, value in (query or {}).items() if value is not None}
        return self._asked("GET", f"{path}?{urlencode(kept, doseq=True)}" if kept else path, None, again=True)

    def post(self, path: str, sent: Sent) -> Any:
        """Send a body and return the answer; tried again only if it has a key, and so counts once."""
        return self._asked("POST", path, sent, again=bool(sent.key))

    def _asked(self, method: str, path: str, sent: Sent | None, *, again: bool) -> Any:
        for left in reversed(range(self._tries if again else 1)):
            tried = self._tries - left
            try:
                status, headers, body = self._once(method, path, sent)
            except (OSError, HTTPException) as error:
                if not left:
                    said = str(error) or type(error).__name__
                    unsure = "" if again else "; whether it was carried out is not known, look before you send it again"
                    raise RemoteError(f"{self.address} does not answer {method} {path}: {said}{unsure}") from error
                self._sleep(min(LONGEST_WAIT, 0.25 * 2**tried))
                continue
            if status in BUSY and left:
                self._sleep(_wait(headers.get("retry-after", ""), tried))
                continue
            return self._document(method, path, status, headers, body)
        raise RemoteError(f"{self.address}: {method} {path} was not sent")

    def _once(self, method: str, path: str, sent: Sent | None) -> tuple[int, dict[str, str], bytes]:
        connection = (
            HTTPConnection(self._host, self._port, timeout=self._seconds)
            if self._context is None
            else HTTPSConnection(self._host, self._port, timeout=self._seconds, context=self._context)
        )
        headers = dict(self._headers)
        if sent is not None:
            headers |= {"Content-Type": sent.media_type} | ({"Idempotency-Key": sent.key} if sent.key else {})
        try:
            connection.request(method, self._path + path, None if sent is None else sent.body, headers)
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    def _document(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        kind = headers.get("content-type", "").partition(";")[0]
        found: Any = None
        with suppress(ValueError):
            found = json.loads(body) if body else None
        if 200 <= status < 300 and (kind == "application/json" or not body):
            return found
        asked = f"{self.address} answers {method} {path} with {status}"
        if kind == "application/problem+json" and isinstance(found, dict):
            raise _problem(asked, status, found)
        raise RemoteError(f"{asked} and no document of an Andon; is it the right address?", status=status)


def _problem(asked: str, status: int, found: Mapping[str, Any]) -> RemoteError:
    faults = tuple((str(each.get("where", "")), str(each.get("reason", ""))) for each in found.get("errors") or ())
    said = str(found.get("detail") or found.get("title") or "")
    shown = [f"  {where}: {reason}" for where, reason in faults[:10]]
    if len(faults) > len(shown):
        shown.append(f"  and {len(faults) - len(shown)} more, see 'faults'")
    return RemoteError(
        "\n".join([f"{asked}: {said}", *shown]), status=status, kind=str(found.get("type", "")), faults=faults
    )


def _wait(said: str, tried: int) -> float:
    """Return the seconds to wait: as long as the server says, longer each time where it says nothing.

    Examples
    --------
    >>> _wait("3", 1), _wait("86400", 1), _wait("", 2)
    (3.0, 60.0, 1.0)
    """
    try:
        return min(LONGEST_WAIT, max(0.0, float(said)))
    except ValueError:
        return min(LONGEST_WAIT, 0.25 * 2**tried)
