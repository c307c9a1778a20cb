from datetime import timedelta

import numpy as np
import pytest

from models.bundle import Bundle
from models.risk.outlook import Outlook, outlook
from service.api.machines import OutlookView
from tests.features.table_history import TableHistory, after
from tests.models.conftest import fitted
from tests.models.pumps import PLANT


@pytest.fixture(scope="module")
def ahead(pumps: TableHistory) -> Outlook:
    """What is said of a pump a few hours before its seal fails."""
    bundle = fitted(pumps, horizons=["6 h", "3 d"])
    found = outlook(PLANT, pumps, bundle, "pump-0", after(hours=414), 0.8)
    assert found is not None
    return found


def test_it_tells_each_horizon_with_the_level_at_its_own(ahead: Outlook) -> None:
    said = [ahead.within[span] for span in (timedelta(hours=6), timedelta(hours=24), timedelta(days=3))]

    assert said[1] == 0.8
    assert said == sorted(said)


def test_modes_share_the_whole_and_the_one_that_is_known_comes_first(ahead: Outlook) -> None:
    assert ahead.modes[0].component == "seal"
    assert sum(each.probability for each in ahead.modes) == pytest.approx(1)


def test_the_interface_shows_both_and_one_line(ahead: Outlook) -> None:
    view = OutlookView.of(ahead)

    assert list(view.within) == ["6 h", "24 h", "3 d"]
    assert view.modes[0].component == "seal"
    assert view.says.startswith("Failure within 6 h")
    assert "likeliest: seal" in view.says


def test_a_model_that_tells_no_probability_has_none(strange_pump: Bundle, pumps: TableHistory) -> None:
    assert outlook(PLANT, pumps, strange_pump, "pump-0", after(hours=414), 0.8) is None


def test_a_level_that_is_not_known_has_no_probability(pumps: TableHistory, seal_risk: Bundle) -> None:
    found = outlook(PLANT, pumps, seal_risk, "pump-0", after(hours=414), float("nan"))

    assert found is not None
    assert np.isnan(list(found.within.values())).all()
