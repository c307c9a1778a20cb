"""Take over what is kept elsewhere: which model version went live, and that the plant file is another one.

Both are files, so they cannot change in one transaction with the trail. The history of what was live is chained and
durable itself; whoever looks next takes over each change that the trail does not have yet, whoever was killed
in between.
"""

import json
import tomllib
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from ingest.database import Database
from models.registry.live_history import Change
from service.audit.record import ANDON, Entry, Subject
from service.audit.trail import Asked, append, count_of, list_records, newest_of


def follow_models(state: Database, changes: Sequence[Change]) -> int:
    """Take over which versions went live since the last look, and return how many did."""
    with state.read() as connection:
        if count_of(connection, Subject.MODEL) >= len(changes):
            return 0
    with state.write() as connection:
        new = changes[count_of(connection, Subject.MODEL) :]
        append(connection, [_of_model(each) for each in new])
    return len(new)


def model_faults(connection: Connection, changes: Sequence[Change]) -> list[str]:
    """Return where the history of what was live says other than the trail does, one line each."""
    records = list_records(connection, Asked(subject=Subject.MODEL))[::-1]
    if len(records) > len(changes):
        return [f"{len(records)} changes of models are in the trail, and {len(changes)} in their own history"]
    told = [(each.at, each.by, each.name, each.what, each.why, each.detail) for each in records]
    kept = [(e.at, e.by, e.name, e.what, e.why, dict(e.detail)) for e in map(_of_model, changes[: len(records)])]
    return [
        f"record {record.number}: model {record.name!r} has another change in its own history"
        for record, one, other in zip(records, told, kept, strict=True)
        if one != other
    ]


def see_plant(state: Database, path: Path, *, at: datetime) -> bool:
    """Write down where the plant file is another one than when it was last seen; return whether it is.

    Of its content the trail keeps hashes, one for each part, so that it says what changed and keeps no secret.
    """
    parts, name = _parts(path), path.name
    with state.read() as connection:
        if _changed(connection, name, parts) == []:
            return False
    with state.write() as connection:
        changed = _changed(connection, name, parts)
        if changed == []:
            return False
        what, why = ("first seen", "") if changed is None else ("changed", ", ".join(changed))
        entry = Entry(at=at, by=ANDON, subject=Subject.PLANT, name=name, what=what, why=why, detail=parts)
        append(connection, [entry])
    return True


def _changed(connection: Connection, name: str, parts: dict[str, str]) -> list[str] | None:
    """Return the parts that are others than before; ``None`` where the file was never seen."""
    before = newest_of(connection, Subject.PLANT, name)
    if before is None:
        return None
    return sorted(each for each in {*before.detail, *parts} if before.detail.get(each) != parts.get(each))


def _parts(path: Path) -> dict[str, str]:
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # it was made by a program, or went away after it was read
    return {name: sha256(json.dumps(part, default=str).encode()).hexdigest()[:32] for name, part in content.items()}


def _of_model(change: Change) -> Entry:
    return Entry(
        at=change.at,
        by=change.by,
        subject=Subject.MODEL,
        name=change.model,
        what=change.what,
        why=change.why,
        detail={"version": change.version, "against": change.against},
    )
