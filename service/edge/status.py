"""Status: what an operator wants to know of an edge, written beside its spool once a second."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import structlog

from ingest.errors import StoreBusyError
from ingest.sources.stream import StreamState
from ingest.spool import Spool
from service.edge.aside import Aside
from service.edge.forwarder import Progress

STATUS_SECONDS = 1.0
_FILE = "status.json"
_SILENT = "nobody listens: andon forward does not run"
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How an edge is.

    Attributes
    ----------
    running : whether a process has the spool
    written : when this was true; ``None`` if no process ever said
    waiting, bytes : records that are not sent yet; size of the spool on disk
    dropped, altered : records that were dropped to make room; that the disk had altered
    aside : files in the folder ``aside``
    unmarked : why the disk does not know how far the spool is sent; empty if it does
    streams : what is wrong with each stream, empty while it listens; none listens when no process runs
    problem and the others : of the process that runs, or that ran last
    """

    running: bool
    to: str = ""
    written: datetime | None = None
    waiting: int = 0
    waiting_since: datetime | None = None
    bytes: int = 0
    most_bytes: int = 0
    dropped: int = 0
    altered: int = 0
    aside: int = 0
    accepted: int = 0
    rejected: int = 0
    sent: datetime | None = None
    problem: str = ""
    problem_since: datetime | None = None
    unmarked: str = ""
    streams: Mapping[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether nobody needs to look."""
        lost = self.aside or self.altered or self.dropped
        trouble = self.problem or self.unmarked or lost or any(self.streams.values())
        return self.running and not trouble


class Teller:
    """Writes the status once a second, and logs what was lost when that grows."""

    def __init__(
        self,
        spool: Spool,
        progress: Callable[[], Progress],
        streams: Callable[[], Mapping[str, StreamState]],
        *,
        to: str,
        most_bytes: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._spool, self._progress, self._streams = spool, progress, streams
        self._to, self._most_bytes, self._clock = to, most_bytes, clock
        self._aside = Aside(spool.folder / "aside")
        self._lost = (spool.dropped, spool.altered)
        self._unmarked = ""
        self._stop = Event()
        self._thread = Thread(target=self._tell, name="andon-status", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End with a last word."""
        self._stop.set()
        self._thread.join()

    def _tell(self) -> None:
        while True:
            status = self._status()
            lost = (status.dropped, status.altered)
            if lost != self._lost:
                self._lost = lost
                _log.error("records were lost", dropped=status.dropped, altered=status.altered)
            if status.unmarked != self._unmarked:
                self._unmarked = status.unmarked
                _log.warning("what is sent may be sent again after a crash", why=status.unmarked or "not any more")
            # A full disk must not stop the draining that empties it.
            with suppress(OSError):
                _write(self._spool.folder / _FILE, status)
            if self._stop.wait(STATUS_SECONDS):
                return

    def _status(self) -> Status:
        progress = asdict(self._progress())
        spool = self._spool
        return Status(
            running=True,
            to=self._to,
            written=self._clock(),
            waiting=spool.unsettled,
            bytes=spool.size,
            most_bytes=self._most_bytes,
            dropped=spool.dropped,
            altered=spool.altered,
            aside=self._aside.count(),
            unmarked=spool.unmarked,
            streams={name: each.why for name, each in self._streams().items()},
            **progress,
        )


def read_status(folder: Path) -> Status:
    """Return how the edge with this spool is, whether or not it runs.

    Raises
    ------
    StoreError
        When the folder cannot be used.
    """
    said = _read(folder / _FILE)
    silent = {name: why or _SILENT for name, why in said.streams.items()}
    if not folder.exists():
        return replace(said, running=False)
    try:
        with Spool(folder) as spool:
            return replace(
                said,
                running=False,
                waiting=spool.unsettled,
                bytes=spool.size,
                dropped=spool.dropped,
                altered=spool.altered,
                aside=Aside(folder / "aside").count(),
                streams=silent,
            )
    except StoreBusyError:
        return replace(said, running=True)


def _write(path: Path, status: Status) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(asdict(status), default=datetime.isoformat), encoding="utf-8")
    new.replace(path)


def _read(path: Path) -> Status:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name in ("written", "waiting_since", "sent", "problem_since"):
            found[name] = datetime.fromisoformat(found[name]) if found[name] else None
        return Status(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return Status(running=False)
