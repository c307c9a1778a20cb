"""Reach: the part of the plant that somebody sees; to them there is nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.errors import AccessError, UnknownNameError
from ingest.plant import Machine, Plant
from ingest.plant_words import nearest

KINDS = ("site", "area", "line", "machine")
"""What a part of the plant can be, from large to small."""

WHOLE = "whole plant"


@dataclass(frozen=True, slots=True)
class Reach:
    """The whole plant, or some of its parts together.

    Attributes
    ----------
    parts : such as ``line:Line 2`` or ``machine:press-7``; ``None`` for the whole plant, and nothing when empty

    Examples
    --------
    >>> Reach.read(["line:Line 2", "machine:press-7"]).words()
    'line Line 2, machine press-7'
    >>> Reach.read(["whole plant"]).whole
    True
    """

    parts: tuple[str, ...] | None = None

    @property
    def whole(self) -> bool:
        """Whether it is the whole plant."""
        return self.parts is None

    @classmethod
    def read(cls, parts: Sequence[str]) -> "Reach":
        """Read what a person wrote.

        Raises
        ------
        AccessError
            If a part is neither ``whole plant`` nor a kind and a name.
        """
        if list(parts) == [WHOLE]:
            return cls()
        for part in parts:
            kind, colon, name = part.partition(":")
            if kind not in KINDS or not colon or not name:
                kinds = ", ".join(f"{each}:NAME" for each in KINDS)
                raise AccessError(f"{part[:200]!r} is no part of a plant; write '{WHOLE}' alone, or any of {kinds}")
        if not parts:
            raise AccessError(f"a reach of nothing; write '{WHOLE}', or name parts such as 'line:Line 2'")
        return cls(tuple(dict.fromkeys(parts)))

    @classmethod
    def kept(cls, parts: Sequence[str] | None) -> "Reach":
        """Return a reach as it lies in the database."""
        return cls(None if parts is None else tuple(parts))

    def checked(self, plant: Plant) -> "Reach":
        """Return itself, if each part names one place of this plant.

        Raises
        ------
        UnknownNameError
            With the nearest name, if there is nothing of a name.
        AccessError
            If a line or an area of one name is at several places.
        """
        for kind, name in self._split():
            known = list(dict.fromkeys(place for each in plant.machines if (place := _place(each, kind))))
            if name not in known:
                raise UnknownNameError(f"no {kind} {name[:200]!r}; {nearest(name[:200], known)}")
            above = KINDS[: KINDS.index(kind)]
            places = {tuple(_place(each, up) for up in above) for each in plant.machines if _place(each, kind) == name}
            if kind != "machine" and len(places) > 1:
                raise AccessError(f"there are {len(places)} places called {kind} {name!r}; name their machines instead")
        return self

    def machines(self, plant: Plant) -> frozenset[str]:
        """Return the names of its machines in this plant."""
        if self.parts is None:
            return frozenset(each.name for each in plant.machines)
        wanted = set(self._split())
        return frozenset(
            each.name for each in plant.machines if any((kind, _place(each, kind)) in wanted for kind in KINDS)
        )

    def words(self) -> str:
        """Return it in words."""
        return WHOLE if self.parts is None else ", ".join(" ".join(each) for each in self._split()) or "nothing"

    def _split(self) -> Iterable[tuple[str, str]]:
        for part in self.parts or ():
            kind, _, name = part.partition(":")
            yield kind, name


EVERYTHING, NOTHING = Reach(), Reach(())


def _place(machine: Machine, kind: str) -> str:
    return machine.name if kind == "machine" else str(getattr(machine, kind))
