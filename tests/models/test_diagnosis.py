from datetime import timedelta

from ingest.plant import Target
from models.diagnosis import Diagnosis
from models.label import label, target_events
from models.moment import span
from models.normal import normal_of
from tests.models.pumps import BEGIN, HORIZON, worn_pumps


def test_a_component_with_a_plus_in_its_name_is_one_component() -> None:
    table, events = worn_pumps()
    events["component"] = "gear+shaft"
    targets = target_events(events, Target())
    labels = label(table, targets, HORIZON, BEGIN + timedelta(days=20))
    diagnosis = Diagnosis.learn(table, labels, targets, span(HORIZON), normal_of(table.where(labels == 0)))

    assert diagnosis is not None
    assert (diagnosis.components, diagnosis.failures) == (("gear+shaft",), (len(targets),))
