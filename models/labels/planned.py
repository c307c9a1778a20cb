"""Planned work that was recorded as a failure: by its name, within planned work, or by its rhythm."""

import re
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.labels.problem import Failures, LabelKind, LabelProblem
from models.rows import by_machine

WORDS = frozenset(
    [
        *("planned", "scheduled", "preventive", "preventative", "routine", "inspection", "maintenance", "service"),
        *("servicing", "overhaul", "calibration", "lubrication", "pm", "retooling", "changeover"),
        *("geplant", "planmäßig", "wartung", "inspektion", "revision", "kalibrierung", "schmierung", "umrüstung"),
    ]
)
"""Words of planned work; a plant that writes another language is judged by times alone."""

LEAST_GAPS = 6
STEADY = 0.05
"""Spread of the gaps over their mean below which they are a calendar's; wear spreads by a fifth or more."""

_AFTER = timedelta(minutes=10)
_REPAIR_WITHIN = timedelta(hours=8)
_NOT = frozenset(["not", "no", "un", "nicht"])


def planned(failures: Failures) -> list[LabelProblem]:
    """Find failures that are planned work by their code, by a maintenance around them, or by their rhythm."""
    advice = "a model would learn the calendar; give them the kind 'maintenance' or 'inspection'"
    named = [
        row
        for row, texts in enumerate(zip(failures.table["code"], failures.table["component"], strict=True))
        if any(_names_planned_work(text) for text in texts)
    ]
    return [
        *failures.problem(LabelKind.PLANNED, named, "have a code or component that names planned work", advice),
        *failures.problem(LabelKind.PLANNED, _within(failures), "begin within maintenance or an inspection", advice),
        *failures.problem(
            LabelKind.PLANNED,
            _in_rhythm(failures),
            f"come at steady gaps, which differ by less than {STEADY:.0%}",
            advice,
        ),
    ]


def _names_planned_work(text: str) -> bool:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return any(word in WORDS for word in words) and not any(word in _NOT for word in words)


def _within(failures: Failures) -> list[int]:
    """Return failures inside planned work that no failure had called for."""
    rows: list[int] = []
    work = by_machine(failures.planned)
    for machine, places in failures.rows_of.items():
        if machine not in work:
            continue
        times = failures.table["time"].iloc[places]
        for begin, end in zip(work[machine]["time"], work[machine]["end"], strict=True):
            called_for = ((times <= begin + _AFTER) & (times >= begin - _REPAIR_WITHIN)).any()
            if pd.notna(end) and not called_for:
                rows += places[((times > begin + _AFTER) & (times < end)).to_numpy()].tolist()
    return sorted(set(rows))


def _in_rhythm(failures: Failures) -> list[int]:
    """Return failures of one component and code that follow one another like dates of a calendar."""
    rows: list[int] = []
    for _, own in failures.table.groupby(["component", "code"], sort=False):
        gaps = own.groupby("machine", sort=False)["time"].diff().dt.total_seconds().to_numpy()
        if _is_steady(gaps[~np.isnan(gaps)]):
            rows += own.index.tolist()
    return sorted(rows)


def _is_steady(gaps: NDArray[np.float64]) -> bool:
    return len(gaps) >= LEAST_GAPS and float(gaps.std(ddof=1)) < STEADY * float(gaps.mean())
