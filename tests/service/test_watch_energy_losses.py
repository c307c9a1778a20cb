"""What a meter tells takes the same path: heating left on is one alert with its money, a doubt stays a doubt."""

from datetime import timedelta
from pathlib import Path

import pytest

from service.alerts import book
from service.alerts.alert import AlertState
from service.alerts.kept_money import kept_money
from service.sensors import watch_sensors
from service.watch_losses import watch_losses
from tests.models.meter_years import BEGIN
from tests.models.test_energy_review import AT, history, plant
from tests.ready_state import open_state


def test_heating_left_on_opens_one_alert_with_its_money(tmp_path: Path) -> None:
    state = open_state(tmp_path / "state.db")
    turns = [
        watch_losses(plant(), history(), state, at=BEGIN + timedelta(days=AT // 24 + days)) for days in (-1, 10, 11)
    ]

    assert [turn.raised for turn in turns] == [0, 1, 0]
    with state.read() as connection:
        (alert,) = book.list_alerts(connection)
        lost = kept_money(connection)
    assert (alert.kind, alert.cause, alert.model) == ("energy loss", "electricity: idle load", "energy")
    # 15 kW in the idle time of a line of two shifts, at 0.2 a kWh.
    assert lost[alert.number] == pytest.approx(15 * 0.2 * (1 - 80 / 168), rel=0.25)
    state.close()


def test_a_doubt_about_a_meter_is_not_ended_by_the_look_at_sensors(tmp_path: Path) -> None:
    state, readings = open_state(tmp_path / "state.db"), history(loss=False)
    stuck = (readings.readings["machine"] == "line-a") & (readings.readings["time"] > BEGIN + timedelta(days=AT // 24))
    readings.readings.loc[stuck, "power"] = 61.0
    at = BEGIN + timedelta(days=AT // 24 + 8)
    watch_losses(plant(), readings, state, at=at)
    watch_sensors(plant(), readings, state, at=at)
    with state.read() as connection:
        alerts = book.list_alerts(connection, states=tuple(AlertState))
    doubts = [each for each in alerts if each.model == "energy"]
    assert [(each.kind, each.state) for each in doubts] == [("sensor fault", AlertState.UNACKNOWLEDGED)]
    state.close()
