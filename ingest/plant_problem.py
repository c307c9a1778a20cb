"""A mistake in the plant file, and the line that tells of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from ingest.plant_words import Location, is_part, keys_of, kind_at, nearest, shown, type_in_words

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NOUNS = {
    "classes": "class",
    "machines": "machine",
    "models": "model",
    "jobs": "job",
    "pools": "pool",
    "signals": "signal",
    "regimes": "regime",
    "bearings": "bearing",
    "sources": "source",
    "mqtt": "stream",
    "kafka": "stream",
    "opcua": "stream",
    "meters": "meter",
    "products": "product",
    "shifts": "shift",
    "routes": "route",
    "inhibits": "inhibition",
    "targets": "target",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of the plant file.

    Attributes
    ----------
    at : keys and positions, counted from 0, that lead to the place
    what : what is wrong and what would be right
    """

    at: Location
    what: str

    def line(self, file: str, document: Mapping[str, Any], origins: Mapping[Location, Sequence[int]]) -> str:
        """Write the problem for a person: positions counted from 1, entries also by their names.

        Parameters
        ----------
        file : name of the plant file
        document : its content, machines and signals written out one by one
        origins : for each list that was written out, by the keys and positions that lead to it: for each of its
            entries, the position of the entry in the file
        """
        key = ""
        names: list[str] = []
        node: Any = document
        for depth, step in enumerate(self.at):
            if isinstance(step, str):
                word = step if _BARE.fullmatch(step) else repr(step)
                key += f".{word}" if key else word
                node = node.get(step) if isinstance(node, dict) else None
                continue
            node = node[step] if isinstance(node, list) and step < len(node) else None
            listed = str(self.at[depth - 1])
            origin = origins.get(self.at[:depth], ())
            place = origin[step] if step < len(origin) else step
            key += f"[{place + 1}]"
            of_many = place in (*origin[max(step - 1, 0) : step], *origin[step + 1 : step + 2])
            name = node.get("name") if isinstance(node, dict) and not of_many else None
            if isinstance(name, str) and listed in _NOUNS:
                names.append(f'{_NOUNS[listed]} "{name}"')
        line = f"{file}: {key}: {self.what}" + (f" ({', '.join(names)})" if names else "")
        return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)


def problem_of(error: Mapping[str, Any]) -> Problem:
    """Say one finding of pydantic in our own words."""
    kind, at, value = error["type"], tuple(error["loc"]), error["input"]
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        table = kind_at(at[:-1])
        known = (
            list(keys_of(table)) + (["names"] if at[-3:-2] in (("machines",), ("signals",)) else [])
            if is_part(table)
            else []
        )
        return Problem(at, f"unknown key; {nearest(str(at[-1]), known)}")
    if at and get_origin(kind_at(at[:-1])) is tuple:
        return Problem(at[:-1], f"is not {type_in_words(kind_at(at[:-1]))}")
    if kind == "missing":
        return Problem(at, f"is missing; write {type_in_words(kind_at(at))}")
    if kind == "value_error":
        return Problem(at, str(context["error"]))
    if kind in ("string_too_short", "too_short"):
        return Problem(at, "is empty; write at least one" if kind == "too_short" else "is empty; write a name")
    if kind == "string_too_long":
        return Problem(at, f"is too long; write at most {context['max_length']} characters")
    if kind == "greater_than":
        return Problem(at, f"{shown(value)} is too small; write more than {context['gt']:g}")
    if kind == "greater_than_equal":
        return Problem(at, f"{shown(value)} is too small; write {context['ge']:g} or more")
    if kind == "less_than_equal":
        return Problem(at, f"{shown(value)} is too large; write {context['le']:g} or less")
    if kind == "less_than":
        return Problem(at, f"{shown(value)} is too large; write less than {context['lt']:g}")
    if kind == "literal_error":
        known = list(get_args(kind_at(at)))
        meant = f"; {nearest(value, known)}" if isinstance(value, str) and get_close_matches(value, known) else ""
        return Problem(at, f"{shown(value)} is none of {', '.join(known)}{meant}")
    return Problem(at, f"{shown(value)} is not {type_in_words(kind_at(at))}")
