"""Retire old versions of a model: those that nobody uses, once enough newer ones are there."""

from sqlalchemy import select

from service.alerts.alert import LIVE_STATES
from service.alerts.tables import alert_table
from service.control_room import ControlRoom


def retire(room: ControlRoom, model: str, *, trained: str) -> list[str]:
    """Remove old versions of a model and return their names.

    The newest ones stay, as many as the setting says, every version that was ever live, those that
    an open alert names, and the one that was just trained.
    """
    open_alerts = select(alert_table.c.version).where(
        alert_table.c.model == model, alert_table.c.state.in_([state.value for state in LIVE_STATES])
    )
    with room.state.read() as connection:
        named = set(connection.execute(open_alerts).scalars())
    return room.registry.retire(model, newest=room.settings.keep_versions, besides={*named, trained})
