"""What a person is shown who looks now and then: the fold of live operation is the judge."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.plant import AlertSettings
from models.assessment import Assessments
from models.judging.rounds import shown_at
from models.moment import instant
from models.persistence import episodes
from service.watch import Watch, turned

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = AlertSettings(on_delay=(2, 3), off_delay=3)
levels = st.lists(st.sampled_from([0.1, 0.9, None]), min_size=1, max_size=60)
hours = st.lists(st.integers(0, 70), max_size=12, unique=True).map(sorted)


def said(values: list[float | None]) -> Assessments:
    level = np.array([np.nan if each is None else each for each in values])
    time = np.array([instant(ZERO + timedelta(hours=each)) for each in range(len(values))])
    reason = np.where(np.isnan(level), "off", "ok").astype(object)
    return Assessments("m", "1", np.full(len(values), "press", object), time, level, reason, 0.5)


def live(assessments: Assessments, rounds: list[int], failed: list[int]) -> list[np.datetime64]:
    """Fold the windows round by round as the monitor does, and return when a condition was first met."""
    watch: Watch | None = None
    shown, begun = [], None
    moments = np.array([instant(ZERO + timedelta(hours=each)) for each in failed], dtype="datetime64[us]")
    for hour in rounds:
        at = instant(ZERO + timedelta(hours=hour))
        after = np.ones(len(assessments), bool) if watch is None else assessments.time > instant(watch.until)
        own = assessments.where(after & (assessments.time <= at))
        if not len(own):
            continue
        new = moments if watch is None else moments[moments > instant(watch.until)]
        watch = turned(watch, own, new[new <= own.time[-1]], SETTINGS).watch
        if watch.condition.active and watch.begin != begun:
            shown.append(at)
        begun = watch.begin
    return shown


@given(levels, hours, hours)
@settings(max_examples=300, deadline=None)
def test_alerts_are_shown_at_the_rounds_at_which_live_operation_raises_them(
    values: list[float | None], rounds: list[int], failed: list[int]
) -> None:
    assessments = said(values)
    failures = pd.DataFrame(
        {
            "machine": pd.Series(["press"] * len(failed), dtype=object),
            "begin": pd.to_datetime([ZERO + timedelta(hours=each) for each in failed], utc=True),
        }
    )
    moments = np.array([instant(ZERO + timedelta(hours=each)) for each in rounds], dtype="datetime64[us]")

    shown = shown_at(episodes(assessments, SETTINGS, failures), moments, assessments)

    assert [each.begin for each in shown] == live(assessments, rounds, failed)


def test_with_a_round_at_every_window_nothing_is_hidden() -> None:
    assessments = said([0.1, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9])

    found = episodes(assessments, SETTINGS)

    assert shown_at(found, assessments.time, assessments) == found
