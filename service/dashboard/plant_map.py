"""The map of the plant: sites, areas and lines as the plant file has them, each with the states of its machines."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.health import Health, MachineHealth


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its machines in the order of the plant file.

    Attributes
    ----------
    name : empty for machines of no line
    machines : those that are shown
    counts : how many of all its machines are in which state, worst first
    """

    name: str
    machines: tuple[MachineHealth, ...]
    counts: tuple[tuple[Health, int], ...]

    @property
    def total(self) -> int:
        """How many machines it has, shown or not."""
        return sum(count for _, count in self.counts)


@dataclass(frozen=True, slots=True)
class Area:
    """One area of a site, with its lines; either name may be empty."""

    site: str
    name: str
    lines: tuple[Line, ...]

    @property
    def words(self) -> str:
        """Where it is."""
        return " · ".join(filter(None, (self.site, self.name)))


def plant_map(healths: Iterable[MachineHealth], *, quiet: bool = True) -> list[Area]:
    """Return the areas with their lines, each in the order in which the plant file first names it.

    Lines of one name in two areas are two lines.

    Parameters
    ----------
    quiet : whether machines that need nobody are shown; they are counted in either case

    Examples
    --------
    >>> from ingest.plant import Machine
    >>> press = Machine(name="press-1", machine_class="press", site="Ulm", area="Forming", line="Line 2")
    >>> (area,) = plant_map([MachineHealth(press, Health.NORMAL, None, False, None, (), ())], quiet=False)
    >>> area.words, area.lines[0].name, area.lines[0].total, len(area.lines[0].machines)
    ('Ulm · Forming', 'Line 2', 1, 0)
    """
    areas: dict[tuple[str, str], dict[str, list[MachineHealth]]] = {}
    for each in healths:
        machine = each.machine
        areas.setdefault((machine.site, machine.area), {}).setdefault(machine.line, []).append(each)
    return [
        Area(site, name, tuple(_line(line, machines, quiet=quiet) for line, machines in lines.items()))
        for (site, name), lines in areas.items()
    ]


def count_states(healths: Iterable[MachineHealth]) -> tuple[tuple[Health, int], ...]:
    """Return how many machines are in which state, worst first; states that none is in are left out."""
    counted = Counter(each.health for each in healths)
    return tuple((health, counted[health]) for health in Health if counted[health])


def _line(name: str, machines: Sequence[MachineHealth], *, quiet: bool) -> Line:
    shown = tuple(each for each in machines if quiet or not each.quiet)
    return Line(name, shown, count_states(machines))
