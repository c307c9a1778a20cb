"""Whether routes and inhibitions fit together, and fit the rest of the plant file."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase

from ingest.plant import AlertSettings
from ingest.plant_draft import Draft
from ingest.plant_problem import Problem
from ingest.plant_route import Route, Which
from ingest.plant_words import Location, nearest

_NOTHING = timedelta()
_NOUNS = {"sites": "site", "areas": "area", "lines": "line", "classes": "class", "machines": "machine"}


def check_routes(draft: Draft, targets: Collection[str] | None = None) -> Iterator[Problem]:
    """Give what is wrong with routes and inhibitions.

    Parameters
    ----------
    targets : names that targets may have; any when left out
    """
    known = _known(draft)
    shifts = draft.names("shifts")
    for index, route in draft.routes.items():
        at: Location = ("routes", index)
        yield from _which((*at, "when"), route.when, known)
        yield from _whom(at, route, shifts, targets)
        yield from _times(at, route)
    yield from _never_taken(draft.routes)
    for index, rule in draft.inhibits.items():
        for key in ("when", "quiet"):
            yield from _which(("inhibits", index, key), getattr(rule, key), known)


def check_calls(settings: AlertSettings) -> Iterator[Problem]:
    """Give what is wrong with the settings of calls."""
    if settings.critical_per_hour is not None and settings.critical_per_hour <= 0:
        yield Problem(("alerts", "critical_per_hour"), "is not above zero; write money an hour, such as 1000")


def _known(draft: Draft) -> Mapping[str, Collection[str]]:
    written = draft.document.get("machines")
    machines = [each for each in written if isinstance(each, dict)] if isinstance(written, list) else []

    def values(key: str) -> list[str]:
        return [each[key] for each in machines if isinstance(each.get(key), str)]

    return {
        "sites": values("site"),
        "areas": values("area"),
        "lines": values("line"),
        "classes": list(draft.signals),
        "machines": draft.machine_names,
    }


def _which(at: Location, which: Which, known: Mapping[str, Collection[str]]) -> Iterator[Problem]:
    for key, noun in _NOUNS.items():
        for place, pattern in enumerate(getattr(which, key)):
            if not any(fnmatchcase(name, pattern) for name in known[key]):
                yield Problem((*at, key, place), f"no {noun} {pattern!r}; {nearest(pattern, sorted(set(known[key])))}")


def _whom(at: Location, route: Route, shifts: Collection[str], targets: Collection[str] | None) -> Iterator[Problem]:
    if not route.targets and not route.on_call:
        yield Problem((*at, "targets"), "is missing; write whom to call, or add a [[routes.on_call]] table")
    for index, duty in enumerate(route.on_call):
        for place, name in enumerate(duty.shifts):
            if name not in shifts:
                what = f"no shift {name!r}; {nearest(name, sorted(shifts))}"
                yield Problem((*at, "on_call", index, "shifts", place), what)
    if targets is None:
        return
    named: list[tuple[Location, list[str]]] = [((*at, "targets"), route.targets)]
    named += [((*at, "on_call", index, "targets"), each.targets) for index, each in enumerate(route.on_call)]
    named += [((*at, "escalate", index, "targets"), each.targets) for index, each in enumerate(route.escalate)]
    for where, names in named:
        for place, name in enumerate(names):
            if name not in targets:
                yield Problem((*where, place), f"no target {name!r}; {nearest(name, sorted(targets))}")


def _times(at: Location, route: Route) -> Iterator[Problem]:
    for key in ("group_wait", "group_interval"):
        if getattr(route, key) < _NOTHING:
            yield Problem((*at, key), "is below zero; write a duration such as '30 s'")
    if route.repeat_every <= _NOTHING:
        yield Problem((*at, "repeat_every"), "is not above zero; write a duration such as '4 h'")
    before = _NOTHING
    for index, rung in enumerate(route.escalate):
        if rung.after <= before:
            what = "is not after the rung before it" if index else "is not above zero"
            yield Problem((*at, "escalate", index, "after"), f"{what}; write longer and longer times such as '30 min'")
        before = max(before, rung.after)


def _never_taken(routes: Mapping[int, Route]) -> Iterator[Problem]:
    """Give routes that stand behind one which takes everything."""
    taker: tuple[int, Route] | None = None
    for index, route in routes.items():
        if taker is not None:
            what = f"is never taken: route {taker[1].name!r} stands before it and takes every alert; write it last"
            yield Problem(("routes", index, "when"), what)
        elif route.when == Which() and not route.go_on:
            taker = (index, route)
