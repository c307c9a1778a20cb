"""What an inspection found: failure mode, mechanism, cause and what was done, in the words of ISO 14224."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches

from ingest.errors import UnknownNameError
from ingest.history import History
from ingest.plant import Plant

SENSOR = "sensor"
"""The mode of an alert whose sensor was at fault and not the machine: no model learns it as a failure, unless the class
has a component of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found at an alert; each may be empty.

    Attributes
    ----------
    mode : what failed, as the plant calls it: a component, or the code of a failure; ``SENSOR`` of a sensor
    mechanism : what made it fail, such as wear or corrosion
    root_cause : why that came about
    action : what was done
    """

    mode: str = ""
    mechanism: str = ""
    root_cause: str = ""
    action: str = ""

    @property
    def words(self) -> str:
        """All of it in one line; empty when nothing was told.

        Examples
        --------
        >>> Found(mode="bearing", action="replaced").words
        'mode bearing, action replaced'
        """
        names = {"mode": self.mode, "mechanism": self.mechanism, "cause": self.root_cause, "action": self.action}
        return ", ".join(f"{name} {text}" for name, text in names.items() if text)


def known_modes(plant: Plant, history: History, machine: str) -> list[str]:
    """Return the modes that are known of a machine: a sensor, components, and codes of failures, declared or recorded.

    Of one that left the plant file none is known.
    """
    if machine not in {each.name for each in plant.machines}:
        return []
    machine_class = plant.class_of(machine)
    codes = history.events(machines=list(plant.machines_of(machine_class.name)), kinds=["failure"])["code"]
    declared = [each.code for each in plant.failure_codes]
    return sorted({SENSOR, *machine_class.components, *declared, *(str(code) for code in codes.unique() if code)})


def refuse_unknown(mode: str, known: Iterable[str]) -> None:
    """Refuse a mode that nobody used before: it may be a slip, and a model would learn it as a mode of its own.

    Raises
    ------
    UnknownNameError
        With the nearest known mode.

    Examples
    --------
    >>> refuse_unknown("bearign", ["bearing", "seal"])
    Traceback (most recent call last):
    ingest.errors.UnknownNameError: no mode 'bearign' so far; did you mean 'bearing'? If it is new, say so (new mode)
    """
    names = list(known)
    if not mode or mode in names:
        return
    near = get_close_matches(mode[:200], names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names[:20]) or 'none'}."
    raise UnknownNameError(f"no mode {mode!r} so far; {hint} If it is new, say so (new mode)")


def understood(found: Found, plant: Plant) -> Found:
    """Return it with the mechanism that the plant file knows of its mode, unless a person told one."""
    code = plant.failure_code(found.mode)
    return replace(found, mechanism=found.mechanism or code.mechanism or "") if code else found
