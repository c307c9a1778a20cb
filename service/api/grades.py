"""How a grade is shown beside a prediction."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from service.grades import KeptGrade


class GradeView(BaseModel):
    """How far the readings of a signal could be trusted when they were last graded."""

    signal: str = Field(description="The signal; of several, the one with the lowest grade.")
    number: int = Field(ge=0, le=100, description="100 is without fault.")
    level: Literal["high", "medium", "low"]
    reason: str = Field(description="Code of the fault that costs most, such as 'flat'; 'ok' if there is none.")
    says: str = Field(description="Grade and reason in words.")
    at: datetime = Field(description="As of when it was graded.")

    @classmethod
    def of(cls, kept: KeptGrade | None) -> "GradeView | None":
        """Show a kept grade; nothing where there is none."""
        if kept is None:
            return None
        return cls(
            signal=kept.signal, number=kept.number, level=kept.level, reason=kept.reason, says=kept.says, at=kept.at
        )
