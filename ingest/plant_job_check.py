"""What cannot be seen in one key of a job alone."""

from collections.abc import Iterator

from ingest.plant_draft import Draft
from ingest.plant_problem import Problem
from ingest.plant_words import Location, nearest


def check_jobs(draft: Draft) -> Iterator[Problem]:
    """Yield what does not fit together in jobs."""
    pools = draft.names("pools")
    for index, job in draft.jobs.items():
        at: Location = ("jobs", index)
        if job.catch_up_within is not None and job.catch_up == "none":
            yield Problem((*at, "catch_up_within"), "says nothing where catch_up is 'none'; leave one of the two out")
        if job.pool is not None and job.pool not in pools:
            yield Problem((*at, "pool"), f"no pool {job.pool!r}; {nearest(job.pool, pools)}")
