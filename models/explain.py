"""Why a model says what it says of one machine at one moment: cause, evidence, one sentence."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

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
from models.finding import Evidence
from models.learner import group_of
from models.sentence import GIVEN_OTHERS, with_act_before
from models.tasks.table import task_of

_LEAST_SHARE = 0.01
_MOST_EVIDENCE = 5


class Explanation(NamedTuple):
    """What a finding is about, the signals that speak for it (strongest first), and a sentence."""

    cause: str
    evidence: tuple[Evidence, ...]
    sentence: str


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
    table = extract(bundle.recipe, history, [machine], at - bundle.recipe.stride, at)
    if not len(table):
        raise NotEnoughDataError(f"{machine} has no window that ends at {at.isoformat()}; nothing to explain")
    return explain_row(bundle, table.where(np.array([len(table) - 1])), at if began is None else began)


def explain_row(bundle: Bundle, row: FeatureTable, at: datetime) -> Explanation:
    """Explain a table of one row that the bundle's recipe made; ``at`` is when its condition began."""
    row = bundle.seen(row)
    level = float(bundle.learner.level(row)[0])
    evidence = evidence_of(bundle, row)
    cause, sentence = task_of(bundle.entry).said(bundle, row, level, evidence)
    sentence = with_act_before(sentence, at, at + bundle.act_within, bundle.time_zone)
    (filled,) = filled_of(row.signals, row.filled_by_signal, 1)
    if filled is not None and filled.thin:
        sentence = f"{sentence}. Of the expected readings there were few: {', '.join(filled.thin_words())}"
    return Explanation(cause, evidence, sentence)


def evidence_of(bundle: Bundle, row: FeatureTable) -> tuple[Evidence, ...]:
    """Return the signals that speak for the level of one row, each by its most telling feature, strongest first.

    Parameters
    ----------
    row : as the bundle's learner sees it
    """
    learner = bundle.learner
    shares = learner.shares(row)[0]
    strange = np.abs(bundle.normal.standardise(row)[0])
    usual = bundle.normal.of(row)[0]
    found = []
    for index in np.argsort(-shares, kind="stable")[:_MOST_EVIDENCE]:
        if shares[index] < _LEAST_SHARE:
            break
        column = _most_telling(row.names, learner.groups[index], strange, row.values[0])
        if column is not None and np.isfinite(usual[column]):
            signal, unit, feature = described(row.names[column])
            actual, expected = _compared(row, column, float(usual[column]))
            found.append(
                Evidence(
                    signal=signal,
                    unit=bundle.units.get(signal, "") if unit is None else unit,
                    feature=feature,
                    actual=actual,
                    expected=expected,
                    share=float(shares[index]),
                )
            )
    return tuple(found)


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


def _most_telling(
    names: Sequence[str], group: str, strange: NDArray[np.float64], values: NDArray[np.float64]
) -> int | None:
    """Return the column of a group that lies farthest from normal, among those in the signal's own unit."""
    columns = [
        index
        for index, name in enumerate(names)
        if group_of(name) == group
        and np.isfinite(values[index])
        and (not signal_of(name) or feature_in(name).reads_as_signal or feature_in(name).kind == "expected")
    ]
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
