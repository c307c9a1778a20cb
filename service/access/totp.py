"""Codes of a second factor: time-based one-time passwords after RFC 6238."""

import base64
import hmac
import re
import secrets
import struct
from datetime import datetime
from urllib.parse import quote

DIGITS = 6
STEP = 30
"""Seconds."""
_SECRET_BYTES = 20


def new_secret() -> str:
    """Return a secret of 160 random bits, in base 32 as authenticator apps take it."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Say whether a text is a secret as ``new_secret`` makes them."""
    return re.fullmatch(r"[A-Z2-7]{32}", text) is not None


def code_at(secret: str, step: int, digits: int = DIGITS) -> str:
    """Return the code of one step of 30 seconds since 1970.

    Examples
    --------
    >>> code_at(base64.b32encode(b"12345678901234567890").decode(), 1, digits=8)
    '94287082'
    """
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def step_of(secret: str, code: str, at: datetime) -> int | None:
    """Return the step that a code is of: this one, or the one before or after; ``None`` for a wrong code.

    The caller has to see to it that no step is used twice.
    """
    given = re.sub(r"\s", "", code)
    now = int(at.timestamp()) // STEP
    found = None
    # All are compared, whichever it is.
    for step in (now - 1, now, now + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), given.encode("utf-8", "surrogatepass")):
            found = step
    return found


def address_of(secret: str, name: str, plant: str) -> str:
    """Return the ``otpauth`` address that authenticator apps take.

    Examples
    --------
    >>> address_of("ABC", "Ines", "Works")
    'otpauth://totp/Works:Ines?secret=ABC&issuer=Works'
    """
    return (
        f"otpauth://totp/{quote(plant, safe='')}:{quote(name, safe='')}?secret={secret}&issuer={quote(plant, safe='')}"
    )
