"""What people say to alerts: the bodies of requests that change them."""

from typing import Annotated

from pydantic import Field

from ingest.duration import Duration
from service.alerts.alert import Verdict
from service.alerts.found import Found
from service.api.text import Note, Person, Reason, Told, Word


class Acknowledgement(Told):
    """Somebody has seen it and answers for it."""

    by: Person
    note: Note = ""


class Closing(Told):
    """What an inspection found."""

    verdict: Verdict = Field(description="'not inspected' is never read as wrong.")
    by: Person
    note: Note = Field("", description="What was found and done.", examples=["Bearing of pump 3 replaced."])
    mode: Word = Field("", description="Failure mode: a component, or the code of a failure; it has to be known.")
    new_mode: bool = Field(False, description="The mode is a new one, and no slip.")
    mechanism: Word = Field("", description="What made it fail.", examples=["wear"])
    root_cause: Word = Field("", description="Why that came about.", examples=["misalignment"])
    action: Word = Field("", description="What was done.", examples=["replaced"])

    @property
    def found(self) -> Found:
        """What was found, without the verdict."""
        return Found(mode=self.mode, mechanism=self.mechanism, root_cause=self.root_cause, action=self.action)


class Assignment(Told):
    """Who is to look after it."""

    to: Annotated[str, Field(min_length=1, max_length=200, description="To whom.", examples=["Ben"])]
    by: Person
    note: Note = ""


class Unassignment(Told):
    """Nobody in particular is to look after it any more."""

    by: Person
    note: Note = ""


class Reset(Told):
    """What latched may be normal again."""

    by: Person
    note: Note = ""


class Shelf(Told):
    """Nobody wants to be told of it for a while."""

    by: Person
    why: Reason
    lasting: Duration | None = Field(
        None, description="How long, from now on; as long as the plant file allows when left out."
    )
    once: bool = Field(False, description="Over already when its condition is over, or it is closed (one-shot).")


class Unshelving(Told):
    """Somebody wants to be told of it again."""

    by: Person
    why: Reason


class Comment(Told):
    """A remark for the history."""

    by: Person
    text: Annotated[str, Field(min_length=1, max_length=10_000)]
