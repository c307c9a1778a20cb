"""What the checks of all kinds of streams have in common."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ingest.decode.topic import words_in
from ingest.plant_draft import Draft
from ingest.plant_problem import Problem
from ingest.plant_words import Location, either, nearest

_EPOCHS = ("iso", "s", "ms", "us", "ns")
_NAMED = ("sources", "mqtt", "kafka", "opcua")
"""Tables whose entries have names that are told apart; a name belongs to the table that comes first."""


class Named(Protocol):
    """A connection that may need a user."""

    @property
    def user_variable(self) -> str:
        """Environment variable of the user."""

    @property
    def password_variable(self) -> str:
        """Environment variable of the password."""


class Secured(Named, Protocol):
    """A connection that may be encrypted, too."""

    @property
    def tls(self) -> bool:
        """Whether it is encrypted."""

    @property
    def ca_file(self) -> str:
        """Authorities to trust."""


def name(draft: Draft, at: Location, name: str) -> Iterator[Problem]:
    """Give the name of a stream that something in another table has already."""
    before = _NAMED[: _NAMED.index(str(at[0]))]
    if name == "api" or any(name in draft.names(table) for table in before):
        what = f"{name!r} is the name of another source or stream; give this one a name of its own"
        yield Problem((*at, "name"), what)


def connection(at: Location, stream: Secured) -> Iterator[Problem]:
    """Give what does not fit together in how a stream connects."""
    if stream.ca_file and not stream.tls:
        yield Problem((*at, "ca_file"), "has no meaning without tls; add tls = true, or leave it out")
    yield from user(at, stream)


def user(at: Location, stream: Named) -> Iterator[Problem]:
    """Give a password without a user."""
    if stream.password_variable and not stream.user_variable:
        yield Problem((*at, "user_variable"), "is missing; a password needs a user")


def time_format(at: Location, written: str) -> Iterator[Problem]:
    """Give what is wrong with how times are written."""
    if written not in _EPOCHS and "%" not in written:
        yield Problem(
            (*at, "time_format"),
            f"{written!r} is unknown; write {either(_EPOCHS)}, or a pattern such as '%d.%m.%Y %H:%M'",
        )


def pattern(draft: Draft, at: Location, text: str, words: Sequence[str], noun: str) -> Iterator[Problem]:
    """Give the words of a text that nothing is known of, or the machine or signal that is not there."""
    needed = words_in(text)
    for word in needed:
        if word not in words:
            yield Problem(at, f"there is no word {{{word}}} to take the {noun} from; {nearest(word, words)}")
    known = sorted(draft.machine_names) if noun == "machine" else declared(draft)
    if not needed and text not in known:
        yield Problem(at, f"no {noun} {text!r}; {nearest(text, known)}")


def signals(draft: Draft, at: Location, named: dict[str, str] | None) -> Iterator[Problem]:
    """Give the signals that no class has."""
    known = declared(draft)
    for signal in named or {}:
        if signal not in known:
            yield Problem((*at, "signals", signal), f"no signal {signal!r}; {nearest(signal, known)}")


def declared(draft: Draft) -> list[str]:
    """Return the names of the signals of all classes."""
    return list(dict.fromkeys(name for each in draft.signals.values() for name in each))
