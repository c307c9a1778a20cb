"""A store that work takes along to another process: not its content, but where it is."""

from pathlib import Path
from threading import Lock
from uuid import uuid4

from ingest.errors import StoreError
from ingest.store import Store

_SOURCE, _POSITION = "andon store", "identity"
_open: dict[tuple[Path, str, str, str], Store] = {}
_opening = Lock()


def identity_of(store: Store) -> str:
    """Return what no other store has; it is written down when it is first asked for."""
    if not store.note(_SOURCE, _POSITION):
        store.set_note(_SOURCE, _POSITION, uuid4().hex)
    return store.note(_SOURCE, _POSITION) or ""


def reopened(folder: Path, database: str, lake: str, identity: str) -> Store:
    """Return the store that is there, opened once in each process.

    Raises
    ------
    StoreError
        When there is none here, or another one: a worker on another computer sees only what both can reach.
    """
    key = folder, database, lake, identity
    with _opening:
        if key not in _open:
            if not database and not (folder / "readings.db").exists():
                raise StoreError(f"{folder}: holds no readings on this computer; {_SHARED}")
            store = Store(folder, database=database, lake=lake)
            if store.note(_SOURCE, _POSITION) != identity:
                store.close()
                raise StoreError(f"{folder}: holds the readings of another plant on this computer; {_SHARED}")
            _open[key] = store
        return _open[key]


_SHARED = "workers on several computers need readings in PostgreSQL and a lake in object storage (see docs/engine.md)"
