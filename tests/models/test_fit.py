from features.extract import extract
from models.assess import reasons
from models.assessment import Reason
from models.bundle import Bundle
from models.moment import instant, span
from tests.features.table_history import TableHistory, after
from tests.models.pumps import HOURS, MACHINES


def test_probabilities_are_calibrated_where_the_whole_horizon_was_observed(
    seal_risk: Bundle, pumps: TableHistory
) -> None:
    table = extract(seal_risk.recipe, pumps, MACHINES, after(hours=-1), after(hours=HOURS))
    table = table.where(reasons(table, seal_risk.recipe.windows[0]) == Reason.OK.value)
    held_out = seal_risk.learner.held_out

    assert len(held_out) == len(table)
    over = table.time + span(seal_risk.entry.horizon) <= instant(after(hours=HOURS))
    assert held_out[over].size > held_out[~over].size > 0
    assert not (held_out[~over] >= 0).any()
