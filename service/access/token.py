"""Tokens: 256 random bits that open something, and the digest that is kept in their place."""

import secrets
from hashlib import sha256

TOKEN_BYTES = 32


def new_token() -> str:
    """Return 256 bits of the system's randomness as 43 letters that fit into addresses and headers.

    Examples
    --------
    >>> len(new_token()), new_token() == new_token()
    (43, False)
    """
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest_of(token: str) -> str:
    """Return what is kept of a token: nobody can turn it back, or find the token by trying.

    A slow hash is for what people choose. To look the digest up in an index tells by its time nothing that
    helps to guess the token, since nobody can choose a digest.

    Examples
    --------
    >>> digest_of("a")[:8]
    'ca978112'
    """
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
