"""Vibration zones of published standards, as data with edition, clause and source; none is written into code."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

UNIT = "mm/s"
_FILE = Path(__file__).with_name("vibration_zones.toml")


@dataclass(frozen=True, slots=True)
class Zones:
    """Boundaries between the zones A to D of one class of machines, in ``UNIT``.

    Attributes
    ----------
    machines : which machines it is for
    verified : whether the numbers were compared with the standard itself
    """

    name: str
    machines: str
    standard: str
    edition: str
    clause: str
    source: str
    verified: bool
    a_b: float
    b_c: float
    c_d: float

    @property
    def provenance(self) -> str:
        """Where the numbers come from, in words, and whether anybody checked them.

        Examples
        --------
        >>> vibration_zones()["ISO 10816-1 II"].provenance
        'zone C of ISO 10816-1:1995, Annex B, class II, unchecked'
        """
        checked = "" if self.verified else ", unchecked"
        return f"zone C of {self.standard}:{self.edition}, {self.clause}{checked}"

    def zone(self, velocity: float) -> str:
        """Return the zone of a velocity in ``UNIT``.

        Examples
        --------
        >>> [vibration_zones()["ISO 10816-1 I"].zone(each) for each in (0.5, 1.8, 2.0, 9.0)]
        ['A', 'B', 'C', 'D']
        """
        return "ABCD"[sum(velocity > bound for bound in (self.a_b, self.b_c, self.c_d))]


@cache
def vibration_zones() -> Mapping[str, Zones]:
    """Return all zones that are shipped, by name."""
    rows = tomllib.loads(_FILE.read_text(encoding="utf-8"))["zones"]
    return {row["name"]: Zones(machines=row.pop("for"), **row) for row in rows}
