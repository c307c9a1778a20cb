"""A loss that lasts is one alert, judged once a shift, over when the loss is over, ranked by money with failures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.database import Database
from ingest.plant import Costs
from ingest.simulation.planted_loss import PlantedLoss
from models.efficiency.finders.catalogue import FINDERS
from models.finding import Finding
from service import watch_losses as job
from service.alerts import book
from service.alerts.alert import Alert, AlertState, Verdict
from service.alerts.kept_money import kept_money
from service.alerts.rank import where_to_look_first
from service.database import open_state
from service.watch_losses import LossTurn, watch_losses
from tests.floor_plant import FloorPlant, floor_plant

ALL = tuple(AlertState)


@dataclass
class Shop:
    """Two presses, one of which jams in days 40 to 47, and the alerts about them."""

    works: FloorPlant
    state: Database

    def look(self, day: int, hour: float = 22.5) -> LossTurn:
        """Look at a time of a day."""
        at = self.works.midnight(day) + timedelta(hours=hour)
        return watch_losses(self.works.plant, self.works.history, self.state, at=at)

    def alerts(self, states: Sequence[AlertState] = ALL) -> list[Alert]:
        with self.state.read() as connection:
            return book.list_alerts(connection, states=states)


@pytest.fixture(scope="module")
def jams() -> FloorPlant:
    planted = PlantedLoss(machine="press-01", kind="minor stops", size=5, reason="jam", from_day=40, days=8)
    return floor_plant(planted, seed=35)


@pytest.fixture
def shop(jams: FloorPlant, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(jams, open_state(tmp_path / "state.db"))
    yield made
    made.state.close()


def days_until_raised(shop: Shop) -> int:
    return next(day for day in range(40, 48) if shop.look(day).raised)


def test_a_loss_opens_one_alert_that_ends_with_it(shop: Shop) -> None:
    looks = [(39, 22.5), (40, 14.5), *((day, 22.5) for day in (40, 41, 43, 46, 50, 53, 54))]
    turns = [shop.look(day, hour) for day, hour in looks]

    (alert,) = shop.alerts()
    assert (alert.machine, alert.kind, alert.cause, alert.model) == (
        "press-01",
        "time loss",
        "minor stops",
        "minor stops",
    )
    assert sum(turn.raised for turn in turns) == sum(turn.over for turn in turns) == 1
    assert alert.state is AlertState.RETURNED
    assert alert.condition_end is not None
    assert shop.works.midnight(47) < alert.condition_end < shop.works.midnight(54)


def test_a_shift_is_judged_once_however_often_somebody_looks(shop: Shop) -> None:
    day = days_until_raised(shop)
    before = shop.alerts()

    assert shop.look(day, 23).machines == 0
    assert shop.look(day + 1, 13.9).machines == 0, "no shift ended since"
    assert shop.alerts() == before


def test_a_look_that_was_killed_gives_the_same_when_it_is_run_again(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (38, 45):
        shop.look(day)
    undisturbed = shop.alerts()
    other = Shop(shop.works, open_state(tmp_path / "other.db"))
    other.look(38)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(job, "keep_watch", killed)
        with pytest.raises(KeyboardInterrupt):
            other.look(45)
    assert other.alerts() == []
    other.look(45)
    assert other.alerts() == undisturbed
    other.state.close()


def test_a_loss_that_came_and_went_before_the_first_look_opens_nothing(shop: Shop) -> None:
    assert shop.look(58).raised == 0


def test_an_alert_that_a_person_closed_stays_closed_while_the_loss_lasts(shop: Shop) -> None:
    day = days_until_raised(shop)
    (alert,) = shop.alerts()
    with shop.state.write() as connection:
        at = shop.works.midnight(day + 1)
        book.close(connection, alert.number, verdict=Verdict.RIGHT, by="Ada", at=at)

    assert [shop.look(each).raised for each in (day + 1, day + 3, 46, 50, 54)] == [0] * 5
    (closed,) = shop.alerts()
    assert closed.verdict is Verdict.RIGHT
    assert closed.condition_end is not None


def test_a_finder_that_fails_ends_nothing_and_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    day = days_until_raised(shop)

    def fails(look: object) -> None:
        raise job.AndonError("cannot say")

    monkeypatch.setitem(FINDERS, "minor stops", fails)  # type: ignore[arg-type]
    turn = shop.look(day + 2)  # the day after may be a Sunday
    assert (turn.over, turn.lasting) == (0, 1)
    assert turn.errors == ["press-01: minor stops: cannot say", "press-02: minor stops: cannot say"]


def test_a_machine_that_left_the_plant_file_loses_its_alert(shop: Shop) -> None:
    day = days_until_raised(shop)
    plant = shop.works.plant
    fewer = plant.model_copy(update={"machines": [each for each in plant.machines if each.name != "press-01"]})

    turn = watch_losses(fewer, shop.works.history, shop.state, at=shop.works.midnight(day + 1))
    assert (turn.over, turn.lasting) == (1, 0)


def test_a_loss_stands_among_failures_by_its_money_an_hour(shop: Shop) -> None:
    day = days_until_raised(shop)
    now = shop.works.midnight(day) + timedelta(hours=23)
    with shop.state.write() as connection:
        for machine, level, hours in (("press-01", 0.9, 5), ("press-02", 0.5, 2000)):
            book.raise_alert(connection, _failure(machine, level, now + timedelta(hours=hours)), at=now)
    with shop.state.read() as connection:
        lost = kept_money(connection)
        live = book.list_alerts(connection)

    costs = Costs(missed_failure=1000)
    ranked = where_to_look_first(live, costs, now, lambda model, version: {}, lost)
    assert [each.alert.cause for each in ranked] == ["bearing", "minor stops", "bearing"]
    assert ranked[1].per_hour == pytest.approx(lost[ranked[1].alert.number])
    assert ranked[1].per_hour is not None
    assert 180 > ranked[1].per_hour > 0.25
    assert ranked[1].why.endswith("lost each hour while it lasts")


def _failure(machine: str, level: float, act_before: datetime) -> Finding:
    return Finding(
        machine=machine,
        kind="failure ahead",
        cause="bearing",
        model="risk",
        version="1",
        begin=datetime(2026, 1, 1, tzinfo=UTC),
        end=None,
        level=level,
        act_before=act_before,
    )
