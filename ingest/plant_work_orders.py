"""Work orders in the plant file: how many drafts a week, and where what is approved goes."""

from pathlib import Path

from pydantic import Field

from ingest.part import Part


class WorkOrderSettings(Part):
    """Drafts of work orders; none is made while this table is left out."""

    most_a_week: int = Field(5, ge=0, le=10_000, description="No more drafts are made in any seven days.")
    folder: Path | None = Field(
        None, description="Where approved ones are written for the maintenance system, and its answers are read from."
    )
