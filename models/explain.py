"""Why a model says what it says of one machine at one moment: cause, evidence, one sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from features.catalogue import feature_in
from features.column import RESIDUAL, SEPARATOR, signal_of
from features.extract import extract
from features.table import FeatureTable
from ingest.duration import format_duration, parse_duration
from ingest.errors import NotEnoughDataError
from ingest.history import History
from models.bundle import Bundle
from models.filled import filled_of
from models.finding import Contribution, Evidence, Why
from models.learner import group_of
from models.life.life import Life, tells_life
from models.moment import as_datetime, instant
from models.sentence import GIVEN_OTHERS, as_before, with_act_before
from models.tasks.table import task_of
from models.why.parts import Parts
from models.why.similar import NEAR, SimilarEpisode, repairs_after

_LEAST_SHARE = 0.01
_MOST_EVIDENCE = 5


class Explanation(NamedTuple):
    """What a finding is about, why, and what it was before.

    Attributes
    ----------
    evidence : the signals that speak for it, strongest first
    why : what makes its level, and what may be failing
    act_before : until when to act, as the sentence says
    similar : past episodes that began alike, most alike first
    """

    cause: str
    evidence: tuple[Evidence, ...]
    sentence: str
    why: Why
    act_before: datetime
    similar: tuple[SimilarEpisode, ...] = ()


def explain(
    bundle: Bundle, history: History, machine: str, at: datetime, *, began: datetime | None = None
) -> Explanation:
    """Explain what a bundle says of a machine at a window end.

    Parameters
    ----------
    at : a window end of the bundle's recipe, or any later moment before the next one
    began : when its condition began, which the time to act before is counted from; ``at`` when left out

    Raises
    ------
    NotEnoughDataError
        When there is no window that ends then.
    """
    recipe = bundle.recipe
    whole = extract(recipe, history, [machine, *bundle.peers_of([machine])], at - recipe.stride, at)
    table = replace(whole.where(whole.machine.astype(str) == machine), beside=whole)
    if not len(table) or table.time[-1] <= instant(at - recipe.stride):
        raise NotEnoughDataError(f"{machine} has no window that ends at {at.isoformat()}; nothing to explain")
    found = explain_row(bundle, table, at if began is None else began)
    return found._replace(similar=with_repairs(history, found.similar, at))


def explain_row(bundle: Bundle, table: FeatureTable, at: datetime) -> Explanation:
    """Explain the last row of a table of one machine that the bundle's recipe made.

    Parameters
    ----------
    at : when its condition began
    """
    seen = bundle.seen(table)
    row = seen.where(np.array([len(seen) - 1]))
    departures = departures_of(bundle, row)
    parts = bundle.learner.parts(row)
    why = why_of(bundle, row, parts, departures)
    evidence = evidence_of(bundle, row, parts)
    cause, sentence = task_of(bundle.entry).said(bundle, row, why.level, evidence)
    similar = () if bundle.episodes is None else tuple(bundle.episodes.nearest(departures, why.at))
    sentence = as_before(sentence, next((each for each in similar if each.likeness >= NEAR), None), bundle.time_zone)
    act_before = _act_before(bundle, row, at)
    sentence = with_act_before(sentence, at, act_before, bundle.time_zone)
    (filled,) = filled_of(row.signals, row.filled_by_signal, 1)
    if filled is not None and filled.thin:
        sentence = f"{sentence}. Of the expected readings there were few: {', '.join(filled.thin_words())}"
    return Explanation(cause, evidence, sentence, why, act_before, similar)


def _act_before(bundle: Bundle, row: FeatureTable, began: datetime) -> datetime:
    """Return until when to act: not later than the needed lead before a life may end that is told with 10 %."""
    latest = began + bundle.act_within
    if not tells_life(bundle.learner):
        return latest
    low = Life.of(bundle.learner.life(row)[0], bundle.learner.reach).low
    if not np.isfinite(low):
        return latest
    left = max(timedelta(0), timedelta(hours=low) - bundle.entry.needed_lead)
    return min(latest, as_datetime(row.time[0]) + left)


def why_of(bundle: Bundle, row: FeatureTable, parts: Parts, departures: NDArray[np.float64]) -> Why:
    """Return what makes the level of one row, to the last signal.

    Parameters
    ----------
    row : as the bundle's learner sees it
    parts : of its level
    departures : of the row, by the columns of the bundle's shapes; empty without any
    """
    learner = bundle.learner
    amounts, told = parts.by_group[0], _Telling.of(bundle, row)
    score, found = float(parts.base[0]), []
    for group in np.argsort(-np.abs(amounts), kind="stable"):
        if amounts[group] == 0:
            break
        score += float(amounts[group])
        signal, unit, feature, actual, expected = told.group(learner.groups[group])
        found.append(
            Contribution(
                signal=signal,
                unit=unit,
                feature=feature,
                actual=actual,
                expected=expected,
                amount=float(amounts[group]),
                level=float(parts.level_of(np.array(score))),
            )
        )
    columns = () if bundle.episodes is None else bundle.episodes.shapes.columns
    return Why(
        at=as_datetime(row.time[0]),
        scale=parts.scale,
        base=float(parts.base[0]),
        base_level=float(parts.level_of(parts.base)[0]),
        score=float(parts.score[0]),
        level=float(parts.level_of(parts.score)[0]),
        contributions=tuple(found),
        modes=() if bundle.diagnosis is None else bundle.diagnosis.ranked(row)[0],
        departures=dict(zip(columns, departures.round(3).tolist(), strict=True)),
    )


def evidence_of(bundle: Bundle, row: FeatureTable, parts: Parts) -> tuple[Evidence, ...]:
    """Return the signals that speak for the level of one row, each by its most telling feature, strongest first.

    Parameters
    ----------
    row : as the bundle's learner sees it
    parts : of its level
    """
    learner, told = bundle.learner, _Telling.of(bundle, row)
    shares, amounts = parts.shares[0], parts.by_group[0]
    found = []
    for index in np.argsort(-shares, kind="stable")[:_MOST_EVIDENCE]:
        if shares[index] < _LEAST_SHARE:
            break
        signal, unit, feature, actual, expected = told.group(learner.groups[index])
        if actual is not None and expected is not None:
            found.append(
                Evidence(
                    signal=signal,
                    unit=unit,
                    feature=feature,
                    actual=actual,
                    expected=expected,
                    share=float(shares[index]),
                    contribution=float(amounts[index]),
                )
            )
    return tuple(found)


def with_repairs(history: History, similar: Sequence[SimilarEpisode], at: datetime) -> tuple[SimilarEpisode, ...]:
    """Return episodes with what was done after each, as far as it was known at a moment."""
    if not similar:
        return ()
    machines = sorted({each.machine for each in similar})
    maintenance = history.events(machines=machines, kinds=["maintenance"], end=at)
    return tuple(replace(each, repairs=repairs_after(maintenance, each.machine, each.begin, at)) for each in similar)


class _Telling(NamedTuple):
    """What a row is held against, to find what tells most of each group of its columns."""

    bundle: Bundle
    row: FeatureTable
    strange: NDArray[np.float64]
    usual: NDArray[np.float64]

    @classmethod
    def of(cls, bundle: Bundle, row: FeatureTable) -> Self:
        return cls(bundle, row, np.abs(bundle.normal.standardise(row)[0]), bundle.normal.of(row)[0])

    def group(self, name: str) -> tuple[str, str, str, float | None, float | None]:
        """Return what a group is about, its unit, its most telling feature in words, its value and its normal."""
        row, usual = self.row, self.usual
        column = _most_telling(row.names, name, self.strange, row.values[0])
        if column is None or not np.isfinite(usual[column]):
            return name.replace("_", " ") if name not in self.bundle.units else name, "", "", None, None
        signal, unit, feature = described(row.names[column])
        actual, expected = _compared(row, column, float(usual[column]))
        return signal, self.bundle.units.get(signal, "") if unit is None else unit, feature, actual, expected


def departures_of(bundle: Bundle, row: FeatureTable) -> NDArray[np.float64]:
    """Return how far one row departs from normal, by the columns of the bundle's shapes; empty without any."""
    return np.empty(0) if bundle.episodes is None else bundle.episodes.shapes.departures(row, bundle.normal)[0]


def described(name: str) -> tuple[str, str | None, str]:
    """Return what a feature column is about, its unit (``None``: the signal's own) and its words.

    Examples
    --------
    >>> described("voltage__mean__24h"), described("errors__error1__24h")
    (('voltage', None, '24 h mean'), ('error1', '', '24 h count'))
    >>> described("hours_since_maintenance__comp2"), described("hours_since_failure")
    (('comp2 maintenance', 'h', 'hours since'), ('failure', 'h', 'hours since'))
    """
    signal = signal_of(name)
    words = name.removeprefix(signal + SEPARATOR).split(SEPARATOR) if signal else name.split(SEPARATOR)
    if signal and words[0] == RESIDUAL:
        return signal, None, f"{format_duration(parse_duration(words[1]))} mean{GIVEN_OTHERS}"
    if signal:
        return signal, None, f"{format_duration(parse_duration(words[1]))} {words[0].replace('_', ' ')}"
    if words[0] == "errors":
        return " ".join(words[1:-1]) or "errors", "", f"{format_duration(parse_duration(words[-1]))} count"
    what = words[0].removeprefix("hours_since_").removeprefix("hours_in_").replace("_", " ")
    return " ".join([*words[1:], what]), "h", "hours since" if "since" in words[0] else "hours in"


@lru_cache(maxsize=64)
def _tellable(names: tuple[str, ...]) -> Mapping[str, tuple[int, ...]]:
    """Return the columns of each group that are in the signal's own unit; reading names takes longer than all else."""
    found: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if not signal_of(name) or feature_in(name).reads_as_signal or feature_in(name).kind == "expected":
            found.setdefault(group_of(name), []).append(index)
    return {group: tuple(columns) for group, columns in found.items()}


def _most_telling(
    names: tuple[str, ...], group: str, strange: NDArray[np.float64], values: NDArray[np.float64]
) -> int | None:
    """Return the column of a group that lies farthest from normal, among those in the signal's own unit."""
    columns = [index for index in _tellable(names).get(group, ()) if np.isfinite(values[index])]
    return max(columns, key=lambda index: (np.nan_to_num(strange[index]), -index), default=None)


def _compared(row: FeatureTable, column: int, usual: float) -> tuple[float, float]:
    """Return what a person holds against each other: of a residual, the mean and what was expected of it."""
    value = float(row.values[0, column])
    if feature_in(row.names[column]).kind != "expected":
        return value, _own_normal(row, column, usual)
    mean = row.names[column].replace(f"{SEPARATOR}{RESIDUAL}{SEPARATOR}", f"{SEPARATOR}mean{SEPARATOR}")
    actual = float(row.values[0, row.names.index(mean)])
    return actual, actual - (value - usual)


def _own_normal(row: FeatureTable, column: int, of_class: float) -> float:
    """Return what is normal for a value: what the machine itself began with, where the table tells how far it is."""
    shift = row.names[column].replace(f"{SEPARATOR}mean{SEPARATOR}", f"{SEPARATOR}mean_shift{SEPARATOR}")
    if shift == row.names[column] or shift not in row.names:
        return of_class
    away = row.values[0, row.names.index(shift)]
    return float(row.values[0, column] - away) if np.isfinite(away) else of_class
