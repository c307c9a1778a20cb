"""User and password of a stream: they stand in the environment, never in the plant file."""

from collections.abc import Mapping
from typing import Protocol

from ingest.errors import SourceError


class Guarded(Protocol):
    """A stream whose plant file names the variables."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def user_variable(self) -> str:
        """Variable of the user; empty if none is needed."""

    @property
    def password_variable(self) -> str:
        """Variable of the password; empty if none is needed."""


def credentials(stream: Guarded, environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return user and password from the environment; raises ``SourceError`` if they are not there."""
    found = []
    for key, variable in (("user_variable", stream.user_variable), ("password_variable", stream.password_variable)):
        if variable and variable not in environment:
            raise SourceError(f"stream {stream.name!r}: the environment has no {variable}, which {key} names; set it")
        found.append(environment[variable] if variable else None)
    return found[0], found[1]
