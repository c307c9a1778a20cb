"""Dead letters: what could not be understood, listed, handed on by an edge, read again, thrown away."""

import asyncio
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from ingest.dead_letter import DeadLetter, KeptLetter
from ingest.delivery import Delivery, other_content
from ingest.errors import OtherContentError
from ingest.replay import replay
from service.api.given import Into, Now, Room
from service.api.paging import Limit, Page, link_with
from service.api.push_desks import head_of
from service.api.text import Told, refuse_unkeepable

router = APIRouter(tags=["dead letters"])
SHOWN = 200
MOST_LETTERS = 10_000
Word = Annotated[str, Field(max_length=10_000)]

Number = Annotated[int, Path(ge=1, lt=2**63, description="Number of the letter.")]


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same again changes nothing; other letters are refused.",
    ),
]


def _base64(text: str) -> str:
    b64decode(text, validate=True)
    return text


class LetterView(BaseModel):
    """One dead letter."""

    number: int
    source: str
    kind: str = Field(description="How its bytes are read: json, csv, line_protocol, arrow, or a stream's own.")
    reason: str = Field(description="Why it was not understood, as of the last try.")
    arrived: datetime
    tries: int = Field(description="How often it was replayed without success.")
    bytes: int
    begin: str = Field(description=f"The first {SHOWN} bytes as text.")


class LetterDetail(LetterView):
    """One dead letter with all that came."""

    head: dict[str, str] = Field(description="What is known of it beside its bytes, such as the topic.")
    text: str | None = Field(description="The whole as text; null if it is none.")
    base64: str = Field(description="The whole, byte for byte.")


class LetterPage(Page):
    """Some dead letters."""

    items: list[LetterView]


class NewLetter(Told):
    """What an edge could not understand."""

    kind: Annotated[str, Field(min_length=1, max_length=100)]
    base64: Annotated[str, AfterValidator(_base64)] = Field(description="The whole, byte for byte.")
    reason: Word
    arrived: AwareDatetime = Field(description="When it came to the edge.")
    head: Annotated[dict[Word, Word], Field(max_length=100)] = Field({}, description="What is known beside its bytes.")


class NewLetters(Told):
    """Letters of one source of an edge."""

    source: Annotated[str, Field(min_length=1, max_length=200)]
    letters: Annotated[list[NewLetter], Field(min_length=1, max_length=MOST_LETTERS)]


class LettersReceipt(BaseModel):
    """What became of letters that were handed on."""

    accepted: int
    repeated: bool = Field(description="Whether they were known already, so that nothing changed.")


class ReplayOrder(Told):
    """Which letters to read again; all of them when nothing is said."""

    source: str | None = Field(None, description="Only of this source.")
    numbers: Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(max_length=10_000)] | None = Field(
        None, description="Only these."
    )


class ReplayView(BaseModel):
    """What became of letters that were read again."""

    model_config = ConfigDict(from_attributes=True)

    tried: int
    understood: int = Field(description="Letters that gave something, and left.")
    readings: int
    events: int
    staying: int = Field(description="Letters that stay, or were cut down to what is still not understood.")


@router.get("/dead-letters")
def list_dead_letters(
    request: Request,
    room: Room,
    source: Annotated[str | None, Query(description="Only of this source.")] = None,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, lt=2**63, description="Only letters with a higher number.")] = 0,
) -> LetterPage:
    """Return what could not be understood, oldest first."""
    found = room.store.dead_letters(source=source, after=after, limit=limit + 1)
    page = found[:limit]
    more = link_with(request, after=page[-1].number, limit=limit) if len(found) > limit else None
    return LetterPage(items=[LetterView(**_view(each)) for each in page], next=more)


@router.post("/dead-letters")
async def hand_on_dead_letters(
    given: NewLetters,
    room: Room,
    now: Now,
    intake: Into,
    key: Key = None,
) -> LettersReceipt:
    """Keep what an edge could not understand, with its bytes; the answer comes after it is on disk.

    The same bytes of one source are one letter, however often they come.
    """
    refuse_unkeepable(
        (f"letter {place}: head.{name}", text)
        for place, each in enumerate(given.letters, start=1)
        for pair in each.head.items()
        for name, text in (("name", pair[0]), (pair[0], pair[1]))
    )
    letters = tuple(
        DeadLetter(
            kind=each.kind,
            body=b64decode(each.base64),
            reason=each.reason,
            arrived=min(each.arrived, now),
            head=head_of(room, each.head),
        )
        for each in given.letters
    )
    delivery = Delivery(
        source=given.source,
        position=key or "",
        remembered="key",
        digest=sha256(given.model_dump_json().encode()).hexdigest(),
        dead_letters=letters,
    )
    kept = await asyncio.wrap_future(intake.put(delivery))
    if kept.other:
        raise OtherContentError(other_content(key or ""))
    return LettersReceipt(accepted=len(letters), repeated=not kept.fresh)


@router.get("/dead-letters/{number}")
def show_dead_letter(number: Number, room: Room) -> LetterDetail:
    """Return one dead letter with its bytes."""
    kept = room.store.dead_letter(number)
    try:
        text = kept.letter.body.decode()
    except UnicodeDecodeError:
        text = None
    return LetterDetail(
        **_view(kept), head=dict(kept.letter.head), text=text, base64=b64encode(kept.letter.body).decode()
    )


@router.post("/dead-letters/replay")
def replay_dead_letters(room: Room, order: ReplayOrder | None = None) -> ReplayView:
    """Read letters again by the plant file that this process runs with.

    What is understood is kept and its letter leaves, at once; the others stay with their new reason.
    """
    order = order or ReplayOrder(source=None, numbers=None)
    return ReplayView.model_validate(replay(room.store, room.plant, source=order.source, numbers=order.numbers))


@router.delete("/dead-letters/{number}", status_code=204, response_class=Response)
def drop_dead_letter(number: Number, room: Room) -> None:
    """Throw a letter away; 404 if there is none of this number."""
    if not room.store.discard_dead_letters([number]):
        room.store.dead_letter(number)


def _view(kept: KeptLetter) -> dict[str, object]:
    letter = kept.letter
    return {
        "number": kept.number,
        "source": kept.source,
        "kind": letter.kind,
        "reason": letter.reason,
        "arrived": letter.arrived,
        "tries": kept.tries,
        "bytes": len(letter.body),
        "begin": letter.body[:SHOWN].decode("utf-8", "replace"),
    }
