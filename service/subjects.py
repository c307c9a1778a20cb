"""What each model watches of a machine: the machine itself and one signal that alone departs; ``models.subject``."""

from dataclasses import replace
from datetime import datetime

from ingest.plant import Plant
from models.assessment import Assessments
from models.bundle import Bundle
from models.explain import Explanation
from models.finding import Finding
from models.sentence import named, one_signal_sentence
from models.subject import Subject
from models.tasks.table import task_of
from service.alerts.pipeline.sources import OR
from service.sensors import cause_of

_BEHIND = {
    Subject.MACHINE: "",
    Subject.EITHER: "\n(sensor or machine)",
    Subject.SENSOR: "\n(one signal alone)",
}
"""What stands behind a model's name where a condition is remembered; the line break since nobody names a model so."""


def watch_of(model: str, subject: Subject) -> str:
    """Return under which name a model's condition about a subject is remembered."""
    return model + _BEHIND[subject]


def model_of(watch: str) -> str:
    """Return the model whose condition is remembered under a name."""
    return watch.partition("\n")[0]


def finding_of(
    plant: Plant,
    bundle: Bundle,
    subject: Subject,
    own: Assessments,
    row: int,
    begin: datetime,
    explanation: Explanation,
) -> Finding:
    """Return the finding of a model about a subject.

    Parameters
    ----------
    own : of one machine
    row : at which it is over the threshold
    begin : when it had persisted
    explanation : of that row
    """
    machine, signal = str(own.machine[row]), "" if own.alone is None else str(own.alone[row])
    found = Finding(
        machine=machine,
        kind=task_of(bundle.entry).kind,
        cause=explanation.cause,
        model=bundle.entry.name,
        version=own.version,
        begin=begin,
        end=None,
        level=float(own.level[row]),
        act_before=explanation.act_before,
        evidence=explanation.evidence,
        sentence=explanation.sentence,
        why=explanation.why,
    )
    match subject:
        case Subject.MACHINE:
            return found
        case Subject.EITHER:
            tells = bundle.recipe.running is not None and signal in bundle.recipe.running.signals
            why = "departs or is not believed, and says when the machine runs" if tells else "alone departs"
            first = f"{named(machine)}: {signal} {why}: look at its sensor first, then at the machine"
            return replace(
                found,
                kind="sensor or machine",
                cause=f"{cause_of(signal)}{OR}{found.cause}",
                sentence=f"{first}. {found.sentence.removeprefix(f'{named(machine)}: ')}",
            )
        case Subject.SENSOR:
            evidence = tuple(each for each in explanation.evidence if each.signal == signal)
            return replace(
                found,
                kind="sensor fault",
                cause=cause_of(signal),
                level=1.0,
                act_before=begin + bundle.act_within,
                evidence=evidence,
                sentence=one_signal_sentence(machine, signal, evidence, begin, plant.time_zone),
                why=None,
            )
