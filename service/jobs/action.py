"""Actions: what the jobs of a plant file can do, one function each."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.engine import Connection

from ingest.errors import AndonError, UnreadFilesError
from ingest.plant import Job, ModelEntry
from service import monitor
from service.alerts.learnt import learnt_history
from service.control_room import ControlRoom
from service.database import assessment_table
from service.delivery.tend import forget as forget_notices
from service.fill_in import fill_in
from service.grades import grade_when_due
from service.jobs import ledger
from service.jobs.asked import Asked, Filling
from service.jobs.looks import looks_of
from service.jobs.report import keep_page, write_report
from service.jobs.run import Outcome, Run, RunState
from service.retire import retire
from service.watch_characteristics import watch_characteristics
from service.watch_losses import watch_losses
from service.work_order_drop import draft_work_orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an action is given.

    Attributes
    ----------
    room : its state is written only while the run is ours
    run : as it was claimed
    now : the present, later than the slot by as much as the run is late
    """

    room: ControlRoom
    job: Job
    run: Run
    now: datetime

    @property
    def slot(self) -> datetime:
        """The moment that the run stands for."""
        return self.asked.at or self.run.slot

    @property
    def asked(self) -> Asked:
        """What a person asked for beside what the job says."""
        return Asked.of(self.run.parameters)

    @property
    def entries(self) -> list[ModelEntry]:
        """The models that the run concerns."""
        own, asked = self.job.models, self.asked.models
        return [
            entry
            for entry in self.room.plant.models
            if (not own or entry.name in own) and (not asked or entry.name in asked)
        ]


Action = Callable[[Work], Outcome]


def ingest(work: Work) -> Outcome:
    """Read what is new in the plant's files."""
    from ingest.sources.files import ingest_files

    unread = ""
    try:
        report = ingest_files(work.room.plant, work.room.store, now=work.now)
    except UnreadFilesError as error:
        report, unread = error.report, str(error)
    rows = sum(each.accepted for each in report.files)
    rejected = sum(each.rejected for each in report.files)
    return Outcome(
        state=RunState.FAILED if unread else RunState.DONE,
        summary=unread.partition("\n")[0]
        or f"{len(report.files)} files: {rows:,} rows accepted, {rejected:,} rejected",
        rows=rows,
        log="\n".join(
            [
                *unread.splitlines(),
                *(
                    f"{each.path}, line {why.line}: {why.column} {why.value!r}: {why.reason}"
                    for each in report.files
                    for why in each.rejections
                ),
            ]
        ),
    )


def score(work: Work) -> Outcome:
    """Run one round as of the slot; or score the next chunk of the past, where somebody asked for that."""
    filling = Filling.of(work.run.parameters)
    return _round(work) if filling is None else _fill(work, filling)


def _fill(work: Work, filling: Filling) -> Outcome:
    room, forward = work.room, filling.forward()
    if filling.alerts:
        monitor.round(
            room.plant,
            room.store,
            room.registry,
            room.state,
            at=filling.next,
            since=filling.start,
            only=[each.name for each in work.entries],
            engine=room.engine,
        )

    def note(connection: Connection) -> None:
        ledger.note(connection, work.run, {**work.run.parameters, **forward.to_dict()})

    filled = fill_in(room, work.entries, filling.done, filling.next, again=filling.again, also=note)
    done, chunks = forward.chunks
    failed = f"; {len(filled.errors)} could not be assessed, first: {filled.errors[0]}" if filled.errors else ""
    return Outcome(
        state=RunState.DONE if forward.done >= forward.end else RunState.WAITING,
        summary=f"{done} of {chunks} chunks, {filled.windows:,} windows in the last one{failed}",
        rows=filled.windows,
        models=filled.models,
        log="\n".join(filled.errors),
    )


def _round(work: Work) -> Outcome:
    room = work.room
    report = monitor.round(
        room.plant,
        room.store,
        room.registry,
        room.state,
        at=work.slot,
        only=[each.name for each in work.entries],
        engine=room.engine,
    )
    errors = [*report.errors]
    try:
        grade_when_due(room.plant, room.store, room.state, at=work.slot)
    except AndonError as error:
        errors.append(f"grades of signals: {error}")
    try:
        draft_work_orders(room, at=work.slot)
    except AndonError as error:
        errors.append(f"drafts of work orders: {error}")
    summary = f"{report.windows:,} windows of {report.machines} machines: {report.raised} raised, {report.over} over"
    if report.rescored or report.too_late:
        summary += f"; late readings: {report.rescored:,} windows again, {report.too_late:,} rows too late"
    if errors:
        summary += f"; {len(errors)} could not be assessed, first: {errors[0]}"
    return Outcome(
        state=RunState.FAILED if report.errors and not report.windows else RunState.DONE,
        summary=summary,
        rows=report.windows,
        machines=report.machines,
        models=report.models,
        log="\n".join([*errors, *(f"{name}: no recent readings" for name in report.stale)]),
    )


def losses(work: Work) -> Outcome:
    """Judge the newest whole shift of every machine and the newest points of control charts.

    What begins opens alerts, what is over ends its own.
    """
    room = work.room
    turn = watch_losses(room.plant, room.store, room.calling(work.slot), at=work.slot)
    charts = watch_characteristics(room.plant, room.store, room.calling(work.slot), at=work.slot)
    summary = f"{turn.machines} machines after a shift: {turn.raised} raised, {turn.over} over, {turn.lasting} last"
    if charts.summary:
        summary += f"; {charts.summary}"
    errors = [*turn.errors, *charts.errors]
    if errors:
        summary += f"; {len(errors)} could not be judged, first: {errors[0]}"
    return Outcome(
        state=RunState.FAILED if errors and not turn.machines and not charts.looked_at else RunState.DONE,
        summary=summary,
        machines=turn.machines,
        log="\n".join(errors),
    )


def train(work: Work) -> Outcome:
    """Train models on everything up to the slot; one that cannot be trained does not stop the others."""
    from models.train import train as train_one

    room = work.room
    trained: list[str] = []
    not_live: list[str] = []
    failed: list[str] = []
    history = learnt_history(room.state, room.plant, room.store)
    for entry in work.entries:
        with room.state.write():
            pass  # a worker that lost the run leaves the rest to the next one
        try:
            done = train_one(
                room.plant, history, entry, room.registry, now=work.now, until=work.slot, engine=room.engine
            )
        except AndonError as error:
            failed.append(f"{entry.name}: {error}")
            continue
        trained.append(entry.name)
        if not done.live:
            not_live.append(f"{entry.name} {done.version}: {done.state}")
        try:
            retire(room, entry.name, trained=done.version)
        except AndonError as error:
            failed.append(f"{entry.name}: {error}")
    summary = f"trained {len(trained)} of {len(work.entries)} models, {len(not_live)} of them not live"
    return Outcome(
        state=RunState.FAILED if failed else RunState.DONE,
        summary=summary + (f"; {failed[0]}" if failed else ""),
        models=tuple(trained),
        log="\n".join([*failed, *not_live]),
    )


def backtest(work: Work) -> Outcome:
    """Judge models on the past up to the slot, and write what came of it to ``backtests`` in the data folder."""
    from models.judging.judged import judged

    room = work.room
    found: dict[str, Any] = {}
    said, failed = [], []
    for entry in work.entries:
        rounds = looks_of(room.plant, room.store, entry)
        try:
            verdicts = judged(room.plant, room.store, entry, end=work.slot, rounds=rounds, engine=room.engine)
        except AndonError as error:
            failed.append(f"{entry.name}: {error}")
            continue
        found[entry.name] = verdicts.to_dict()
        said.append(verdicts.summary())
    path = keep_page(room, "backtests", work.job, work.slot, ".json", json.dumps(found, ensure_ascii=False, indent=2))
    return Outcome(
        state=RunState.FAILED if failed else RunState.DONE,
        summary=f"judged {len(found)} of {len(work.entries)} models, in {path.name}"
        + (f"; {failed[0]}" if failed else ""),
        models=tuple(found),
        log="\n\n".join([*failed, *said]),
    )


def report(work: Work) -> Outcome:
    """Write a page about the plant as of the slot to the data folder."""
    path = write_report(work.room, work.job, work.slot)
    return Outcome(summary=f"wrote {path.name}", machines=len(work.room.plant.machines), log=str(path))


def seal(work: Work) -> Outcome:
    """Move what is in the log to the lake, and merge its files."""
    sealed = work.room.store.seal()
    return Outcome(summary=f"sealed {sealed.rows:,} rows into {sealed.segments} files", rows=sealed.rows)


def clean(work: Work) -> Outcome:
    """Seal the log and remove old assessments and runs; alerts and readings are kept for ever."""
    settings = work.room.settings
    work.room.store.seal()
    with work.room.state.write() as connection:
        old = delete(assessment_table).where(assessment_table.c.time < work.slot - settings.keep_assessments)
        assessments = connection.execute(old).rowcount
        runs = ledger.forget(connection, before=work.slot - settings.keep_runs)
        forget_notices(connection, before=work.slot - settings.keep_runs)
    return Outcome(summary=f"removed {assessments:,} assessments and {runs:,} runs", rows=assessments)


ACTIONS: dict[str, Action] = {
    "ingest": ingest,
    "score": score,
    "losses": losses,
    "train": train,
    "backtest": backtest,
    "report": report,
    "seal": seal,
    "clean": clean,
}
"""Every action of ``ingest.plant.Job`` by its name."""
