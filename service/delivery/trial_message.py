"""A message that only shows that a target can be reached."""

from datetime import datetime
from uuid import uuid4

from ingest.plant import Plant
from service.delivery.notice import Notice
from service.delivery.outbox import NoticeKind


def trial_message(target: str, plant: Plant, *, at: datetime) -> Notice:
    """Return a message that no alert stands behind; it is not kept."""
    body = {
        "plant": plant.name,
        "status": "firing",
        "subject": f"Test message to {target}",
        "text": "Somebody asked Andon for it; there is nothing to do.",
    }
    return Notice(
        id=0, message=uuid4().hex, target=target, kind=NoticeKind.TEST, alert=None, machine="", body=body, at=at, due=at
    )
