"""Whether the ``[[opcua]]`` tables of a plant file fit together, and fit the rest of it."""

import re
from base64 import b64decode
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit
from uuid import UUID

from ingest import plant_stream_check
from ingest.decode.topic import words_in
from ingest.plant_draft import Draft
from ingest.plant_opcua import WORDS, Opcua, OpcuaNodes, node_ids
from ingest.plant_problem import Problem
from ingest.plant_words import Location, nearest

_NODE_ID = re.compile(r"(?:ns=\d{1,5};|nsu=[^;]+;)?([isgb])=(.+)", re.DOTALL)
_SHOWN = 80


def check_opcua(draft: Draft) -> Iterator[Problem]:
    """Give what does not fit together, stream by stream."""
    for index, stream in draft.opcua.items():
        at: Location = ("opcua", index)
        yield from plant_stream_check.name(draft, at, stream.name)
        yield from _connection(at, stream)
        if not stream.nodes:
            yield Problem((*at, "nodes"), "is missing; add a [[opcua.nodes]] table")
        yield from _nodes(draft, at, stream)


def _connection(at: Location, stream: Opcua) -> Iterator[Problem]:
    if not is_url(stream.url):
        yield Problem((*at, "url"), f"{stream.url!r} is no address; write one such as 'opc.tcp://plc.example:4840'")
    if stream.security == "none":
        for key in ("certificate_file", "key_file", "server_certificate_file"):
            if getattr(stream, key):
                what = "has no meaning without security; add security = 'sign_and_encrypt', or leave it out"
                yield Problem((*at, key), what)
    else:
        for key in ("certificate_file", "key_file"):
            if not getattr(stream, key):
                yield Problem((*at, key), f"is missing; security = {stream.security!r} needs a certificate and its key")
    yield from plant_stream_check.user(at, stream)
    for key in ("publishing_interval", "sampling_interval"):
        span = getattr(stream, key)
        if span is not None and span.total_seconds() < 0.001:
            yield Problem((*at, key), "is not above zero; write a duration such as '1 s'")


def is_url(url: str) -> bool:
    """Say whether this may be the address of a server."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "opc.tcp" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False


def _nodes(draft: Draft, at: Location, stream: Opcua) -> Iterator[Problem]:
    first: dict[tuple[str, str], int] = {}
    for place, nodes in enumerate(stream.nodes):
        here = (*at, "nodes", place)
        wrong = list(_names(draft, here, nodes))
        yield from wrong
        if wrong:
            continue
        found = list(node_ids(nodes, draft.machines.values(), draft.signals))
        if not found:
            yield Problem(here, "names no node: no machine that is meant has a signal that is meant")
        yield from _ids(here, found)
        for _, machine, signal in found:
            if first.setdefault((machine, signal), place) != place:
                what = f"{machine}/{signal} has a node in nodes[{first[machine, signal] + 1}] already; keep one of them"
                yield Problem((*here, "node"), what)
                break


def _names(draft: Draft, at: Location, nodes: OpcuaNodes) -> Iterator[Problem]:
    for word in words_in(nodes.node):
        if word not in WORDS:
            yield Problem((*at, "node"), f"there is no word {{{word}}}; {nearest(word, WORDS)}")
    machines, declared = sorted(draft.machine_names), {name for each in draft.signals.values() for name in each}
    if nodes.machine:
        yield from _known((*at, "machine"), "machine", nodes.machine, machines)
    if nodes.machine and nodes.machine_class:
        yield Problem((*at, "class"), "stands beside 'machine', which is one machine already; keep one of the two")
    if nodes.machine_class:
        yield from _known((*at, "class"), "class", nodes.machine_class, sorted(draft.signals))
    for machine in nodes.machines or {}:
        yield from _known((*at, "machines", machine), "machine", machine, machines)
    for signal in nodes.signals or {}:
        yield from _known((*at, "signals", signal), "signal", signal, sorted(declared))


def _known(at: Location, noun: str, name: str, known: Collection[str]) -> Iterator[Problem]:
    if name not in known:
        yield Problem(at, f"no {noun} {name!r}; {nearest(name, list(known))}")


def _ids(at: Location, found: list[tuple[str, str, str]]) -> Iterator[Problem]:
    """Give the first node id that cannot be one, and the first that stands for two signals."""
    owners: dict[str, str] = {}
    for node, machine, signal in found:
        owner = f"{machine}/{signal}"
        if not is_node_id(node):
            what = f"{node[:_SHOWN]!r} of {owner} is no node id; write one such as 'ns=2;s=Press7.Temperature'"
            yield Problem((*at, "node"), what)
            return
        if owners.setdefault(node, owner) != owner:
            both = f"{owners[node]} and {owner}"
            what = f"{node[:_SHOWN]!r} stands for {both}; put {{machine}} and {{signal}} into it, or name one"
            yield Problem((*at, "node"), what)
            return


def is_node_id(text: str) -> bool:
    """Say whether this is a node id as OPC UA writes it.

    Examples
    --------
    >>> is_node_id("ns=2;s=Line1/Press7"), is_node_id("i=85"), is_node_id("Press7")
    (True, True, False)
    """
    found = _NODE_ID.fullmatch(text)
    if found is None:
        return False
    kind, rest = found.groups()
    try:
        if kind == "i":
            return rest.isdecimal() and int(rest) < 2**32
        if kind == "g":
            UUID(rest)
        elif kind == "b":
            b64decode(rest, validate=True)
    except ValueError:
        return False
    return True
