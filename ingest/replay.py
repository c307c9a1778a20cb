"""Read dead letters again, after the plant file was mended; what is understood now is delivered."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.dead_letter import KeptLetter
from ingest.decode.again import decode_again
from ingest.decode.cut import Body, dead_letters, said
from ingest.decode.rows import Decoded
from ingest.delivery import Delivery
from ingest.errors import SourceError
from ingest.plant import Plant
from ingest.store import Store

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What became of dead letters that were read again.

    Attributes
    ----------
    tried : how many were read
    understood : how many gave something, and left
    readings, events : what they gave
    staying : how many are letters still, or were cut down to the part that is
    """

    tried: int = 0
    understood: int = 0
    readings: int = 0
    events: int = 0
    staying: int = 0


def replay(
    store: Store, plant: Plant, *, source: str | None = None, numbers: Sequence[int] | None = None
) -> ReplayReport:
    """Read dead letters again: those of these numbers, of one source, or all.

    What is understood is delivered, and its letter leaves, in one transaction. What is understood in
    part leaves the rest as a new letter. All others stay, with the reason of today. What came after a letter for
    the same machine, signal and time stays, too.

    Raises
    ------
    UnknownNameError
        When there is no letter of one of ``numbers``.
    """
    report = ReplayReport()
    if numbers is not None:
        chosen = [store.dead_letter(number) for number in dict.fromkeys(numbers)]
        for at in range(0, len(chosen), _AT_ONCE):
            report = _replay(store, plant, chosen[at : at + _AT_ONCE], report)
        return report
    newest, after = store.newest_dead_letter(), 0
    while letters := store.dead_letters(source=source, after=after, limit=_AT_ONCE):
        after = letters[-1].number
        # What a replay leaves behind as a smaller letter has a higher number; once is enough.
        report = _replay(store, plant, [each for each in letters if each.number <= newest], report)
    return report


def _replay(store: Store, plant: Plant, letters: Sequence[KeptLetter], before: ReplayReport) -> ReplayReport:
    deliveries: list[Delivery] = []
    reasons: dict[int, str] = {}
    readings = events = left = 0
    # What a replay left has a new number, but came when its letter did.
    for kept in sorted(letters, key=lambda each: each.letter.arrived):
        try:
            decoded = decode_again(kept.letter, plant)
        except SourceError as error:
            reasons[kept.number] = str(error)
            continue
        if not decoded.readings and decoded.events.empty:
            reasons[kept.number] = said(decoded.rejections) or "there is no reading in it"
            continue
        delivery = _delivery(kept, decoded)
        deliveries.append(delivery)
        readings += sum(each.count for each in decoded.readings)
        events += len(decoded.events)
        left += bool(delivery.dead_letters)
    if deliveries:
        store.deliver(deliveries)
    store.give_reasons(reasons)
    return ReplayReport(
        before.tried + len(letters),
        before.understood + len(deliveries),
        before.readings + readings,
        before.events + events,
        before.staying + len(reasons) + left,
    )


def _delivery(kept: KeptLetter, decoded: Decoded) -> Delivery:
    letter = kept.letter
    body = Body(letter.kind, letter.body, letter.arrived, letter.head)
    return Delivery(
        source=kept.source,
        readings=tuple(decoded.readings),
        events=None if decoded.events.empty else decoded.events,
        dead_letters=dead_letters(body, decoded),
        replayed=(kept.number,),
    )
