"""Whether those whom the watchdog tells are targets of the plant file."""

from collections.abc import Iterator

from ingest.plant_draft import Draft
from ingest.plant_problem import Problem
from ingest.plant_words import nearest


def check_watchdog(draft: Draft) -> Iterator[Problem]:
    """Give each target of the ``[watchdog]`` table that there is not."""
    table, known = draft.document.get("watchdog"), draft.names("targets")
    told = table.get("targets") if isinstance(table, dict) else None
    for place, name in enumerate(told if isinstance(told, list) else ()):
        if isinstance(name, str) and name not in known:
            yield Problem(("watchdog", "targets", place), f"no target {name!r}; {nearest(name, sorted(known))}")
