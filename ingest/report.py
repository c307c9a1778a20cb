"""What reading brought in, what it turned away, and why."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Rejection:
    """One row, or one cell of a row, that could not be used.

    Attributes
    ----------
    line : line of a text file, or row of a table, counted from 1; 0 when the whole is meant
    column : column of the cell; empty when the whole row is meant
    value : what stood there, cut to a readable length
    reason : what is wrong, and what would be right
    """

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What one file of a source gave.

    Attributes
    ----------
    rows : rows of data in the file
    accepted : rows that gave readings which the store did not have
    repeated : rows whose readings were all there already
    corrected : accepted rows that changed a reading which was there already
    rejected : rows and cells turned away; ``rejections`` shows the first of them
    missing : empty cells, which are neither readings nor mistakes
    ignored : rows of machines that the plant file does not name, where it says to ignore them
    readings : single readings in the accepted and repeated rows
    """

    source: str
    path: str
    rows: int = 0
    accepted: int = 0
    repeated: int = 0
    corrected: int = 0
    rejected: int = 0
    missing: int = 0
    ignored: int = 0
    readings: int = 0
    rejections: tuple[Rejection, ...] = ()
    events_added: int = 0
    events_repeated: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the report that ``to_dict`` wrote."""
        return cls(**{**values, "rejections": tuple(Rejection(**each) for each in values["rejections"])})


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one run over all sources gave, and how long it took."""

    files: tuple[FileReport, ...] = ()
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, with the sum over all files."""
        numbers = [each.name for each in fields(FileReport) if each.type in (int, "int")]
        return {
            "files": [each.to_dict() for each in self.files],
            "seconds": self.seconds,
            **{name: sum(getattr(each, name) for each in self.files) for name in numbers},
        }
