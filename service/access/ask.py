"""Ask an issuer: JSON over https, within a time and a size, and nobody is followed elsewhere."""

import contextlib
import json
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR, socket
from threading import BoundedSemaphore, Timer
from typing import Any
from urllib.parse import urlencode, urlsplit

from ingest.errors import IssuerError

SECONDS = 10.0
"""For an answer once the line stands, however it comes; and for each step until it does."""

LARGEST = 1 << 20
AT_ONCE = 4
"""Who ask at a time: an issuer that hangs must not take the threads of everything else."""

_ASKING = BoundedSemaphore(AT_ONCE)


def ask(
    address: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, Any]]:
    """Return the status of an answer and the object in it, empty where there is none.

    Parameters
    ----------
    address : see ``is_safe``
    form : sent with POST; GET without

    Raises
    ------
    IssuerError
        When there is no answer in time, or too many wait for one already.
    """
    if not _ASKING.acquire(blocking=False):
        raise IssuerError(f"{urlsplit(address).hostname} is slow, and others wait for it; try again in a moment")
    try:
        return _asked(address, form, {"Accept": "application/json", **(headers or {})})
    except (OSError, HTTPException, ValueError) as error:
        raise IssuerError(f"{urlsplit(address).hostname} does not answer: {str(error) or 'it fell silent'}") from error
    finally:
        _ASKING.release()


def _asked(address: str, form: Mapping[str, str] | None, headers: dict[str, str]) -> tuple[int, Mapping[str, Any]]:
    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    with closing(kind(parts.hostname or "", parts.port, timeout=SECONDS)) as connection:
        connection.connect()
        # A timeout is of each read, and one who sends a byte now and then would never meet it.
        end = Timer(SECONDS, _hang_up, (connection.sock,))
        end.start()
        try:
            if form is None:
                connection.request("GET", path, headers=headers)
            else:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                connection.request("POST", path, urlencode(form).encode(), headers)
            answer = connection.getresponse()
            body = answer.read(LARGEST)
        finally:
            end.cancel()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    return answer.status, found if isinstance(found, dict) else {}


def _hang_up(line: socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(SHUT_RDWR)
