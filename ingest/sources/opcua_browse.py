"""What an OPC UA server has: its numeric variables with their units, found by browsing and reading only.

A server may be huge, slow, or a loop: nodes, depth and time are bounded, and no node is looked at twice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from ingest.errors import SourceError
from ingest.sources.opcua_connection import ANSWER_SECONDS, quiet_client, why_not

MOST_NODES = 50_000
DEEPEST = 16
LONGEST_SECONDS = 60.0
_AT_ONCE = 100
_REFERENCES = 1_000
_MOST_TEXT = 200
_UNITS = "EngineeringUnits"
_OBJECTS, _SERVER, _BELOW, _HAS_PROPERTY = "i=85", "i=2253", "i=33", "i=46"
"""The folder Objects, the object Server, HierarchicalReferences, HasProperty."""
_NUMBERS = (*range(1, 12), 26, 27, 28, 290)
"""Data types of numbers: Boolean to Double, Number, Integer, UInteger, Duration."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A numeric variable.

    Attributes
    ----------
    node : its id, with the name of its namespace
    path : names of the objects that lead to it from the folder Objects, and its own
    unit : as the server writes it; empty if it says none
    """

    node: str
    path: tuple[str, ...]
    unit: str = ""


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes
    ----------
    variables : in the order of the server
    seen : how many nodes were looked at
    others : how many variables are no numbers
    cut : why not all was looked at; empty if it was
    """

    variables: list[Variable] = field(default_factory=list)
    seen: int = 0
    others: int = 0
    cut: str = ""


def browse(
    url: str, *, most_nodes: int = MOST_NODES, deepest: int = DEEPEST, longest_seconds: float = LONGEST_SECONDS
) -> Found:
    """Look through a server, without a user and without encryption.

    Raises
    ------
    SourceError
        When there is no server, or it refuses.
    """
    return asyncio.run(_browse(url, most_nodes, deepest, longest_seconds))


async def _browse(url: str, most_nodes: int, deepest: int, longest_seconds: float) -> Found:
    client = quiet_client(url)
    try:
        await client.connect()
        try:
            search = _Search(client, most_nodes, deepest, monotonic() + longest_seconds)
            return await search.run()
        finally:
            await asyncio.wait_for(client.disconnect(), 2 * ANSWER_SECONDS)
    except Exception as error:
        raise SourceError(f"{url}: {why_not(error)}") from error


@dataclass(frozen=True, slots=True)
class _Place:
    """A node that waits to be looked into."""

    node: Any
    path: tuple[str, ...]


class _Search:
    """Looks through a server level by level."""

    def __init__(self, client: Any, most_nodes: int, deepest: int, until: float) -> None:
        self._client, self._most, self._deepest, self._until = client, most_nodes, deepest, until
        self._found = Found()
        self._variables: dict[Any, tuple[str, ...]] = {}
        self._units: dict[Any, Any] = {}
        """Node of its unit, by the node of a variable."""

    async def run(self) -> Found:
        from asyncua import ua

        level = [_Place(ua.NodeId.from_string(_OBJECTS), ())]
        seen = {level[0].node, ua.NodeId.from_string(_SERVER)}
        depth = 0
        while level and not self._found.cut:
            if depth == self._deepest:
                self._found.cut = f"what lies deeper than {self._deepest} levels was not looked at"
                break
            below: list[_Place] = []
            for at in range(0, len(level), _AT_ONCE):
                for place, reference in await self._references(level[at : at + _AT_ONCE]):
                    self._note(place, reference, seen, below)
                if self._is_over(len(seen)):
                    break
            level, depth = below, depth + 1
        self._found.seen = len(seen) - 2
        await self._read()
        return self._found

    def _is_over(self, seen: int) -> bool:
        if seen >= self._most:
            self._found.cut = f"only the first {self._most:,} nodes were looked at"
        elif monotonic() > self._until:
            self._found.cut = "the server is too slow to look at all of it"
        return bool(self._found.cut)

    def _note(self, place: _Place, reference: Any, seen: set[Any], below: list[_Place]) -> None:
        from asyncua import ua

        node = reference.NodeId
        if getattr(node, "ServerIndex", 0) or getattr(node, "NamespaceUri", None) or len(seen) >= self._most:
            return  # of another server
        node = ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)
        name = (reference.DisplayName.Text or reference.BrowseName.Name or "")[:_MOST_TEXT]
        if reference.ReferenceTypeId == ua.NodeId.from_string(_HAS_PROPERTY):
            if reference.BrowseName.Name == _UNITS and place.node in self._variables:
                self._units[place.node] = node
            return
        if node in seen:
            return
        seen.add(node)
        path = (*place.path, name)
        if reference.NodeClass == ua.NodeClass.Variable:
            self._variables[node] = path
        below.append(_Place(node, path))

    async def _references(self, places: Sequence[_Place]) -> list[tuple[_Place, Any]]:
        from asyncua import ua

        wanted = [
            ua.BrowseDescription(
                NodeId=each.node,
                BrowseDirection=ua.BrowseDirection.Forward,
                ReferenceTypeId=ua.NodeId.from_string(_BELOW),
                IncludeSubtypes=True,
                NodeClassMask=ua.NodeClass.Object | ua.NodeClass.Variable,
                ResultMask=ua.BrowseResultMask.All,
            )
            for each in places
        ]
        asked = ua.BrowseParameters(RequestedMaxReferencesPerNode=_REFERENCES, NodesToBrowse=wanted)
        results = list(zip(places, await self._client.uaclient.browse(asked), strict=True))
        found: list[tuple[_Place, Any]] = []
        while results:
            found += [(place, each) for place, result in results for each in result.References or []]
            more = [(place, result.ContinuationPoint) for place, result in results if result.ContinuationPoint]
            if not more or len(found) >= self._most or monotonic() > self._until:
                break
            on = ua.BrowseNextParameters(ContinuationPoints=[point for _, point in more])
            results = list(zip([each for each, _ in more], await self._client.uaclient.browse_next(on), strict=True))
        return found

    async def _read(self) -> None:
        """Read type and value of all variables, and keep the numbers."""
        spaces = await self._client.get_namespace_array()
        variables = list(self._variables)
        for at in range(0, len(variables), _AT_ONCE):
            if monotonic() > self._until + ANSWER_SECONDS:
                self._found.cut = "the server is too slow to look at all of it"
                break
            some = variables[at : at + _AT_ONCE]
            kinds, ranks = await self._attribute(some, "DataType"), await self._attribute(some, "ValueRank")
            units = await self._read_units([self._units.get(each) for each in some])
            for node, kind, rank, unit in zip(some, kinds, ranks, units, strict=True):
                numeric = kind is not None and kind.NamespaceIndex == 0 and kind.Identifier in _NUMBERS
                if numeric and (rank is None or rank < 0):
                    self._found.variables.append(Variable(_written(node, spaces), self._variables[node], unit))
                else:
                    self._found.others += 1

    async def _read_units(self, nodes: Sequence[Any]) -> list[str]:
        there = [each for each in nodes if each is not None]
        units = dict(zip(there, await self._attribute(there, "Value"), strict=True)) if there else {}
        texts = [getattr(getattr(units.get(each), "DisplayName", None), "Text", None) or "" for each in nodes]
        return [each[:_MOST_TEXT] for each in texts]

    async def _attribute(self, nodes: Sequence[Any], name: str) -> list[Any]:
        from asyncua.ua.attribute_ids import AttributeIds

        values = await self._client.uaclient.read_attributes(list(nodes), AttributeIds[name])
        return [each.Value.Value if each.Value is not None else None for each in values]


def _written(node: Any, spaces: Sequence[str]) -> str:
    """Write a node id with the name of its namespace, whose number may be another one after a restart."""
    text = str(node.to_string())
    uri = spaces[node.NamespaceIndex] if 0 < node.NamespaceIndex < len(spaces) else ""
    if not uri or set(uri) & set(";{}"):
        return text
    return f"nsu={uri};{text.partition(';')[2]}"
