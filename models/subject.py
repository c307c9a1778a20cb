"""Subjects: whether an alert of a model is about the machine, about one sensor, or about one of the two.

A sensor that drifts and wear that shows in one signal are the same readings. So what rests on one signal alone is
never said to be the machine: where a recorded failure began so, or a failure risk is sure, it is the sensor or the
machine, and everywhere else the sensor. Whoever is called looks at the sensor first and knows what is at stake.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ingest.plant import AlertSettings
from models.assessment import Assessments, Reason
from models.persistence import Episode, episodes
from models.rows import machine_rows


class Subject(StrEnum):
    """What an alert is about."""

    MACHINE = "machine"
    EITHER = "sensor or machine"
    SENSOR = "sensor"


def about_machine(own: Assessments) -> Assessments:
    """Return assessments that raise an alert where more than one signal departs; where one does, they hold it up."""
    return own if own.alone is None else replace(own, only_holds=own.alone != "")


def about_either(own: Assessments, machine_lasts: NDArray[np.bool_]) -> Assessments:
    """Return assessments that raise an alert where one signal alone departs, which may be the machine.

    Parameters
    ----------
    machine_lasts : rows at which an alert about the machine lasts, which says it already; shape (n,)
    """
    # Where several signals depart it is no sensor: such a row raises nothing, holds up nothing and explains nothing.
    elsewhere = (own.level >= own.threshold) & (_alone(own) == "")
    return replace(own, level=np.where(elsewhere | (machine_lasts & ~np.isnan(own.level)), 0.0, own.level))


def about_sensor(own: Assessments) -> Assessments:
    """Return assessments that are over where one signal alone departs, as before no failure that was recorded."""
    alone = (_alone(own) != "") & _doubted(own)
    level = np.where(alone, 1.0, np.where(np.isnan(own.level), np.nan, 0.0))
    reason = np.where(_doubted(own), Reason.OK.value, own.reason)
    return Assessments(own.model, own.version, own.machine, own.time, level, reason, 0.5)


def alerts_of(own: Assessments, settings: AlertSettings, failures: pd.DataFrame | None = None) -> list[Episode]:
    """Return every alert that foretells a failure, sorted by (machine, begin): about the machine, and about either.

    Parameters
    ----------
    failures : table with ``machine`` and ``begin``, see ``episodes``
    """
    of_machine = episodes(about_machine(own), settings, failures)
    if own.alone is None:
        return of_machine
    of_either = episodes(about_either(own, _while(own, of_machine)), settings, failures)
    return sorted([*of_machine, *of_either], key=lambda each: (each.machine, each.begin))


def _alone(own: Assessments) -> NDArray[np.object_]:
    return np.full(len(own), "", dtype=object) if own.alone is None else own.alone


def _doubted(own: Assessments) -> NDArray[np.bool_]:
    return np.asarray(own.reason == Reason.ONE_SIGNAL.value)


def _while(own: Assessments, alerts: Sequence[Episode]) -> NDArray[np.bool_]:
    """Return the rows at which one of the alerts lasts."""
    rows, lasts = machine_rows(own.machine), np.zeros(len(own), dtype=np.bool_)
    for alert in alerts:
        mine = rows[alert.machine]
        end = mine.stop if alert.end is None else mine.start + np.searchsorted(own.time[mine], alert.end, side="left")
        lasts[alert.row : end] = True
    return lasts
