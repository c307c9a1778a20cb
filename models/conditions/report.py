"""What came out of judging a model of conditions: figures with their intervals, and how they were come by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ingest.plant import ModelEntry
from models.conditions.pieces import Pieces
from models.conditions.price import price_table
from models.judging.interval import Interval, wilson
from models.registry.watermark import marked

Floats = NDArray[np.float64]

RESAMPLES = 400
_SPLITS = {
    "time": "by time: learnt from earlier pieces, judged on later ones",
    "machine": "by machine: every piece judged by a model that has seen none of its machine",
    "group": "by group: every piece judged by a model that has seen none of its group",
    "random": "AT RANDOM",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """Pieces that a model had not seen: what was recorded, how probable it held each code, and what it said.

    Attributes
    ----------
    code, said, usual : places in the codes, shape (n_pieces,): recorded, said, and said by the baseline
    shares : shape (n_pieces, n_codes)
    """

    code: NDArray[np.intp]
    shares: Floats
    said: NDArray[np.intp]
    usual: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionReport:
    """How good a model of conditions is.

    Attributes
    ----------
    split : how learning and judging were kept apart
    watermark : why the figures flatter; empty unless pieces were split at random
    learnt, judged : pieces; learnt is the smallest part that any model learnt from
    accuracy : share of pieces whose code was said; ``usual`` the same for the baseline
    recall : of each code, the share of its pieces of which it was said
    cost : what mistakes cost a piece; ``usual_cost`` of the baseline, which says the same of every piece
    saved : how much less the mistakes of the model cost a piece than those of the baseline, on the same pieces
    ranking : ROC-AUC of the level, and ``precision`` the area under precision over recall, for "not good"
    base_rate : share of pieces that are not good
    reliability : weighted mean |level − observed| over ten equal bins of the level
    confusion : pieces by what was recorded (rows) and what was said (columns)
    """

    model: str
    split: str
    watermark: str
    codes: tuple[str, ...]
    good: int
    learnt: int
    judged: int
    repeats: int
    accuracy: Interval
    usual: float
    recall: dict[str, Interval]
    cost: Interval
    usual_cost: float
    saved: Interval
    ranking: Interval
    precision: Interval
    base_rate: float
    reliability: float
    confusion: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, entry: ModelEntry, pieces: Pieces, judged: Sequence[Judged], least_learnt: int) -> Self:
        """Count what models said of pieces that they had not seen.

        Parameters
        ----------
        judged : each time that the pieces were dealt out
        """
        first, codes, good = judged[0], pieces.codes, pieces.good
        prices = prices_of(entry, codes)
        confusion = np.zeros((len(codes), len(codes)), np.int64)
        for each in judged:
            np.add.at(confusion, (each.code, each.said), 1)
        right = [each.said == each.code for each in judged]
        spent, usual = (
            np.mean([prices[each.code, said] for each, said in zip(judged, all_said, strict=True)], axis=0)
            for all_said in ([each.said for each in judged], [each.usual for each in judged])
        )
        bad = first.code >= good
        levels = [1 - each.shares[:, :good].sum(axis=1) for each in judged]
        hits = round(float(np.mean([each.sum() for each in right])))
        split = entry.split or "time"
        return cls(
            model=entry.name,
            split=_SPLITS[split],
            watermark=watermark(entry),
            codes=codes,
            good=good,
            learnt=least_learnt,
            judged=len(first.code),
            repeats=len(judged),
            accuracy=wilson(hits, len(first.code)),
            usual=float(np.mean([(each.usual == each.code).mean() for each in judged])),
            recall={
                code: wilson(round(confusion[place, place] / len(judged)), int(confusion[place].sum() // len(judged)))
                for place, code in enumerate(codes)
            },
            cost=_mean(spent),
            usual_cost=float(usual.mean()),
            saved=_mean(usual - spent),
            ranking=_ranked(_ranking, levels, bad),
            precision=_ranked(_precision, levels, bad),
            base_rate=float(bad.mean()),
            reliability=float(np.mean([_reliability(level, bad) for level in levels])),
            confusion=tuple(tuple(map(int, row)) for row in np.rint(confusion / len(judged)).astype(int)),
        )

    @property
    def traces(self) -> tuple[()]:
        """Nothing is drawn of pieces."""
        return ()

    @property
    def enough(self) -> bool:
        """Whether more than chance was shown: the level ranks better than a coin in all but 2.5 % of cases."""
        return self.ranking.value is not None and self.ranking.low > 0.5

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        return {
            "model": self.model,
            "split": self.split,
            "watermark": self.watermark,
            "codes": list(self.codes),
            "good": list(self.codes[: self.good]),
            "learnt": self.learnt,
            "judged": self.judged,
            "repeats": self.repeats,
            "accuracy": self.accuracy.to_dict(),
            "usual_accuracy": self.usual,
            "recall": {code: each.to_dict() for code, each in self.recall.items()},
            "cost_per_piece": self.cost.to_dict(),
            "usual_cost_per_piece": self.usual_cost,
            "saved_per_piece": self.saved.to_dict(),
            "roc_auc": self.ranking.to_dict(),
            "pr_auc": self.precision.to_dict(),
            "base_rate": self.base_rate,
            "reliability_error": self.reliability,
            "confusion": [list(row) for row in self.confusion],
            "enough": self.enough,
        }

    def summary(self) -> str:
        """Say in a few plain lines how good it is."""
        recalls = ", ".join(f"{code} {each.percent()}" for code, each in self.recall.items())
        dealt = f", {self.repeats} times" if self.repeats > 1 else ""
        lines = [
            *([marked(self.watermark)] if self.watermark else []),
            f"{self.model}, split {self.split}{dealt}: right of {self.judged:,} pieces {_told(self.accuracy)};"
            f" saying the same of all would be right of {100 * self.usual:.1f} %.",
            f"Found of each: {recalls}.",
            f"Not good are {100 * self.base_rate:.2g} %; ranked by level: ROC-AUC {_number(self.ranking)}, PR-AUC"
            f" {_number(self.precision)}; levels are off by {100 * self.reliability:.1f} points on average.",
            f"Mistakes cost {_number(self.cost)} a piece; saying the same of all {self.usual_cost:.3g}.",
        ]
        return "\n".join(lines)


def watermark(entry: ModelEntry) -> str:
    """Return what a report and a card must say of a random split; empty for any other.

    Examples
    --------
    >>> watermark(ModelEntry(name="m", task="condition", machine_class="p", horizon="0 s", split="time"))
    ''
    """
    if entry.split != "random":
        return ""
    return (
        f"a RANDOM SPLIT dealt the pieces out ({entry.condition.random_because}), so that what neighbours in time,"
        " machine or lot have in common was seen in training; these figures flatter wherever that matters"
    )


def prices_of(entry: ModelEntry, codes: Sequence[str]) -> Floats:
    """Return what the plant file says that mistakes cost, shape (n_codes, n_codes)."""
    return price_table(codes, [(each.was, each.said, each.costs) for each in entry.condition.mistakes])


def _ranked(
    figure: Callable[[Floats, NDArray[np.bool_]], float], levels: Sequence[Floats], bad: NDArray[np.bool_]
) -> Interval:
    """Return a figure of levels with its interval, pieces drawn anew within good and not good; mean over the deals."""
    if bad.all() or not bad.any():
        return Interval(None, 0.0, 1.0)

    def mean(rows: NDArray[np.intp]) -> float:
        return float(np.mean([figure(level[rows], bad[rows]) for level in levels]))

    return _resampled(mean, len(bad), bad.astype(np.intp))


def _mean(values: Floats) -> Interval:
    """Return the mean over pieces with its interval."""
    return _resampled(lambda rows: float(values[rows].mean()), len(values), np.zeros(len(values), np.intp))


def _resampled(figure: Callable[[NDArray[np.intp]], float], count: int, stratum: NDArray[np.intp]) -> Interval:
    rng = np.random.default_rng(0)
    strata = [np.flatnonzero(stratum == each) for each in np.unique(stratum)]
    drawn = [figure(np.concatenate([rng.choice(rows, len(rows)) for rows in strata])) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(figure(np.arange(count)), float(low), float(high))


def _ranking(level: Floats, bad: NDArray[np.bool_]) -> float:
    """Return how often a piece that is not good has the higher level of two; ties count half."""
    order = np.argsort(level, kind="stable")
    ranks = np.empty(len(level))
    ranks[order] = np.arange(1, len(level) + 1)
    names, inverse, counts = np.unique(level, return_inverse=True, return_counts=True)
    if len(names) < len(level):
        ends = np.cumsum(counts)
        ranks = (ends - (counts - 1) / 2)[inverse]
    positive = int(bad.sum())
    return float((ranks[bad].sum() - positive * (positive + 1) / 2) / (positive * (len(bad) - positive)))


def _precision(level: Floats, bad: NDArray[np.bool_]) -> float:
    """Return the average precision: mean, over the pieces that are not good, of the precision at their level."""
    order = np.argsort(-level, kind="stable")
    found = np.cumsum(bad[order])
    last = np.r_[level[order][1:] != level[order][:-1], True]
    precision, recall = (found / np.arange(1, len(level) + 1))[last], found[last] / found[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _reliability(level: Floats, bad: NDArray[np.bool_]) -> float:
    parts = np.array_split(np.argsort(level, kind="stable"), 10)
    off = [len(part) * abs(level[part].mean() - bad[part].mean()) for part in parts if len(part)]
    return float(sum(off) / len(level))


def _told(interval: Interval) -> str:
    if interval.value is None:
        return "not known"
    return f"{100 * interval.value:.1f} % [{100 * interval.low:.1f}–{100 * interval.high:.1f} %]"


def _number(interval: Interval) -> str:
    if interval.value is None:
        return "not known"
    return f"{interval.value:.3g} [{interval.low:.3g}–{interval.high:.3g}]"
