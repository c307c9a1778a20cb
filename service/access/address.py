"""Addresses: which of them nobody on the way to can read or change."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Say whether an address, or the name ``localhost``, is of this computer alone.

    Examples
    --------
    >>> [is_loopback(each) for each in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "192.0.2.1", "andon.example")]
    [True, True, True, False, False, False]
    """
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe(address: str) -> bool:
    """Say whether nobody on the way to a web address can read or change what is said.

    Examples
    --------
    >>> [is_safe(each) for each in ("https://id.example/realm", "http://127.0.0.1:8080", "http://id.example", "id")]
    [True, True, False, False]
    >>> [is_safe(each) for each in ("https://id.example:99999", "https://[::1", "https://a@id.example", "https://ä#b")]
    [False, False, False, False]
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not (address.isascii() and address.isprintable()):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
