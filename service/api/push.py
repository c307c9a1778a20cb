"""Pushes: batches of readings that clients send, each answered when it is on disk."""

import asyncio
from collections.abc import Mapping

from anyio import to_thread
from pydantic import BaseModel, Field

from ingest.decode.clean.decoder import BodyDecoder
from ingest.decode.cut import Body
from ingest.decode.rows import Decoded
from ingest.delivery import Delivery, other_content
from ingest.errors import IntakeFullError, OtherContentError
from ingest.intake import Inlet
from ingest.report import Rejection
from service.api.body import INLINE_BYTES
from service.api.problem import Fault, ProblemError
from service.api.push_queue import Kept, PushQueue, delivery_of
from service.metrics import Metrics

AT_ONCE = 8
"""Batches, large or not clean, that are worked on at a time; more of them wait, so that others do not."""

HEAVY_BYTES, HEAVY_AT_ONCE = 2 * 1024 * 1024, 2
"""Batches that are larger, unpacked, each take many times that while they are worked on, so few are at a time."""

MOST_WAITING = 2_000
SHOWN = 100
"""Faults that an answer lists."""

JSON, CSV, LINES, ARROW = "application/json", "text/csv", "text/plain", "application/vnd.apache.arrow.stream"
FORMATS: Mapping[str, str] = {JSON: "json", CSV: "csv", LINES: "line_protocol", ARROW: "arrow"}
"""Which decoder reads each media type; line protocol has none of its own and comes as ``text/plain``."""


class Receipt(BaseModel):
    """What became of readings that were sent."""

    accepted: int = Field(description="Single readings that are on disk now.")
    repeated: bool = Field(description="Whether this batch was known already, so that nothing changed.")
    rejected: int = Field(
        description="Rows and cells that were turned away; each is kept as a dead letter, to be replayed."
    )
    missing: int = Field(description="Empty cells, null and NaN: neither readings nor mistakes.")
    errors: list[Fault] = Field([], description="Why, for the first of them.")


class Pushes:
    """Takes batches, and answers each when it is on disk; made and used on one event loop."""

    def __init__(self, decoder: BodyDecoder, intake: Inlet, metrics: Metrics) -> None:
        self._decoder, self._intake, self._metrics = decoder, intake, metrics
        self._queue = PushQueue(decoder, intake)
        self._turn, self._heavy = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(HEAVY_AT_ONCE)
        self._waiting = 0

    async def take(self, body: Body, key: str | None) -> Receipt:
        """Keep what is good of a batch, and what is not as dead letters.

        Parameters
        ----------
        key : names the batch; the body's own hash when there is none

        Raises
        ------
        ProblemError
            422 when nothing of it could be kept, with the reasons.
        SourceError
            When it cannot be read at all.
        OtherContentError
            When the key came with another body before.
        IntakeFullError
            When more comes than can be taken.
        """
        if self._waiting >= MOST_WAITING:
            raise IntakeFullError("more comes than can be taken; send it again in a moment")
        if why := self._intake.refuses():  # nothing of it is decoded: under overload, refusing must cost little
            raise IntakeFullError(why)
        self._waiting += 1
        try:
            kept = await self._kept(body, key)
        finally:
            self._waiting -= 1
        decoded, receipt = kept.decoded, kept.receipt
        if receipt.other:
            raise OtherContentError(other_content(key or ""))
        faults = [_fault(each) for each in decoded.rejections[:SHOWN]]
        accepted = sum(each.count for each in decoded.readings)
        self._metrics.rejected.inc(decoded.rejected)
        if faults and not accepted:
            raise ProblemError(422, "no reading could be kept", errors=faults)
        self._metrics.accepted.inc(accepted if receipt.fresh else 0)
        return Receipt(
            accepted=accepted,
            repeated=not receipt.fresh,
            rejected=decoded.rejected,
            missing=decoded.missing,
            errors=faults,
        )

    def close(self) -> None:
        """Hand over to the intake what came; nothing may be taken after that."""
        self._queue.close()

    async def _kept(self, body: Body, key: str | None) -> Kept:
        size = body.unpacked_bytes
        if size <= INLINE_BYTES and (kept := await self._queue.put(body, key)) is not None:
            return kept
        async with self._heavy if size > HEAVY_BYTES else self._turn:
            delivery, decoded = await to_thread.run_sync(self._decoded_with_care, body, key)
            return Kept(decoded, await asyncio.wrap_future(self._intake.put(delivery)))

    def _decoded_with_care(self, body: Body, key: str | None) -> tuple[Delivery, Decoded]:
        decoded = self._decoder.decode(body)
        return delivery_of(body, decoded, key), decoded


def _fault(rejection: Rejection) -> Fault:
    column = f", column {rejection.column}" if rejection.column else ""
    place = f"row {rejection.line}{column}" if rejection.line else "the whole"
    said = f" ({rejection.value!r})" if rejection.value else ""
    return Fault(where=place, reason=f"{rejection.reason}{said}")
