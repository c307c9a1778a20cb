"""Judge a model on the past in the way that its task asks for: alert by alert, or piece by piece."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from ingest.history import History
from ingest.plant import ModelEntry, Plant
from models.engine.engine import HERE, Engine
from models.judging.backtest import Progress, backtest


class Verdicts(Protocol):
    """What came out of it."""

    @property
    def model(self) -> str:
        """Name of the model."""
        ...

    @property
    def traces(self) -> Sequence[Any]:
        """What is drawn of each machine; empty where there is nothing to draw."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        ...

    def summary(self) -> str:
        """Say it in a few plain lines."""
        ...


def judged(
    plant: Plant,
    history: History,
    entry: ModelEntry,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    rounds: Sequence[datetime] | None = None,
    random_split: bool = False,
    progress: Progress | None = None,
    engine: Engine = HERE,
) -> Verdicts:
    """Judge a model on (start, end] of the past; see ``backtest`` for what is not said here.

    Parameters
    ----------
    rounds : of no meaning to pieces, which nobody looks at in rounds

    Raises
    ------
    NotEnoughDataError
        When there is nothing to learn from or to judge on.
    """
    if entry.task in PIECE_BY_PIECE:
        from models.conditions.train import judge_conditions  # only here: scikit-learn takes a second

        asked = entry if start is None else entry.model_copy(update={"split": "time", "train_until": start})
        asked = dealt_at_random(asked) if random_split else asked
        return judge_conditions(plant, history, asked, until=end, progress=progress)
    return backtest(
        plant,
        history,
        entry,
        start=start,
        end=end,
        rounds=rounds,
        random_split=random_split,
        progress=progress,
        engine=engine,
    )


def dealt_at_random(entry: ModelEntry) -> ModelEntry:
    """Return an entry whose pieces are dealt out at random, because somebody asked for that when it was run."""
    why = entry.condition.random_because or "asked for with --random-split"
    return entry.model_copy(
        update={"split": "random", "condition": entry.condition.model_copy(update={"random_because": why})}
    )


PIECE_BY_PIECE = ("condition",)
"""Tasks whose models are learnt from and judged on pieces, not on time before events."""
