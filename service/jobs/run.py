"""Runs: one slot of one job each, how far it is, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row


class RunState(StrEnum):
    """How far a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Origin(StrEnum):
    """Why there is a run."""

    SCHEDULE = "schedule"
    BACK_FILL = "back-fill"
    BY_HAND = "by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One slot of one job.

    Attributes
    ----------
    slot : the moment that the run stands for; its work sees the plant as of then
    token : counts the claims, each row of them from a multiple of ``MOST_CLAIMS``, and never falls; only
        the newest claim may renew or finish
    lease_until : other workers leave the run alone until then
    outcome : one line: what was done, why it failed, or why it was skipped
    rows, machines, models : how much it worked on, ``None`` and empty where that means nothing
    cpu_seconds : processor time of the worker's process and its children while it ran, of all its tries
    peak_memory : highest memory of the worker's process so far, in bytes
    watt_hours : estimate of the energy, from the processor time
    log : details, as the action wrote them
    due : not begun before; ``None`` for the slot itself
    tries : how often it failed and was set to waiting again
    parameters : what was asked for beside what the job says
    """

    id: int
    job: str
    slot: datetime
    origin: Origin
    state: RunState
    token: int
    worker: str
    lease_until: datetime | None
    started: datetime | None
    ended: datetime | None
    outcome: str
    rows: int | None
    machines: int | None
    models: tuple[str, ...]
    cpu_seconds: float | None
    peak_memory: int | None
    watt_hours: float | None
    log: str
    due: datetime | None
    tries: int
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a run: ``done``, ``failed``, or ``waiting`` where there is more of it to be done."""

    state: RunState = RunState.DONE
    summary: str
    rows: int | None = None
    machines: int | None = None
    models: tuple[str, ...] = ()
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    watt_hours: float | None = None
    log: str = ""


def run_of(row: Row[Any]) -> Run:
    """Return a row of the ledger as a run."""
    fields = dict(row._mapping)
    fields["origin"], fields["state"] = Origin(row.origin), RunState(row.state)
    fields["models"] = tuple(json.loads(row.models)) if row.models else ()
    fields["parameters"] = row.parameters or {}
    return Run(**fields)
