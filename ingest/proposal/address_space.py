"""Propose a plant file from what an OPC UA server has."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.decode.topic import filled
from ingest.errors import SourceError
from ingest.proposal.guess import Proposal
from ingest.proposal.page import Page, as_ranges, key_of, listed, natural, quoted
from ingest.reading import TAKEN_NAMES
from ingest.sources.opcua_browse import Found, Variable

_ALIKE = 0.6
_LONGEST = 200


@dataclass(slots=True)
class _Machine:
    """An object of the server that holds numeric variables; ``signals`` by their names."""

    name: str
    line: str
    signals: dict[str, Variable] = field(default_factory=dict)


@dataclass(slots=True)
class _Class:
    """Machines with nearly the same signals."""

    name: str
    machines: list[_Machine]

    @property
    def signals(self) -> dict[str, Variable]:
        """All signals of its machines, each with one variable of its name."""
        return {name: each for machine in reversed(self.machines) for name, each in machine.signals.items()}


def propose_server(url: str, found: Found) -> Proposal:
    """Propose a plant file that reads a server.

    Raises
    ------
    SourceError
        When it has no numeric variable in an object.
    """
    classes = _classes(_machines(found.variables))
    if not classes:
        raise SourceError(f"{url}: no object has numeric variables ({found.seen:,} nodes were looked at); {found.cut}")
    page = Page()
    page.say(f"Proposed from {url}. Read it, least sure guesses first, and put right what is wrong; then: andon check")
    if found.cut:
        page.say(f"Left out: {found.cut}")
    if found.others:
        page.say(f"Left out: {found.others:,} variables that are no single numbers")
    page.put("name", quoted("My plant"))
    page.guess("", "time_zone", quoted("UTC"), 0.3, "OPC UA has no zone; this one is for schedules and shifts")
    for number, entry in enumerate(classes, 1):
        _write_class(page, number, entry)
    _write_stream(page, url, classes)
    for number, entry in enumerate(classes, 1):
        _write_model(page, number, entry)
    for action, key, when in (("score", "every", "1 h"), ("train", "cron", "0 3 * * 0")):
        page.add("", "[[jobs]]")
        page.put("name", quoted(action))
        page.put("action", quoted(action))
        page.put(key, quoted(when))
    return page.finish()


def _machines(variables: Sequence[Variable]) -> list[_Machine]:
    """Take the object above a variable as its machine, or the one above that where its name comes again and again."""
    parents = {each.path[:-1] for each in variables if len(each.path) > 1}
    above: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for each in parents:
        above[each[-1]].add(each[:-1])
    found: dict[tuple[str, ...], _Machine] = {}
    for variable in variables:
        place = variable.path[:-1]
        if not place:
            continue
        # "Sensors" below each press is a part of the press; "Press 1" of each line is a machine.
        part = len(place) > 1 and len(above[place[-1]]) > 1 and not re.search(r"\d", place[-1])
        owner = place[:-1] if part else place
        machine = found.setdefault(owner, _Machine(owner[-1], owner[-2] if len(owner) > 1 else ""))
        name = "_".join(variable.path[len(owner) :])[:_LONGEST] or "value"
        machine.signals.setdefault(name if name not in TAKEN_NAMES else f"{name}_", variable)
    names = [each.name for each in found.values()]
    for owner, machine in found.items():
        if names.count(machine.name) > 1 or not machine.name:
            machine.name = "/".join(owner)
        machine.name = machine.name[:_LONGEST]
    return list({each.name: each for each in found.values()}.values())


def _classes(machines: Sequence[_Machine]) -> list[_Class]:
    classes: list[_Class] = []
    for machine in machines:
        mine = set(machine.signals)
        for each in classes:
            theirs = set(each.signals)
            if len(mine & theirs) >= _ALIKE * len(mine | theirs):
                each.machines.append(machine)
                break
        else:
            classes.append(_Class("", [machine]))
    taken: set[str] = set()
    for each in classes:
        stem = _shared([machine.name.rpartition("/")[2] for machine in each.machines])
        name = re.sub(r"[\W\d_]+$", "", stem).lower() or "machine"
        each.name = name if name not in taken else f"{name} {len(taken) + 1}"
        taken.add(each.name)
    return classes


def _shared(names: Sequence[str]) -> str:
    """Return the letters with which all names begin.

    Examples
    --------
    >>> _shared(["Press1", "Press2"])
    'Press'
    """
    first, last = min(names), max(names)
    differ = (place for place, letter in enumerate(first) if last[place : place + 1] != letter)
    return first[: next(differ, len(first))]


def _write_class(page: Page, number: int, entry: _Class) -> None:
    page.add("", "[[classes]]")
    why = f"{len(entry.machines)} object(s) with these variables"
    page.guess(f"classes[{number}]", "name", quoted(entry.name), 0.4, why)
    for place, (name, variable) in enumerate(entry.signals.items(), 1):
        here = f"classes[{number}].signals[{place}]"
        page.add("", "[[classes.signals]]")
        page.guess(here, "name", quoted(name), 0.8, f"a number below {'/'.join(variable.path[:-1])}")
        if variable.unit:
            page.guess(here, "unit", quoted(variable.unit), 0.95, "EngineeringUnits of the node")
    lines: dict[str, list[str]] = defaultdict(list)
    for machine in entry.machines:
        lines[machine.line].append(machine.name)
    for line, names in lines.items():
        ranges, odd = as_ranges(sorted(names, key=natural))
        for key, value in [*([("names", listed(ranges))] if ranges else []), *[("name", quoted(each)) for each in odd]]:
            page.add("", "[[machines]]")
            page.guess("machines[]", key, value, 0.6, "objects that hold numbers")
            page.put("class", quoted(entry.name))
            if line:
                page.guess("machines[]", "line", quoted(line), 0.4, "the object above")


def _write_stream(page: Page, url: str, classes: Sequence[_Class]) -> None:
    page.add("", "[[opcua]]")
    page.put("name", quoted("server"))
    page.put("url", quoted(url))
    for entry in classes:
        template = _template(entry)
        if template:
            page.add("", "[[opcua.nodes]]")
            page.guess("opcua[1].nodes[]", "node", quoted(template), 0.95, "all nodes of the class are named like this")
            page.put("class", quoted(entry.name))
            continue
        for machine in entry.machines:
            page.add("", "[[opcua.nodes]]")
            page.put("machine", quoted(machine.name))
            page.add("[opcua.nodes.signals]")
            for name, variable in machine.signals.items():
                page.put(key_of(name), quoted(variable.node))


def _template(entry: _Class) -> str:
    """Return how the node ids of a class are built; empty if they are not, or a machine has not all signals."""
    first = entry.machines[0]
    name, variable = next(iter(first.signals.items()))
    template = variable.node.replace(first.name, "{machine}").replace(name, "{signal}")
    if first.line:
        template = template.replace(first.line, "{line}")
    fits = all(
        set(each.signals) == set(entry.signals)
        and all(filled(template, _words(each, signal)) == own.node for signal, own in each.signals.items())
        for each in entry.machines
    )
    return template if fits and len(template) <= _LONGEST else ""


def _words(machine: _Machine, signal: str) -> Mapping[str, str]:
    return {"machine": machine.name, "signal": signal, "line": machine.line}


def _write_model(page: Page, number: int, entry: _Class) -> None:
    page.add("", "[[models]]")
    page.put("name", quoted(f"strange behaviour of {entry.name}"[:_LONGEST]))
    page.guess(f"models[{number}]", "task", quoted("anomaly"), 0.8, "no failure is known")
    page.put("class", quoted(entry.name))
    page.guess(
        f"models[{number}]", "horizon", quoted("7 d"), 0.3, "wear shows days before; what time does a repair need?"
    )
