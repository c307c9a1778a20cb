"""Who we are at a server: user and password, from the environment and never from the plant file."""

from collections.abc import Mapping
from typing import Protocol

from ingest.errors import SourceError


class Named(Protocol):
    """A stream of the plant file that may name variables of the environment."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as in the plant file
    @property
    def user_variable(self) -> str: ...  # noqa: D102
    @property
    def password_variable(self) -> str: ...  # noqa: D102


def credentials(stream: Named, environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return user and password from the environment; raises ``SourceError`` if they are not there."""
    found = []
    for key, variable in (("user_variable", stream.user_variable), ("password_variable", stream.password_variable)):
        if variable and variable not in environment:
            raise SourceError(f"stream {stream.name!r}: the environment has no {variable}, which {key} names; set it")
        found.append(environment[variable] if variable else None)
    return found[0], found[1]
