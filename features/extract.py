"""A recipe applied to a span of readings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from features.recipe import Recipe
from features.table import FeatureTable
from ingest.plant import MachineClass

if TYPE_CHECKING:
    from ingest.store import History


def extract(recipe: Recipe, history: History, machines: Sequence[str], start: datetime, end: datetime) -> FeatureTable:
    """Return one row per machine and window end in (start, end]; see the contract in this module's tests."""
    raise NotImplementedError


def sampling_interval(history: History, machine_class: MachineClass, *, until: datetime | None = None) -> timedelta:
    """Return the time between two readings: declared, otherwise the median step of a few machines."""
    raise NotImplementedError
