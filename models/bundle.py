"""Everything that is needed to assess a machine and to say why: one trained model, complete."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from features.recipe import Recipe
from ingest.plant import ModelEntry
from models.diagnosis import Diagnosis
from models.learner import Learner
from models.normal import Normal


@dataclass(frozen=True)
class Bundle:
    """A trained model with all that its use needs; nothing of it depends on when it was made.

    Attributes
    ----------
    entry : what the plant file asked for
    recipe : how readings become features
    learner : the fitted model
    threshold : level from which a machine is worth somebody's time
    normal : normal value of every feature, per machine where known
    diagnosis : which component it is; ``None`` where that cannot be learnt
    units : unit of each signal
    time_zone : IANA zone in which sentences give times
    card : the model card (see ``card.py``), JSON values only
    version : content hash, given by the registry; empty before it is saved
    """

    entry: ModelEntry
    recipe: Recipe
    learner: Learner
    threshold: float
    normal: Normal
    diagnosis: Diagnosis | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"
    card: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
