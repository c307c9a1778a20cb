"""The short form of the trial of sensor faults: one pump, every kind of fault, on every sensor."""

from collections import Counter

import pytest

from tests.trials.planned_faults import KINDS_OF_FAULT, drawn
from tests.trials.sensor_faults import Fleet, cases, false_marks, fleet_of

SEED = 7
A_DAY = 86_400
PLAINER_WITH_TIME = ("stuck", "spikes", "drop-outs")
"""Of these, each fault of a day or longer is to be found."""


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return fleet_of("pump", SEED, 1, models=False)


def test_no_sensor_of_a_healthy_machine_is_blamed(fleet: Fleet) -> None:
    marks, years = false_marks(fleet, "pump")
    assert years > 0.08
    assert not marks


def test_faults_are_found_on_the_sensor_that_has_them(fleet: Fleet) -> None:
    found, asked, others, missed = Counter[str](), Counter[str](), 0, []
    for fault, what in cases("pump", SEED, fleet, 1, drawn):
        found[fault.kind] += int(what["found"])
        asked[fault.kind] += 1
        others += int(what["others"])
        if fault.kind in PLAINER_WITH_TIME and fault.end - fault.begin >= A_DAY and not what["found"]:
            missed.append(fault)
    assert set(asked) == set(KINDS_OF_FAULT)
    assert not missed
    # Five of the six spells of spikes last less than a day.
    least = {"stuck": 5, "spikes": 4, "drop-outs": 5, "drift": 2, "offset": 4}
    assert {kind: found[kind] >= least[kind] for kind in KINDS_OF_FAULT} == dict.fromkeys(KINDS_OF_FAULT, True), found
    assert others <= 1
