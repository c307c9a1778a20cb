"""CSRF tokens: each form of a session holds one, which only pages of that session know."""

import hmac

FIELD = "csrf"
HEADER = "x-csrf-token"


def csrf_token(session: str) -> str:
    """Return the token of a session, from what its cookie holds; it needs to be kept nowhere.

    Examples
    --------
    >>> csrf_token("a") == csrf_token("a"), csrf_token("a") == csrf_token("b")
    (True, False)
    """
    return hmac.digest(session.encode("utf-8", "surrogatepass"), b"andon form", "sha256").hex()


def is_token(expected: str, given: str) -> bool:
    """Say whether a form brought the token, in a time that tells nothing of it."""
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))
