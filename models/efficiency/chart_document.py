"""A chart that was learnt, as JSON types: learning one takes seconds, and the same phase I always teaches the same."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.efficiency.autoregression import Autoregression
from models.efficiency.in_control import InControl
from models.efficiency.look import Floats
from models.efficiency.phase_one import LeftOut, PhaseOne
from models.efficiency.residual_chart import ResidualChart
from models.efficiency.shewhart_cusum import ShewhartCusum

PROCEDURE = "1"
"""Raised whenever the same phase I would teach another chart, so that what is kept is learnt anew."""
_PARTS = ("constant", "coefficients", "sigma", "order", "points")


def digest_of(values: Floats, requested: float) -> str:
    """Return what names a chart: its phase I, shape (n,), and the run length that is asked of it."""
    named = f"{PROCEDURE} {requested!r} {len(values)} ".encode()
    plain = np.where(np.isnan(values), np.nan, values)  # of many NaN there is one
    return hashlib.sha256(named + plain.astype("<f8").tobytes()).hexdigest()


def to_document(chart: ResidualChart) -> dict[str, Any]:
    """Return what was learnt, without the values that it was learnt from."""
    phase = chart.phase_one
    return {
        "lags": phase.lags,
        "verdict": phase.verdict,
        "left_out": [[each.begin, each.end, each.kind, each.reason] for each in phase.left_out],
        "why": list(phase.why),
        "cautions": list(phase.cautions),
        "fitted": _numbers(phase.model),
        "model": _numbers(chart.model),
        "reference": float(chart.chart.reference),
        "limit": chart.chart.limit,
        "requested": chart.requested,
        "run_length_error": chart.run_length_error,
    }


def from_document(document: Mapping[str, Any], values: Floats) -> ResidualChart:
    """Return the chart that was learnt from ``values``, shape (n,), NaN where one is missing."""
    left_out = tuple(LeftOut(*each) for each in document["left_out"])
    kept = np.array(values, dtype=np.float64)
    for each in left_out:
        kept[each.begin : each.end] = np.nan
    phase = PhaseOne(
        kept,
        document["lags"],
        _model(document["fitted"]),
        document["verdict"],
        left_out,
        tuple(document["why"]),
        tuple(document["cautions"]),
    )
    learnt = InControl.of_model(_model(document["model"]), kept[np.newaxis])
    chart = ShewhartCusum(document["reference"], document["limit"])
    return ResidualChart(phase, learnt.model, learnt.scores, chart, document["requested"], document["run_length_error"])


def _numbers(model: Autoregression) -> dict[str, Any]:
    return {name: getattr(model, name).tolist() for name in _PARTS}


def _model(document: Mapping[str, Any]) -> Autoregression:
    return Autoregression(
        constant=np.array(document["constant"], np.float64),
        coefficients=np.array(document["coefficients"], np.float64).reshape(1, -1),
        sigma=np.array(document["sigma"], np.float64),
        order=np.array(document["order"], np.intp),
        points=np.array(document["points"], np.intp),
    )
