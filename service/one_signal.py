"""One signal that alone departs: a condition beside the model's own, whose alert is about the sensor."""

from datetime import datetime

import numpy as np

from ingest.plant import Plant
from models.assessment import Assessments, Reason
from models.bundle import Bundle
from models.explain import Explanation
from models.finding import Finding
from models.sentence import one_signal_sentence
from service.sensors import cause_of

_BESIDE = "\n(one signal alone)"
"""What stands behind a model's name where it is remembered; the line break is there since nobody names a model so."""


def beside(model: str) -> str:
    """Return under which name a model's condition of one signal alone is remembered."""
    return model + _BESIDE


def model_of(watch: str) -> str:
    """Return the model whose condition is remembered under a name."""
    return watch.removesuffix(_BESIDE)


def as_condition(own: Assessments) -> Assessments:
    """Return assessments that are over where one signal alone departs, and below where the machine has a level."""
    known = np.where(np.isnan(own.level), np.nan, 0.0)
    alone = np.zeros(len(own), dtype=np.bool_) if own.alone is None else own.alone != ""
    reason = np.where(own.reason == Reason.ONE_SIGNAL.value, Reason.OK.value, own.reason)
    return Assessments(own.model, own.version, own.machine, own.time, np.where(alone, 1.0, known), reason, 0.5)


def finding_of(
    plant: Plant, bundle: Bundle, own: Assessments, row: int, begin: datetime, explanation: Explanation
) -> Finding:
    """Return the finding about the sensor of the signal that alone departs.

    Parameters
    ----------
    own : of one machine
    row : at which it departs
    begin : when it had persisted
    explanation : of that row
    """
    machine, signal = str(own.machine[row]), str(own.alone[row]) if own.alone is not None else ""
    evidence = tuple(each for each in explanation.evidence if each.signal == signal)
    return Finding(
        machine=machine,
        kind="sensor fault",
        cause=cause_of(signal),
        model=bundle.entry.name,
        version=own.version,
        begin=begin,
        end=None,
        level=1.0,
        act_before=begin + bundle.act_within,
        evidence=evidence,
        sentence=one_signal_sentence(machine, signal, evidence, begin, plant.time_zone),
    )
