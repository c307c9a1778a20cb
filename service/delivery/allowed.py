"""Where webhooks may go: computers and networks that the installation names.

Networks of plants are private, so no address is refused for being private; only what is named is let through.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

_PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Place:
    """A computer by its name or address, and one port of it."""

    host: str
    port: int


Allowed = Place | IPv4Network | IPv6Network


def read_allowed(text: str) -> tuple[Allowed, ...]:
    """Read places and networks with commas between them; ``ValueError`` says what is neither.

    Examples
    --------
    >>> read_allowed("mes.plant:8080, 10.1.0.0/16")
    (Place(host='mes.plant', port=8080), IPv4Network('10.1.0.0/16'))
    """
    return tuple(_read(each.strip()) for each in text.split(",") if each.strip())


def is_allowed(allowed: Sequence[Allowed], host: str, port: int, address: str) -> bool:
    """Return whether a webhook may go to a place.

    Parameters
    ----------
    host : as the address of the target has it
    address : what it resolved to, and what will be connected to

    Examples
    --------
    >>> is_allowed(read_allowed("10.1.0.0/16"), "mes.plant", 80, "10.1.2.3")
    True
    >>> is_allowed(read_allowed("mes.plant:8080"), "mes.plant", 80, "10.1.2.3")
    False
    """
    # An IPv6 address may end with the name of a network card: fe80::1%eth0.
    number = ip_address(address.partition("%")[0])
    for each in allowed:
        if isinstance(each, Place):
            if each == Place(host.lower(), port):
                return True
        elif number.version == each.version and number in each:
            return True
    return False


def _read(text: str) -> Allowed:
    if "/" in text:
        try:
            return ip_network(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is no network ({error}); write one such as 10.1.0.0/16") from error
    found = _PLACE.fullmatch(text)
    if found is None or not 0 < int(found[2]) < 65536:
        raise ValueError(f"{text!r} is no place; write a computer with its port, mes.plant:8080, or a network")
    return Place(found[1].strip("[]").lower(), int(found[2]))
