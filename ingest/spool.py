"""The spool: an edge's own small log on disk, which takes deliveries while nobody can be reached.

It is an ``Inlet`` as the intake is: what it has acknowledged is on disk, in order, and is handed out in
that order until it is settled. Its disk is bounded; when it is full it refuses, or drops the oldest.
"""

import contextlib
import json
import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from uuid import uuid4

from filelock import FileLock, Timeout

from ingest.delivery import Delivery, Receipt, settle
from ingest.durable import sync_folder, write_at, written
from ingest.errors import IntakeFullError, StoreBusyError, StoreError
from ingest.spool_known import Known
from ingest.spool_mark import Mark, read_mark, write_mark
from ingest.spool_record import Found, framed, from_bytes, to_bytes, whole_records
from ingest.spool_reserve import Reserve

WhenFull = Literal["refuse", "drop oldest"]

MOST_BYTES = 1 << 30
FILE_BYTES = 16 << 20
BYTES_IN_MEMORY = 32 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """A delivery in the spool, with its number and its size on disk."""

    number: int
    delivery: Delivery
    bytes: int


@dataclass(slots=True)
class _File:
    """One file of the spool: the numbers of its records, and how much of it is whole and on disk."""

    path: Path
    first: int
    last: int
    end: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    source: str
    position: str
    notes: Mapping[str, str]
    payload: bytes
    future: Future[Receipt]


class Spool:
    """Deliveries in files of one folder, for one process at a time.

    Close it when done, or use it as a context: what was taken is made durable first.

    Parameters
    ----------
    most_bytes : room on disk for what is not sent yet; about one file more may be in use
    when_full : ``refuse`` new deliveries, so that nothing acknowledged is lost; or ``drop oldest``, a
        file at a time, and count what was dropped

    Raises
    ------
    StoreBusyError
        When another process has this spool.
    StoreError
        When the folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int = MOST_BYTES,
        when_full: WhenFull = "refuse",
        file_bytes: int = FILE_BYTES,
    ) -> None:
        self.folder = folder
        self._most_bytes, self._file_bytes = most_bytes, min(file_bytes, max(1, most_bytes // 4))
        self._when_full = when_full
        self._reserve = Reserve(folder / "reserve")
        self._changed = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._closing = False
        self._known = Known()
        self._files: list[_File] = []
        self._open_file: int | None = None
        self._under_way: list[int] = []
        self._unmarked = ""
        self._place: tuple[tuple[Path, int], int] = (folder, 0), 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / "lock")
            self._lock.acquire(timeout=0)
            self._recover()
        except Timeout as error:
            raise StoreBusyError(f"{folder}: another process has this spool; give each its own folder") from error
        except OSError as error:
            raise StoreError(f"{folder}: the spool cannot be used: {error.strerror}") from error
        self._writer = threading.Thread(target=self._write_all, name="andon-spool", daemon=True)
        self._writer.start()

    @property
    def name(self) -> str:
        """What names this spool among all others, for as long as its folder lives."""
        return self._mark.spool

    @property
    def dropped(self) -> int:
        """How many records were dropped, unsent, to make room."""
        return self._mark.dropped

    @property
    def altered(self) -> int:
        """How many acknowledged records could not be sent, because the disk had altered them."""
        return self._mark.altered

    @property
    def unmarked(self) -> str:
        """Why the disk does not know how far the spool is sent; empty if it does.

        Then all goes on as if it knew, but after a crash what was sent meanwhile is sent again, perhaps cut
        into other requests.
        """
        return self._unmarked

    @property
    def size(self) -> int:
        """How many bytes the files take on disk."""
        with self._changed:
            return sum(each.end for each in self._files)

    @property
    def unsettled(self) -> int:
        """How many records wait to be sent."""
        with self._changed:
            return self._newest - self._mark.done

    def notes(self, source: str) -> dict[str, str]:
        """Return all that was noted for a source, by name."""
        with self._changed:
            return self._known.notes(source)

    def refuses(self) -> str:
        """Return why nothing is taken; see ``Inlet.refuses``."""
        with self._changed:
            return "" if self._has_room(1) else self._why_full()

    def put(self, delivery: Delivery, *, wait: float = 0.0) -> Future[Receipt]:
        """Take a delivery; see ``Inlet.put``."""
        payload = to_bytes(delivery)
        future: Future[Receipt] = Future()
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(len(payload)) or self._closing, timeout=wait):
                raise IntakeFullError(self._why_full())
            if self._closing:
                raise IntakeFullError("the spool is closing; send it again in a moment")
            self._waiting.append(_Waiting(delivery.source, delivery.position, delivery.notes, payload, future))
            self._waiting_bytes += len(payload)
            self._changed.notify_all()
        return future

    def take(self, most_bytes: int, most_records: int = 1000, *, wait: float = 0.0) -> list[Record]:
        """Return the next records to send, oldest first; the same ones until they are settled.

        Which ones belong together is on disk before this returns, so that after a crash the same request
        is made again, and can be known as a repetition; but see ``unmarked``.

        Parameters
        ----------
        most_bytes, most_records : how much to take; always one record, and less of a request repeated
        wait : seconds to wait for something to send
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest > self._mark.done or self._closing, timeout=wait)
            upto = self._mark.planned if self._mark.planned > self._mark.done else None
            files, done, newest = [replace(each) for each in self._files], self._mark.done, self._newest
        taken: list[Record] = []
        size = 0
        for path, end, found in self._unsettled_records(files, done):
            if upto is not None and found.number > upto and taken:
                break
            size += len(found.payload)
            if upto is None and taken and (size > most_bytes or len(taken) >= most_records):
                break
            taken.append(Record(found.number, from_bytes(found.payload), len(found.payload)))
            self._place = (path, found.number), end
        self._under_way = [each.number for each in taken]
        if not taken and newest > done:
            self.settle(newest)
        elif taken and taken[-1].number != upto:
            self._move(planned=taken[-1].number)
        return taken

    def replan(self, number: int) -> None:
        """Let the request under way end with this record, because the whole was refused."""
        self._move(planned=number)

    def settle(self, number: int) -> None:
        """Say that all records up to this one need not be sent again; their room is free."""
        sent = sum(each <= number for each in self._under_way)
        self._move(done=number, planned=number, altered=max(0, number - self._mark.done - sent))
        with self._changed:
            gone = [each for each in self._files[:-1] if each.last <= number]
            self._files = self._files[len(gone) :]
            self._changed.notify_all()
        for each in gone:
            each.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Make durable what was taken, then stop; deliveries that come later are refused."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._writer.join()
        if self._open_file is not None:
            os.close(self._open_file)
            self._open_file = None
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _recover(self) -> None:
        paths = sorted(self.folder.glob("*.spool"))
        firsts = [int(path.stem) for path in paths]
        for path, first, limit in zip(paths, firsts, [*firsts, 2**63][1:], strict=True):
            self._files.append(self._recovered(path, first, limit))
        self._newest = max((each.last for each in self._files), default=0)
        oldest = self._files[0].first - 1 if self._files else 0
        mark = read_mark(self.folder / "mark")
        if mark is None:
            mark = Mark(uuid4().hex)
            write_mark(self.folder / "mark", mark)
            sync_folder(self.folder)
        self._newest = max(self._newest, mark.done)
        # A file goes only when all of it is settled, whatever the mark still says.
        self._mark = replace(mark, done=max(mark.done, oldest), planned=max(mark.planned, oldest))

    def _recovered(self, path: Path, first: int, limit: int) -> _File:
        """Read a file up to its last whole record, and cut off what is behind it.

        Parameters
        ----------
        limit : number of the first record of the next file
        """
        data = path.read_bytes()
        file = _File(path, first, first - 1, 0)
        for found in whole_records(data, first - 1):
            if found.number >= limit:
                break
            file.end = found.end
            if found.number:
                file.last = found.number
                head = json.loads(found.payload.partition(b"\n")[0])
                self._known.remember(head["source"], head["position"], head["notes"])
            else:
                self._known.restore(found.payload)
        if file.end < len(data):
            os.truncate(path, file.end)
        return file

    def _why_full(self) -> str:
        return f"{self.folder}: the spool is full ({self._most_bytes / 1e6:,.0f} MB) until some of it is sent"

    def _has_room(self, size: int) -> bool:
        if self._waiting and self._waiting_bytes + size > BYTES_IN_MEMORY:
            return False
        used = sum(each.end for each in self._files) + self._waiting_bytes + size
        return used <= self._most_bytes or self._when_full == "drop oldest" or self._settled_room(used)

    def _settled_room(self, used: int) -> bool:
        """Whether the only file is all settled, so that the next write replaces it."""
        return self._mark.done == self._newest and not self._waiting and used > self._most_bytes

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                taken = list(self._waiting)
                self._waiting.clear()
            outcomes = self._write(taken)
            with self._changed:
                self._waiting_bytes -= sum(len(each.payload) for each in taken)
                self._changed.notify_all()
            for each, outcome in zip(taken, outcomes, strict=True):
                settle(each.future, outcome)

    def _write(self, taken: Sequence[_Waiting]) -> Sequence[Receipt | Exception]:
        """Write deliveries with one sync of the disk; all of them are kept, or none."""
        receipts: list[Receipt | Exception] = []
        fresh: list[_Waiting] = []
        claimed: set[tuple[str, str]] = set()
        for each in taken:
            key = each.source, each.position
            known = self._known.has(*key) or (bool(each.position) and key in claimed)
            receipts.append(Receipt(not known))
            if not known:
                claimed.add(key)
                fresh.append(each)
        if not fresh:
            return receipts
        records = [framed(self._newest + place, each.payload) for place, each in enumerate(fresh, start=1)]
        try:
            self._make_room(sum(map(len, records)))
            file, descriptor = self._file()
            write_at(descriptor, b"".join(records), file.end)
            os.fsync(descriptor)
        except OSError as error:
            self._give_up_file()
            reason = f"{self.folder}: cannot be written ({error.strerror}); nothing of it was kept, send it again"
            return [IntakeFullError(reason)] * len(taken)
        with self._changed:
            file.end += sum(map(len, records))
            file.last = self._newest = self._newest + len(fresh)
            for each in fresh:
                self._known.remember(each.source, each.position, each.notes)
        return receipts

    def _file(self) -> tuple[_File, int]:
        """Return the file to write to, a new one if the last is full or all settled."""
        last = self._files[-1] if self._files else None
        if self._open_file is not None and last is not None:
            settled = self._mark.done >= last.last >= last.first and last.end > self._file_bytes // 4
            if last.end < self._file_bytes and not settled:
                return last, self._open_file
            os.close(self._open_file)
            self._open_file = None
        first = self._newest + 1
        path, new = self.folder / f"{first:020d}.spool", self.folder / "new"
        state = framed(0, self._known.state())
        try:
            descriptor = written(new, state)
        except OSError:
            if not self._reserve.spend():
                raise
            descriptor = written(new, state)
        try:
            # An empty file of this name may hold the only copy of the state; it is replaced as a whole.
            new.replace(path)
            sync_folder(self.folder)
        except OSError:
            os.close(descriptor)
            raise
        file = _File(path, first, first - 1, len(state))
        with self._changed:
            gone = [each for each in self._files if each.last <= self._mark.done and each.path != path]
            kept = [each for each in self._files if each.last > self._mark.done and each.path != path]
            self._files = [*kept, file]
        for each in gone:
            each.path.unlink(missing_ok=True)
        self._reserve.keep(2 * len(state))
        self._open_file = descriptor
        return file, descriptor

    def _give_up_file(self) -> None:
        """Cut off what may have been written, and let the next write begin a new file."""
        if self._open_file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._open_file, self._files[-1].end)
            os.close(self._open_file)
            self._open_file = None

    def _make_room(self, size: int) -> None:
        if self._when_full == "refuse":
            return
        while True:
            with self._changed:
                used = sum(each.end for each in self._files) + size
                if used <= self._most_bytes or len(self._files) < 2:
                    return
                oldest = self._files.pop(0)
                lost = max(0, oldest.last - max(self._mark.done, oldest.first - 1))
            oldest.path.unlink(missing_ok=True)
            if lost:
                self._move(done=oldest.last, planned=max(self._mark.planned, oldest.last), dropped=lost)

    def _move(self, *, done: int = 0, planned: int, dropped: int = 0, altered: int = 0) -> None:
        """Move the mark; ``dropped`` and ``altered`` are added to what it counts."""
        with self._changed:
            done = max(done, self._mark.done)
            self._mark = replace(
                self._mark,
                turn=self._mark.turn + 1,
                done=done,
                planned=max(planned, done),
                dropped=self._mark.dropped + dropped,
                altered=self._mark.altered + altered,
            )
            # To stop here would keep a full disk full for ever: sending is what empties it.
            try:
                write_mark(self.folder / "mark", self._mark)
            except OSError as error:
                self._unmarked = f"{self.folder / 'mark'}: cannot be written ({error.strerror})"
            else:
                self._unmarked = ""

    def _unsettled_records(self, files: Sequence[_File], done: int) -> Iterator[tuple[Path, int, Found]]:
        """Give each record with its file and where it ends in it."""
        for file in files:
            if file.last <= done:
                continue
            known, place = self._place
            at, before = (place, done) if known == (file.path, done) else (0, file.first - 1)
            try:
                with file.path.open("rb") as stream:
                    stream.seek(at)
                    data = stream.read(file.end - at)
            except FileNotFoundError:
                continue  # dropped meanwhile
            for found in whole_records(data, before):
                if found.number > done:
                    yield file.path, at + found.end, found
