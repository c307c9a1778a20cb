"""Suppress by design: alerts of a machine mean nothing while it is maintained, stands or starts.

The rules are looked at in each round; what one says is set with its name, and lifted by the next round
in which it says so no more. A suppression that no round renews for a day is over: if rounds stop, alerts
are shown.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy.engine import Connection

from features.excluded import excluded_time
from features.microsecond import moment
from features.running import Running
from features.sampling import signal_intervals
from ingest.database import Database
from ingest.errors import AndonError
from ingest.expression import read_expression
from ingest.history import History
from ingest.plant import MachineClass, Plant
from service.alerts import mutes
from service.alerts.mute import MuteKind
from service.audit.record import ANDON

LASTS = timedelta(days=1)
"""How long a suppression lasts that no round renews."""

LONGEST_MAINTENANCE = timedelta(days=90)
"""Maintenance that began longer ago is not looked for."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule suppresses a machine, and until when at most."""

    why: str
    until: datetime


Rule = Callable[[History, MachineClass, tuple[str, ...], datetime], Mapping[str, Reason]]
"""Returns the machines of a class that the rule suppresses at a moment."""


def suppress_by_design(plant: Plant, history: History, state: Database, *, at: datetime) -> list[str]:
    """Suppress and let go of machines as the rules say.

    Returns
    -------
    what failed, one line each; what a rule that failed has suppressed stays so until its time is up
    """
    said: dict[tuple[str, str], Reason] = {}
    asked: set[tuple[str, str]] = set()
    errors = []
    for machine_class in plant.classes:
        machines = plant.machines_of(machine_class.name)
        for name, rule in RULES.items():
            try:
                found = rule(history, machine_class, machines, at)
            except AndonError as error:
                errors.append(f"rule {name!r} of class {machine_class.name!r}: {error}")
                continue
            said |= {(machine, name): reason for machine, reason in found.items()}
            asked |= {(machine, name) for machine in machines}
    with state.read() as connection:
        held = mutes.lasting(connection, MuteKind.SUPPRESSED)
    if said or held:
        known = {each.name for each in plant.machines}
        with state.write() as connection:
            hold(connection, known, said, asked, at=at)
    return errors


def hold(
    connection: Connection,
    known: Collection[str],
    said: Mapping[tuple[str, str], Reason],
    asked: Collection[tuple[str, str]],
    *,
    at: datetime,
) -> None:
    """Suppress and let go, by what rules said.

    Parameters
    ----------
    known : machines of the plant file
    said : machine and rule of each suppression that should last
    asked : machine and rule of everything that could be looked at
    """
    held = {(each.machine, each.rule): each for each in mutes.lasting(connection, MuteKind.SUPPRESSED)}
    for key, mute in held.items():
        if mute.since > at:
            continue  # a later round was here before
        gone = mute.machine not in known or mute.rule not in RULES
        if mute.until <= at:
            mutes.end(connection, mute, at=mute.until, by=ANDON, why="its time was up")
        elif gone or (key in asked and key not in said):
            mutes.end(connection, mute, at=at, by=ANDON, why=f"rule {mute.rule!r} says so no more")
        elif key in said and said[key].until != mute.until:
            mutes.renew(connection, mute, {"until": said[key].until, "why": said[key].why})
    still = {(each.machine, each.rule) for each in mutes.lasting(connection, MuteKind.SUPPRESSED)}
    for (machine, rule), reason in said.items():
        if (machine, rule) not in still:
            mutes.begin(
                connection,
                MuteKind.SUPPRESSED,
                machine=machine,
                rule=rule,
                by=ANDON,
                why=reason.why,
                at=at,
                until=reason.until,
            )


def maintenance(
    history: History, machine_class: MachineClass, machines: tuple[str, ...], at: datetime
) -> Mapping[str, Reason]:
    """Return the machines of which maintenance is recorded that has begun and not ended.

    Maintenance without an end is a moment, and suppresses nothing.
    """
    events = history.events(
        machines=list(machines),
        kinds=["maintenance"],
        start=at - LONGEST_MAINTENANCE,
        end=at,
    )
    found = {}
    rows: list[Any] = events.to_dict("records")
    for row in rows:
        if pd.isna(row["end"]) or not row["time"] <= at < row["end"]:
            continue
        over = min(row["end"].to_pydatetime(), at + LASTS)
        what = " ".join(filter(None, (row["component"], row["code"])))
        found[row["machine"]] = Reason(f"maintenance{f' ({what})' if what else ''} is recorded", over)
    return found


def off(history: History, machine_class: MachineClass, machines: tuple[str, ...], at: datetime) -> Mapping[str, Reason]:
    """Return the machines that are known to stand, as the ``running`` of their class says."""
    running = _running(history, machine_class)
    if running is None:
        return {}
    stands = _left_out(replace(running, settle=timedelta(0)), history, machine_class, machines, at)
    return {each: Reason(f"not {running.expression}", at + LASTS) for each in stands}


def starting(
    history: History, machine_class: MachineClass, machines: tuple[str, ...], at: datetime
) -> Mapping[str, Reason]:
    """Return the machines that run and have not settled yet, as the ``settle`` of their class says."""
    running = _running(history, machine_class)
    if running is None or not running.settle:
        return {}
    stands = _left_out(replace(running, settle=timedelta(0)), history, machine_class, machines, at)
    either = _left_out(running, history, machine_class, machines, at)
    over = at + min(LASTS, running.settle)
    return {each: Reason("it settles after its start", over) for each in either if each not in stands}


RULES: Mapping[str, Rule] = {"maintenance": maintenance, "off": off, "starting": starting}
"""Each rule by the name that an alert is shown with."""


def _running(history: History, machine_class: MachineClass) -> Running | None:
    if machine_class.running is None:
        return None
    names = [signal.name for signal in machine_class.signals]
    needed = read_expression(machine_class.running, names).signals
    if not history.spans(machine_class.name) and needed:
        return None
    sampling = signal_intervals(history, machine_class) if needed else {}
    return Running.of(machine_class, sampling)


def _left_out(
    running: Running, history: History, machine_class: MachineClass, machines: tuple[str, ...], at: datetime
) -> set[str]:
    now = moment(at)
    spans = excluded_time(running, history, machine_class.name, machines, now - 1, now)
    return {machine for machine, found in zip(machines, spans, strict=True) if len(found.begin)}
