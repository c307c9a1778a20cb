"""Work orders to and from the maintenance system: drafted each round, handed over and answered through a folder.

``out/work-order-7.json`` is what a person approved; the file is there whole or not at all, and after a kill it is
written again, the same bytes under the same name, so whoever imports it by its name has it once. ``in/*.json`` are
answers: taken over, then moved to ``taken/``; what cannot be read goes to ``refused/`` with the reason beside it.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.durable import sync_folder, written
from ingest.errors import AndonError, SourceError
from service.alerts import work_orders
from service.alerts.book import list_alerts
from service.alerts.kept_money import kept_money
from service.alerts.mutes import muted
from service.alerts.rank import where_to_look_first
from service.alerts.work_order import WorkOrder, WorkOrderState
from service.control_room import ControlRoom

MAINTENANCE = "maintenance system"
"""Who said it, where an answer does not name anybody."""

LARGEST_ANSWER = 1 << 20


def draft_work_orders(room: ControlRoom, *, at: datetime) -> list[WorkOrder]:
    """Draft what the open alerts are worth; none where the plant file has no ``[work_orders]``."""
    settings = room.plant.work_orders
    if settings is None or not settings.most_a_week:
        return []
    with room.state.read() as connection:
        live = muted(connection, list_alerts(connection), at)
        ranked = where_to_look_first(live, room.plant.costs, at, room.registry.card, kept_money(connection))
    if not ranked:
        return []
    with room.state.write() as connection:
        return work_orders.draft(connection, ranked, room.plant.costs, most_a_week=settings.most_a_week, at=at)


def hand_over(room: ControlRoom, *, at: datetime) -> list[Path]:
    """Write each approved work order that was not handed over yet to the folder, and return the files."""
    folder = drop_folder(room)
    if folder is None:
        return []
    out = folder / "out"
    with room.state.read() as connection:
        approved = work_orders.list_orders(connection, states=[WorkOrderState.APPROVED])
    made = []
    for order in reversed(approved):
        if order.handed_at is not None:
            continue
        path = out / f"work-order-{order.number}.json"
        out.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}")
        with_end = json.dumps(contract(order, room.plant.name), indent=2, ensure_ascii=False) + "\n"
        os.close(written(beside, with_end.encode()))
        beside.replace(path)
        sync_folder(out)
        # Only now: killed before, it is written again.
        with room.state.write() as connection:
            work_orders.handed(connection, order.number, at=at)
        made.append(path)
    return made


def read_answers(room: ControlRoom, *, at: datetime) -> tuple[int, list[str]]:
    """Take over the answers in the folder; return how many, and one line for each that could not be read."""
    folder = drop_folder(room)
    if folder is None or not (folder / "in").is_dir():
        return 0, []
    taken, problems = 0, []
    for path in sorted((folder / "in").glob("*.json")):
        try:
            _take(room, path, at)
        except AndonError as error:
            problems.append(f"{path.name}: {error}")
            _move(path, folder / "refused", why=str(error))
        else:
            taken += 1
            _move(path, folder / "taken")
    return taken, problems


def drop_folder(room: ControlRoom) -> Path | None:
    """Return the folder between the two systems, beside the plant file where its path is relative."""
    settings = room.plant.work_orders
    return None if settings is None or settings.folder is None else room.plant.folder / settings.folder


def contract(order: WorkOrder, plant: str) -> dict[str, Any]:
    """Return a work order as the maintenance system gets it."""
    return {
        "number": order.number,
        "plant": plant,
        "machine": order.machine,
        "cause": order.cause,
        "title": order.title,
        "act_before": order.act_before.isoformat(),
        "worth": order.worth,
        "alert": order.alert,
        "approved_by": order.decided_by,
        "approved_at": None if order.decided_at is None else order.decided_at.isoformat(),
        "note": order.why,
    }


def _take(room: ControlRoom, path: Path, at: datetime) -> None:
    """Take over one answer; ``SourceError`` where it is none."""
    if path.stat().st_size > LARGEST_ANSWER:
        raise SourceError(f"larger than {LARGEST_ANSWER:,} bytes")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        number, status = said["number"], said["status"]
        reference, done, by = said.get("reference", ""), said.get("done", False), said.get("by", MAINTENANCE)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"no JSON object with number and status, and reference, done and by ({error})") from error
    texts = all(isinstance(each, str) and "\0" not in each for each in (status, reference, by))
    if not (isinstance(number, int) and isinstance(done, bool) and texts and 0 < number < 2**31):
        raise SourceError("number must be a whole number, done true or false, and status, reference and by texts")
    with room.state.write() as connection:
        work_orders.report(connection, number, status=status, at=at, reference=reference, done=done, by=by)


def _move(path: Path, folder: Path, why: str = "") -> None:
    folder.mkdir(exist_ok=True)
    if why:
        (folder / f"{path.name}.why").write_text(why + "\n", encoding="utf-8")
    path.replace(folder / path.name)
