"""What a control chart signals is one alert that ends with it, on the same path as all others (IE-05, IE-07)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ingest.database import Database
from ingest.plant import AlertSettings, Machine, MachineClass, Plant, Signal
from ingest.plant_characteristic import Characteristic
from models.efficiency import characteristic as model
from models.finding import Finding
from service import watch_characteristics as job
from service.alerts import book
from service.alerts.alert import Alert, AlertState, Verdict
from service.kept_characteristics import kept_characteristics
from service.sensors import NAME as SENSORS
from service.watch_characteristics import CharacteristicTurn, watch_characteristics
from tests.features.table_history import START, TableHistory, readings_frame
from tests.ready_state import open_state

HOUR = timedelta(hours=1)
LEVEL = Characteristic(signal="level", phase_one=60, false_signals_per_year=50)


def moulds(*charts: Characteristic, latch: bool = False) -> Plant:
    mould = MachineClass(
        name="mould",
        signals=[Signal(name="level", unit="°C", every=timedelta(minutes=20))],
        characteristics=list(charts),
    )
    return Plant(
        time_zone="Europe/Berlin",
        classes=[mould],
        machines=[Machine(name="m1", machine_class="mould", line="A")],
        alerts=AlertSettings(latch=["process shift"] if latch else []),
    )


def history() -> TableHistory:
    """100 hours at 20 °C, 30 at 24, and 100 as before."""
    random = np.random.default_rng(1)
    levels = np.repeat([20.0, 24.0, 20.0], [300, 90, 300])
    values = levels + np.repeat(random.normal(0, 1, 230), 3) + random.normal(0, 0.5, 690)
    return TableHistory(readings_frame("m1", ((np.arange(690) + 1.0) * 20).tolist(), level=values.tolist()))


@dataclass
class Shop:
    state: Database
    plant: Plant = field(default_factory=lambda: moulds(LEVEL))
    history: TableHistory = field(default_factory=history)

    def look(self, hours: float) -> CharacteristicTurn:
        return watch_characteristics(self.plant, self.history, self.state, at=moment(hours))

    def alerts(self) -> list[Alert]:
        with self.state.read() as connection:
            return book.list_alerts(connection, states=tuple(AlertState))


def moment(hours: float) -> datetime:
    return START + hours * HOUR


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Iterator[Shop]:
    made = Shop(open_state(tmp_path / "state.db", database))
    yield made
    made.state.close()


def test_a_matter_is_one_alert_that_ends_with_it(shop: Shop) -> None:
    turns = [shop.look(hours) for hours in (50, 100, 120, 121, 125, 200)]

    (alert,) = shop.alerts()
    assert [turn.raised for turn in turns] == [0, 0, 1, 0, 0, 0]
    assert [turn.lasting for turn in turns] == [0, 0, 1, 1, 1, 0]
    assert turns[-1].over == 1
    assert (alert.machine, alert.kind, alert.cause, alert.model) == ("m1", "process shift", "level shift", job.NAME)
    assert alert.state is AlertState.RETURNED
    assert moment(100) < alert.condition_begin < moment(110)
    assert alert.condition_end == moment(200)
    assert alert.sentence == "m1: level lies 4.91 °C above its normal of 19.89 °C since about 2026-01-09 06:00"
    (evidence,) = alert.evidence
    assert (evidence.unit, evidence.feature) == ("°C", "1 h mean")
    assert evidence.actual - evidence.expected == pytest.approx(4.91, abs=0.01)


def test_nobody_looks_twice_at_the_same_points(shop: Shop) -> None:
    assert [shop.look(hours).looked_at for hours in (120, 120, 120.9, 121)] == [1, 0, 0, 1]


def test_what_was_declared_anew_is_looked_at_again(shop: Shop) -> None:
    shop.look(120)
    shop.plant = moulds(LEVEL.model_copy(update={"lower": 10.0}))

    assert [shop.look(120).looked_at for _ in range(2)] == [1, 0]


def test_normal_is_learnt_once_whoever_looks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.look(90)
    with shop.state.read() as connection:
        kept = kept_characteristics(connection, ["m1"])["m1", "level"]
    assert (kept.state, kept.until, len(kept.digest)) == ("in control", moment(90), 64)

    monkeypatch.setattr(model, "designed", None)
    assert shop.look(120).raised == 1


def test_an_alert_that_a_person_closed_stays_closed_while_the_matter_lasts(shop: Shop) -> None:
    shop.look(115)
    (alert,) = shop.alerts()
    with shop.state.write() as connection:
        book.close(connection, alert.number, verdict=Verdict.RIGHT, by="Ines", at=moment(116))

    again = shop.look(120)

    assert (again.raised, again.lasting) == (0, 1)
    assert len(shop.alerts()) == 1
    shop.look(200)
    with shop.state.read() as connection:
        assert book.show(connection, alert.number).condition_end == moment(200)


def test_what_follows_an_alert_that_was_closed_is_another_alert(shop: Shop) -> None:
    values = shop.history.readings["level"].to_numpy(float).copy()
    values[360:] -= 12
    shop.history.readings = shop.history.readings.assign(level=values)
    shop.look(115)
    (first,) = shop.alerts()
    with shop.state.write() as connection:
        book.close(connection, first.number, verdict=Verdict.RIGHT, by="Ines", at=moment(116))

    turns = [shop.look(hours) for hours in (118, 125, 130)]

    assert sum(turn.raised for turn in turns) == 1
    second = next(each for each in shop.alerts() if each.number != first.number)
    assert " below " in second.sentence
    with shop.state.read() as connection:
        ended = book.show(connection, first.number).condition_end
    assert ended is not None
    assert ended <= second.condition_begin


def test_an_open_alert_says_that_another_matter_followed(shop: Shop) -> None:
    values = shop.history.readings["level"].to_numpy(float).copy()
    values[360:] -= 12
    shop.history.readings = shop.history.readings.assign(level=values)

    for hours in (115, 125):
        shop.look(hours)

    (alert,) = shop.alerts()
    with shop.state.read() as connection:
        told = [each.why for each in book.history(connection, alert.number)]
    assert "another shift followed" in told
    assert (" below " in alert.sentence, alert.state) == (True, AlertState.UNACKNOWLEDGED)


def test_a_jump_is_told_by_its_value_and_what_was_expected(shop: Shop) -> None:
    values = shop.history.readings["level"].to_numpy(float).copy()
    values[270:273] += 12
    shop.history.readings = shop.history.readings.assign(level=values)

    shop.look(91)

    (alert,) = shop.alerts()
    (evidence,) = alert.evidence
    assert " jumped to " in alert.sentence
    assert evidence.actual == pytest.approx(values[270:273].mean())
    assert evidence.actual - evidence.expected == pytest.approx(12, abs=3)


def test_a_look_that_is_killed_leaves_nothing_and_gives_the_same_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    shop.look(90)
    with monkeypatch.context() as patched:
        patched.setattr(job, "keep_characteristic", killed)
        with pytest.raises(KeyboardInterrupt):
            shop.look(120)
    assert shop.alerts() == []

    assert shop.look(120).raised == 1


def test_who_looked_meanwhile_is_not_overwritten(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.look(90)
    real = model.watched

    def slow(*arguments: Any) -> Any:
        found = real(*arguments)
        monkeypatch.setattr(model, "watched", real)
        shop.look(125)
        return found

    monkeypatch.setattr(model, "watched", slow)

    assert (shop.look(120).looked_at, len(shop.alerts())) == (0, 1)
    with shop.state.read() as connection:
        assert kept_characteristics(connection, ["m1"])["m1", "level"].until == moment(125)


def test_a_signal_whose_sensor_is_doubted_raises_nothing_meanwhile(shop: Shop) -> None:
    doubted = Finding(
        machine="m1", kind="sensor fault", cause="level sensor", model=SENSORS, version="", begin=moment(99), end=None,
        level=1.0, act_before=moment(200),
    )  # fmt: skip
    with shop.state.write() as connection:
        number = book.raise_alert(connection, doubted, at=moment(100))[0].number

    assert shop.look(110).raised == 0

    with shop.state.write() as connection:
        book.condition_over(connection, number, at=moment(111), end=moment(111))
    assert shop.look(112).raised == 1


def test_a_chart_that_left_the_plant_file_ends_its_alert(shop: Shop) -> None:
    shop.look(120)
    shop.plant = moulds()

    assert shop.look(121).over == 1

    (alert,) = shop.alerts()
    with shop.state.read() as connection:
        why = book.history(connection, alert.number)[-1].why
    assert why == "the plant file has no chart of level of m1 any more"


def test_an_alert_ends_when_there_is_nothing_to_chart_any_more(shop: Shop) -> None:
    shop.look(120)
    values = shop.history.readings["level"].to_numpy(float).copy()
    values[:180] = 5.0
    shop.history.readings = shop.history.readings.assign(level=values)

    turn = shop.look(121)

    assert (turn.over, turn.lasting, turn.unstable) == (1, 0, 1)
    (alert,) = shop.alerts()
    with shop.state.read() as connection:
        assert "do not vary" in book.history(connection, alert.number)[-1].why


def test_a_matter_can_latch(shop: Shop) -> None:
    shop.plant = moulds(LEVEL, latch=True)

    for hours in (120, 200):
        shop.look(hours)

    (alert,) = shop.alerts()
    assert (alert.state, alert.condition_end) == (AlertState.LATCHED, moment(200))


def test_only_so_many_charts_are_learnt_at_one_look(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "LEARNT_AT_ONCE", 1)
    one = shop.history.readings
    shop.history.readings = pd.concat([one, one.assign(machine="m2")])
    mould = shop.plant.classes[0]
    machines = [Machine(name=name, machine_class="mould") for name in ("m1", "m2")]
    shop.plant = shop.plant.model_copy(update={"classes": [mould], "machines": machines})

    assert [shop.look(90).looked_at for _ in range(3)] == [1, 1, 0]
    assert shop.look(120).looked_at == 2


def test_a_phase_one_that_was_not_stable_raises_nothing_and_is_counted(shop: Shop) -> None:
    shop.plant = moulds(LEVEL.model_copy(update={"since": moment(60)}))

    turn = shop.look(190)

    assert (turn.raised, turn.unstable) == (0, 1)


def test_what_cannot_be_charted_is_kept_with_its_reason_and_the_others_are_looked_at(shop: Shop) -> None:
    still = shop.history.readings.assign(machine="m0", level=5.0)
    shop.history.readings = pd.concat([still, shop.history.readings])
    machines = [Machine(name=name, machine_class="mould") for name in ("m0", "m1")]
    shop.plant = shop.plant.model_copy(update={"machines": machines})

    turn = shop.look(90)

    assert (turn.errors, turn.looked_at, turn.unstable) == ([], 1, 1)
    with shop.state.read() as connection:
        kept = kept_characteristics(connection, ["m0"])["m0", "level"]
    assert (kept.state, kept.says) == ("no chart", "level of m0: the values do not vary, so there is nothing to chart")
