"""One signal that alone departs opens an alert about its sensor, or about either; with a second it is the machine."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pytest

from ingest.plant import Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.store import Store
from models.assessment import Reason
from models.bundle import Bundle
from models.registry.registry import Registry
from service import monitor
from service.alerts import book
from service.alerts.alert import Alert, AlertState, Verdict
from service.alerts.kept_why import kept_why
from service.levels import newest_levels
from service.round_report import RoundReport
from service.sensors import cause_of
from tests.ready_state import open_state
from tests.service.test_monitor import Shelf
from tests.trials.learnt import learnt

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAYS, EVERY = timedelta(hours=1), 12, 6
"""Sensors are not yet compared with each other by the hour, which takes three weeks: the model alone speaks."""

SIGNALS = ("flow", "power", "pressure")
MACHINES = ("mill-0", "mill-1", "mill-2", "mill-3")
ENTRY = ModelEntry(name="odd", task="anomaly", machine_class="mill", horizon="24 h", needed_lead="2 h")
PLANT = Plant(
    classes=[MachineClass(name="mill", signals=[Signal(name=name, unit="u", every="10 min") for name in SIGNALS])],
    machines=[Machine(name=name, machine_class="mill") for name in MACHINES],
    models=[ENTRY],
)


class Mills:
    """Mills that are watched from the day on which their model was learnt."""

    def __init__(self, folder: Path, bundle: Bundle | None = None) -> None:
        self.store, self.state, self.hours = Store(folder), open_state(folder / "state.db"), 0
        self.random = np.random.default_rng(3)
        if bundle is None:
            self.run(DAYS * 24)
            bundle = learnt(PLANT, self.store, ENTRY, START + self.hours * HOUR)
        self.bundle = bundle

    def run(self, hours: int, **off: float) -> None:
        """Run all mills on; these signals of the first one are off by more with each hour, up to so much."""
        count = hours * EVERY
        times = [START + self.hours * HOUR + (each + 1) * HOUR / EVERY for each in range(count)]
        # Each load lasts for four hours, and more than one of a day's hours has the same.
        load = np.repeat(self.random.uniform(-10, 10, -(-hours // 4)), 4 * EVERY)[:count]
        for machine in MACHINES:
            values = 100 + self.random.standard_normal((3, count)) + load * np.array([[1.0], [2.0], [-1.0]])
            for signal, most in off.items() if machine == "mill-0" else ():
                values[SIGNALS.index(signal)] += np.minimum(np.arange(count) / (12 * EVERY), 1.0) * most
            table = pa.table([[machine] * count, times, times, *values], schema=readings_schema(SIGNALS))
            self.store.append(Readings("mill", table), source="test", position="")
        self.hours += hours

    def round(self) -> RoundReport:
        registry = cast(Registry, Shelf(self.bundle))
        at = START + self.hours * HOUR
        return monitor.round(PLANT, self.store, registry, self.state, at=at, since=START + DAYS * 24 * HOUR)

    def alerts(self) -> list[Alert]:
        with self.state.read() as connection:
            return book.list_alerts(connection, states=tuple(AlertState))[::-1]

    def close(self) -> None:
        self.store.close()
        self.state.close()


@pytest.fixture
def mills(tmp_path: Path) -> Iterator[Mills]:
    made = Mills(tmp_path)
    yield made
    made.close()


def test_a_sensor_that_drifts_alone_is_a_matter_of_the_sensor_until_it_is_back(mills: Mills) -> None:
    mills.run(24, flow=15.0)
    report = mills.round()

    (alert,) = mills.alerts()
    assert (alert.machine, alert.kind, alert.cause) == ("mill-0", "sensor fault", cause_of("flow"))
    assert alert.model == "odd"
    assert "flow alone is not as usual since" in alert.sentence
    (level,) = newest_levels(mills.state, [("odd", "mill-0")], until=START + mills.hours * HOUR)
    assert (level.reason, level.over) == (Reason.ONE_SIGNAL, False)
    assert level.level is not None
    assert level.level >= level.threshold
    assert report.raised == 1
    again = mills.round()
    assert (again.raised, again.over, len(mills.alerts())) == (0, 0, 1)
    mills.run(48)
    report = mills.round()
    assert [each.state for each in mills.alerts()] == [AlertState.RETURNED]
    assert report.over == 1


def test_a_second_signal_makes_it_the_machine(mills: Mills) -> None:
    mills.run(24, flow=15.0)
    mills.round()
    assert {each.kind for each in mills.alerts()} <= {"sensor fault"}
    mills.run(24, flow=15.0, pressure=15.0)
    mills.round()

    assert "anomaly" in {each.kind for each in mills.alerts()}


def test_what_is_sure_or_looks_as_before_a_failure_is_the_sensor_or_the_machine(mills: Mills) -> None:
    assert mills.bundle.lone is not None
    mills.bundle.lone.sure = mills.bundle.threshold
    mills.run(24, flow=15.0)
    mills.round()

    (alert,) = mills.alerts()
    assert (alert.machine, alert.kind, alert.cause) == (
        "mill-0",
        "sensor or machine",
        "flow sensor or unusual behaviour",
    )
    assert "flow alone departs: look at its sensor first, then at the machine" in alert.sentence
    assert "behaves unlike its normal" in alert.sentence
    assert alert.level >= mills.bundle.threshold
    assert alert.evidence[0].signal == "flow"
    with mills.state.read() as connection:
        assert kept_why(connection, alert.number) is not None
    mills.run(24, flow=15.0, pressure=15.0)
    mills.round()
    machine = [each for each in mills.alerts() if each.kind == "anomaly"]
    assert len(machine) == 1, "a second signal makes it the machine"
    mills.run(10, pressure=25.0)
    mills.round()
    (alert,) = [each for each in mills.alerts() if each.kind == "anomaly"]
    with mills.state.read() as connection:
        why = kept_why(connection, alert.number)
    assert why is not None
    assert why.at == START + mills.hours * HOUR, "one signal holds it up, and is told"


def test_an_alert_that_somebody_closed_stays_closed_while_the_signal_departs(mills: Mills) -> None:
    mills.run(24, flow=15.0)
    mills.round()
    (alert,) = mills.alerts()
    with mills.state.write() as connection:
        book.close(connection, alert.number, verdict=Verdict.WRONG, by="eva", at=START + mills.hours * HOUR)
    mills.run(6, flow=15.0)
    mills.round()

    assert [each.live for each in mills.alerts()] == [False]
