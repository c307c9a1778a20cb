"""Work on a schedule: the ``[[jobs]]`` and ``[[pools]]`` tables of the plant file."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ingest.duration import Duration, SomeTime
from ingest.part import Name, Part

Action = Literal["ingest", "score", "losses", "train", "backtest", "report", "seal", "clean"]
"""What a job can do."""


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f"{text!r} is no time of day; write hours and minutes such as '05:30'")
    return text


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]


class Job(Part):
    """Work on a schedule; see [operating](operating.md)."""

    name: Name = Field(description="Name of the job, unique in the plant.")
    action: Action = Field(description="What to do.")
    cron: str | None = Field(None, description="Cron expression in the plant's local time, such as '0 6 * * *'.")
    every: Duration | None = Field(None, description="Or a fixed interval.")
    complete: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Begin a slot only once this share of the signals has come for it, such as 0.95.",
    )
    wait: SomeTime = Field(
        "30 min",
        validate_default=True,
        description="With 'complete': how long a slot is waited with at most.",
    )
    models: list[Name] = Field([], description="Models it concerns; all when empty.")
    catch_up: Literal["latest", "all", "none"] = Field("latest", description="Which missed runs to make up for.")
    catch_up_within: SomeTime | None = Field(
        None, description="Missed runs that are older are not made up for; of any age when left out."
    )
    done_by: TimeOfDay | None = Field(
        None,
        description="Local time such as '05:30' that follows each slot and by which it has to be done; "
        "`andon watch` raises an alarm otherwise.",
    )
    retries: int = Field(0, ge=0, le=20, description="How often a run that failed is tried again.")
    back_off: SomeTime = Field(
        "1 min",
        validate_default=True,
        description="Time before the first retry; twice as long before each further one, a day at most.",
    )
    time_out: SomeTime | None = Field(
        None,
        description="A run that takes longer is ended with all its processes. Such a job runs in a process of its own.",
    )
    memory: int | None = Field(
        None,
        ge=64,
        description="Megabytes that a run may take, all its processes together; it is ended when it takes more. Such a "
        "job runs in a process of its own.",
    )
    pool: Name | None = Field(None, description="Jobs of one pool share its places; see `[[pools]]`.")


class Pool(Part):
    """Places that jobs share, over all workers, so that heavy work does not run all at once."""

    name: Name = Field(description="Name of the pool, unique in the plant.")
    at_once: int = Field(1, ge=1, description="How many runs of its jobs may go on at once.")
