"""The tables of all rooms, as the newest step of the migrations leaves them."""

from service.access import tables as access
from service.alerts import tables as alerts
from service.alerts.pipeline import tables as pipeline
from service.audit import tables as audit
from service.database import metadata
from service.delivery import tables as delivery
from service.jobs import tables as jobs
from service.watchdog import tables as watchdog

ROOMS = (access, alerts, audit, delivery, jobs, pipeline, watchdog)
"""Whose tables stand in ``metadata`` now that they are imported, beside those of ``service.database``."""

__all__ = ["ROOMS", "metadata"]
