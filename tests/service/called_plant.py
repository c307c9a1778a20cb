"""A plant whose alerts call people, without readings: alerts are raised by hand and time is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ingest.database import Database
from ingest.plant import Plant
from models.finding import Evidence, Finding
from service.alerts import book
from service.alerts.alert import Alert
from service.alerts.pipeline.calling import Calling
from service.alerts.pipeline.decide import keep_calls
from service.alerts.pipeline.decisions import Decision, decisions_about
from service.alerts.pipeline.rules import Rules
from service.delivery.tables import notice_table
from tests.ready_state import open_state

MONDAY = datetime(2026, 3, 2, 6, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(**{each: 1}) for each in ("seconds", "minutes", "hours", "days"))
PRECISION = {"judged": {"precision": {"value": 0.5, "low": 0.3, "high": 0.7}}}


def plant_of(routes: list[dict[str, Any]], *, machines: int = 6, **more: Any) -> Plant:
    """Return a plant of presses on lines A and B, half of them on each."""
    return Plant.model_validate(
        {
            "classes": [{"name": "press", "signals": [{"name": "vibration"}, {"name": "pressure"}]}],
            "machines": [
                {"name": f"press-{each}", "class": "press", "line": "AB"[each * 2 // machines]}
                for each in range(machines)
            ],
            "costs": {"missed_failure": 10_000, "planned_stop": 2_000, "false_alarm": 500},
            "routes": routes,
            **more,
        }
    )


@dataclass
class Called:
    """A state database, what decides, and the time."""

    plant: Plant
    state: Database
    now: datetime = MONDAY
    card: Mapping[str, Any] = field(default_factory=lambda: PRECISION)

    @property
    def rules(self) -> Rules:
        return Rules(self.plant, lambda model, version: self.card)

    @property
    def calling(self) -> Calling:
        return Calling(self.state, self.rules, self.now)

    def finding(
        self,
        machine: str = "press-0",
        cause: str = "bearing",
        *,
        level: float = 0.5,
        hours: float = 100,
        kind: Any = "failure ahead",
        signals: Mapping[str, float] | None = None,
        money: float | None = None,
    ) -> Finding:
        return Finding(
            machine=machine,
            kind=kind,
            cause=cause,
            model="risk",
            version="v1",
            begin=self.now,
            end=None,
            level=level,
            act_before=self.now + hours * HOUR,
            evidence=tuple(
                Evidence(signal=name, unit="", feature="mean", actual=2.0, expected=1.0, share=share)
                for name, share in (signals or {}).items()
            ),
            sentence=f"{machine}: {cause}",
            money_per_hour=money,
        )

    def alert(self, *about: str, **more: Any) -> int:
        """Raise an alert, and decide whom it calls in the same transaction."""
        with self.calling.write() as connection:
            return book.raise_alert(connection, self.finding(*about, **more), at=self.now)[0].number

    def over(self, number: int) -> None:
        with self.calling.write() as connection:
            book.condition_over(connection, number, at=self.now)

    def acknowledge(self, number: int) -> None:
        with self.calling.write() as connection:
            book.acknowledge(connection, number, by="Ines", at=self.now)

    def after(self, span: timedelta, *, step: timedelta | None = None) -> None:
        """Let time pass; the clock of the server looks at the end of each step, or only at the end."""
        until = self.now + span
        while self.now < until:
            self.now = min(until, self.now + (step or span))
            keep_calls(self.state, self.rules, self.now)

    def show(self, number: int) -> Alert:
        with self.state.read() as connection:
            return book.find_muted(connection, number, self.now)

    def messages(self) -> list[tuple[str, str, list[int]]]:
        """Return kind, target and alerts of each message that was written."""
        with self.state.read() as connection:
            rows = connection.execute(select(notice_table).order_by(notice_table.c.id)).all()
        return [(row.kind, row.target, [each["alert"] for each in row.body.get("alerts", [])]) for row in rows]

    def decisions(self, number: int) -> list[Decision]:
        with self.state.read() as connection:
            return decisions_about(connection, number)

    def why(self, number: int) -> list[str]:
        """Return the reasons of all decisions about an alert, in their order."""
        return [each.reason.value for each in self.decisions(number)]


def called(folder: Path, plant: Plant, database: str = "") -> Called:
    return Called(plant, open_state(folder / "state.db", database))
