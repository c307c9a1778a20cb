"""Signatures of webhooks after Standard Webhooks 1.0 (symmetric, ``v1``).

A receiver takes ``id.timestamp.body``, computes its HMAC-SHA256 with the secret, and compares it with each
signature that came. Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from ingest.errors import DeliveryError

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a secret, as the specification has them."""


def keys_of(secret: str, target: str) -> list[bytes]:
    """Return the keys of a secret: one, or several with blanks between them while a new one takes over.

    Raises
    ------
    DeliveryError
        If one of them is no secret of a webhook.
    """
    keys = []
    for each in secret.split():
        try:
            key = b64decode(each.removeprefix(PREFIX), validate=True)
        except ValueError:
            key = b""
        if not each.startswith(PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
            raise DeliveryError(
                f"target {target!r}: its secret is no secret of a webhook; write {PREFIX} and {_SHORTEST} to {_LONGEST}"
                ' random bytes as base64, such as from: echo "whsec_$(openssl rand -base64 32)"'
            )
        keys.append(key)
    return keys


def signed_headers(message: str, body: bytes, keys: Sequence[bytes], at: datetime) -> dict[str, str]:
    """Return the headers that say which message this is, when it was sent, and that it comes from us.

    Parameters
    ----------
    message : its id, the same for each try
    keys : each signs it; without one it is not signed
    at : when it is sent; a receiver turns away what is minutes old, so each try says its own time

    Examples
    --------
    >>> from datetime import UTC
    >>> key = keys_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "mes")
    >>> at = datetime.fromtimestamp(1614265330, UTC)
    >>> signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', key, at)["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    seconds = str(int(at.timestamp()))
    content = b".".join((message.encode(), seconds.encode(), body))
    signatures = [b64encode(hmac.digest(key, content, sha256)).decode() for key in keys]
    headers = {"webhook-id": message, "webhook-timestamp": seconds}
    if signatures:
        headers["webhook-signature"] = " ".join(f"v1,{each}" for each in signatures)
    return headers
