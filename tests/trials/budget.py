"""Budget and flood: how calls are spent over a thousand weeks, and what a plant trip comes to.

``python -m tests.trials.budget [--weeks 1000] [--alarms 1000]``

**Weeks.** Alerts come at random and are right as often as they say; how many come and how likely they are drifts over
the year, and in the middle twice as many come from one day on. The product's own stage spends the budget, asks again
as the product does, and is set beside whoever comes first, and an oracle that sees each week in advance. The database
has no part in this; that it lets no token be spent twice is tested with it.

**A trip.** Three lines trip within a few seconds, each for a root cause, and 1,000 alarms follow in a minute, some of
them critical. Alarms are raised and told through the state database.
"""

import argparse
import math
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from ingest.plant_route import Route
from service.alerts import book
from service.alerts.alert import Alert, AlertState
from service.alerts.pipeline.budget import LOOK_AGAIN, budget
from service.alerts.pipeline.call import Call, Kept
from service.alerts.pipeline.decide import keep_calls
from service.alerts.pipeline.duty import Roster
from service.alerts.pipeline.purse import Purse
from service.alerts.pipeline.scene import Scene
from service.alerts.pipeline.tokens import LEARNT_FROM
from service.alerts.pipeline.worth import Worth
from service.alerts.severity import Severity
from service.delivery.tables import notice_table
from tests.service.called_plant import HOUR, MINUTE, SECOND, called, plant_of

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)
BUDGET = 5
MISSED, PLANNED, FALSE_ALARM = 10_000, 2_000, 500
CRITICAL = 0.03
"""Share of alerts that are critical."""


@dataclass(slots=True)
class Coming:
    """An alert of the simulation.

    Attributes
    ----------
    until : when it is over if nobody looks
    true : whether it is right
    """

    call: Call
    at: datetime
    until: datetime
    true: bool
    called: datetime | None = None


@dataclass
class Tally:
    """What a policy made of all weeks."""

    calls: list[int] = field(default_factory=list)
    right: int = 0
    value: float = 0.0


def week_of_alerts(week: int, weeks: int, draw: random.Random) -> list[Coming]:
    """Make up the alerts of a week, in the order in which they come."""
    season = math.sin(2 * math.pi * week / 52)
    rate = 12 * math.exp(0.4 * season) * (2 if week >= weeks / 2 else 1)
    number = sum(1 for _ in range(round(rate * 4)) if draw.random() < 0.25)
    route = Route(name="r", targets=["t"])
    made = []
    for place in range(number):
        at = BEGIN + WEEK * week + WEEK * draw.random()
        chance = min(0.95, draw.betavariate(1.2, 6) * (1 + 0.3 * season))
        value = max(0.0, chance * (MISSED - PLANNED) - (1 - chance) * FALSE_ALARM)
        critical = draw.random() < CRITICAL
        severity = Severity.CRITICAL if critical else Severity.MEDIUM
        worth = Worth(value=value, per_hour=None, severity=severity, critical_from=None, words="")
        alert = Alert(
            number=week * 1000 + place,
            machine="m",
            cause="c",
            kind="failure ahead",
            model="a",
            version="1",
            state=AlertState.UNACKNOWLEDGED,
            raised_at=at,
            condition_begin=at,
            act_before=at + WEEK,
            level=chance,
        )
        kept = Kept(alert=alert.number, route="r", key="", since=at)
        call = Call(alert=alert, route=route, places={}, worth=worth, kept=kept)
        lasts = timedelta(days=draw.expovariate(1 / 2))
        made.append(Coming(call, at, at + lasts, draw.random() < chance))
    return sorted(made, key=lambda each: each.at)


def spent_by_the_stage(weeks: Sequence[Sequence[Coming]], tally: Tally) -> None:
    """Let the product's stage spend the budget of each week."""
    plant = plant_of([])
    roster = Roster(plant)
    asked: list[tuple[datetime, float]] = []
    open_ones: list[Coming] = []
    for number, coming in enumerate(weeks):
        begins, ends = BEGIN + WEEK * number, BEGIN + WEEK * (number + 1)
        spent, waiting = 0, list(coming)
        looks = [begins + LOOK_AGAIN * each for each in range(int(WEEK / LOOK_AGAIN))]
        moments = sorted({*looks, *(each.at for each in coming)})
        for now in moments:
            new = [each for each in waiting if each.at <= now]
            waiting = waiting[len(new) :]
            asked += [(each.at, each.call.worth.value) for each in new if not critical(each)]
            open_ones = [each for each in open_ones if each.until > now] if now in looks else open_ones
            asking = [*new, *(open_ones if now in looks else [])]
            if not asking:
                continue
            asked = [each for each in asked if each[0] >= now - LEARNT_FROM]
            seen = max(WEEK, now - min((each[0] for each in asked), default=now))
            expected = len(asked) * ((ends - now) / seen)
            purse = Purse(BUDGET, spent, begins, ends, expected, [each[1] for each in asked])
            scene = Scene(plant=plant, now=now, roster=roster, purses={"r": purse})
            passed = budget([each.call for each in asking], scene)
            told = {call.alert.number for call in passed.passed}
            for each in asking:
                if each.call.alert.number in told:
                    each.called = now
                    spent += not critical(each)
            open_ones = [each for each in [*open_ones, *new] if each.called is None]
            open_ones = list({each.call.alert.number: each for each in open_ones}.values())
        tally.calls.append(spent)
    count(tally, [each for coming in weeks for each in coming if each.called is not None])


def critical(each: Coming) -> bool:
    """Whether it is told without a token."""
    return each.call.worth.severity is Severity.CRITICAL


def spent_by_order(weeks: Sequence[Sequence[Coming]], tally: Tally, *, oracle: bool) -> None:
    """Give the tokens of each week to whoever comes first, or to those that are worth most."""
    for coming in weeks:
        plain = [each for each in coming if not critical(each)]
        order = sorted(plain, key=lambda each: -each.call.worth.value) if oracle else plain
        tally.calls.append(len(order[:BUDGET]))
        count(tally, [*order[:BUDGET], *filter(critical, coming)])


def count(tally: Tally, told: Sequence[Coming]) -> None:
    """Count what people were called for."""
    tally.right += sum(each.true for each in told)
    tally.value += sum(each.call.worth.value for each in told)


@dataclass(frozen=True, slots=True)
class Trip:
    """What a plant trip came to.

    Attributes
    ----------
    messages : messages of new alerts within ten minutes of the first alarm
    slowest_root : seconds until the last root cause was told
    critical, hidden : critical alarms, and those of them that no message of ten minutes told of
    """

    alarms: int
    messages: int
    slowest_root: float
    critical: int
    hidden: int


def trip(folder: Path, alarms: int, seed: int) -> Trip:
    """Trip three lines of six in a minute, and count what people hear."""
    draw = random.Random(seed)  # noqa: S311 – no secret
    machines = 60
    route = {"name": "shift", "targets": ["phone"]}
    drive = {"name": "drive", "when": {"causes": "drive"}, "quiet": {}, "same": ["line"]}
    plant = plant_of([route], machines=machines, inhibits=[drive])
    spread = [each.model_copy(update={"line": f"L{number % 6}"}) for number, each in enumerate(plant.machines)]
    world = called(folder, plant.model_copy(update={"machines": spread}))
    begun, roots, critical_ones = world.now, {}, set()
    with closing(world.state):
        for second in range(60):
            with world.calling.write() as connection:
                if second in (0, 3, 6):
                    number = second // 3
                    finding = world.finding(f"press-{number}", "drive", level=0.95, hours=1)
                    roots[book.raise_alert(connection, finding, at=world.now)[0].number] = world.now
                for each in range(second * alarms // 60, (second + 1) * alarms // 60):
                    worst = draw.random() < 0.03
                    machine = f"press-{draw.randrange(machines // 6) * 6 + draw.randrange(3)}"
                    level, hours = (0.95, 1) if worst else (draw.random() * 0.5, 48)
                    finding = world.finding(machine, f"alarm {each}", level=level, hours=hours)
                    number = book.raise_alert(connection, finding, at=world.now)[0].number
                    critical_ones |= {number} if worst else set()
            world.now += SECOND
            keep_calls(world.state, world.rules, world.now)
        while world.now < begun + 10 * MINUTE:
            world.now += 5 * SECOND
            keep_calls(world.state, world.rules, world.now)
        with world.state.read() as connection:
            rows = connection.execute(select(notice_table).where(notice_table.c.kind == "raised")).all()
    told: dict[int, datetime] = {}
    for row in sorted(rows, key=lambda each: each.at):
        for number in [*(each["alert"] for each in row.body["alerts"]), *row.body["more"]]:
            told.setdefault(number, row.at)
    waits = [(told.get(number, begun + HOUR) - at).total_seconds() for number, at in roots.items()]
    hidden = len(critical_ones - set(told))
    return Trip(alarms + len(roots), len(rows), max(waits), len(critical_ones) + len(roots), hidden)


def main() -> None:
    """Run both and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=1000)
    parser.add_argument("--alarms", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)  # noqa: S311 – no secret
    weeks = [week_of_alerts(week, asked.weeks, draw) for week in range(asked.weeks)]
    everything = [each for coming in weeks for each in coming]
    true, worst = sum(each.true for each in everything), sum(map(critical, everything))
    sys.stdout.write(
        f"{asked.weeks} weeks, {len(everything)} alerts, {true} right, {worst} critical, {BUDGET} calls a week\n"
    )
    tallies = {name: Tally() for name in ("product", "first come", "oracle")}
    spent_by_the_stage(weeks, tallies["product"])
    spent_by_order(weeks, tallies["first come"], oracle=False)
    spent_by_order(weeks, tallies["oracle"], oracle=True)
    for name, tally in tallies.items():
        kept = sum(each <= BUDGET for each in tally.calls) / len(tally.calls)
        sys.stdout.write(
            f"{name:<11} within budget {kept:6.1%} of weeks, {sum(tally.calls) / len(tally.calls):.2f} calls a week, "
            f"recall {tally.right / true:.3f}, worth {tally.value:,.0f}\n"
        )
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(f"{trip(Path(folder), asked.alarms, asked.seed)}\n")


if __name__ == "__main__":
    main()
