"""Sought: which of the firing alerts a client asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from service.alerts.matcher import Matcher, matching_each, read_matcher
from service.alerts.pattern import fits, refuse_pattern
from service.api.alertmanager.firing import Firing

MOST_FILTERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What must be so of an alert.

    Attributes
    ----------
    filters : what its labels must be
    receiver : pattern of whom it calls; empty for anybody, and nobody
    """

    filters: tuple[Matcher, ...]
    active: bool
    silenced: bool
    inhibited: bool
    receiver: str

    def among(self, several: Iterable[Firing]) -> list[Firing]:
        """Return those that are asked for."""
        wanted = [each for each in several if self._wants(each)]
        matched = matching_each(self.filters, [each.labels for each in wanted])
        return [each for each, so in zip(wanted, matched, strict=True) if so]

    def calls(self, receiver: str) -> bool:
        """Return whether alerts that call this receiver are asked for."""
        return not self.receiver or fits(self.receiver, receiver)

    def _wants(self, each: Firing) -> bool:
        silenced, inhibited = bool(each.alert.mutes), bool(each.inhibited_by)
        if (silenced and not self.silenced) or (inhibited and not self.inhibited):
            return False
        if not silenced and not inhibited and not self.active:
            return False
        return not self.receiver or any(map(self.calls, each.receivers))


def sought(
    filter: Annotated[  # noqa: A002 – what Alertmanager calls it
        list[str],
        Query(max_length=MOST_FILTERS, description='What labels must be: `machine="press-1"`, `line=~"A|B"`.'),
    ] = [],  # noqa: B006 – FastAPI copies defaults
    active: Annotated[bool, Query(description="Those that people are called for.")] = True,
    silenced: Annotated[bool, Query(description="Those that are muted in any way.")] = True,
    inhibited: Annotated[bool, Query(description="Those that something worse makes needless.")] = True,
    unprocessed: Annotated[
        bool, Query(description="Those that nobody has decided about; here there are none at any time.")
    ] = True,
    receiver: Annotated[str, Query(description="A regular expression for the whole name of a receiver.")] = "",
) -> Sought:
    """Read what a client asks for.

    Raises
    ------
    PatternError
        If a filter or the receiver cannot be read.
    """
    del unprocessed  # decided with the change that made it
    if receiver:
        refuse_pattern(receiver)
    filters = tuple(read_matcher(each) for each in filter)
    return Sought(filters=filters, active=active, silenced=silenced, inhibited=inhibited, receiver=receiver)


Seek = Annotated[Sought, Depends(sought)]
