"""The root of every error that Andon raises on purpose.

```
AndonError
├── PlantFileError          the plant file is missing, unreadable or wrong (all mistakes at once)
├── UnitError               a unit is not known, or does not convert to another one
├── ExpressionError         an expression over signals and states cannot be read
├── ScenarioError           the plant that the simulator was asked for makes no sense
├── TargetError             nobody takes what the simulator plays
├── SettingError            an ANDON_ variable names no setting or cannot be read
├── SourceError             a file or stream as a whole cannot be read
│   └── UnreadFilesError    some files cannot be read, the others are in
├── OtherContentError       a name that stands for one content came with another; nothing was kept
├── StoreError              the data folder cannot be read or written
│   ├── StoreBusyError      another process holds the store for too long
│   ├── DamagedError        what lies on disk is not what was written
│   ├── DiskFullError       there is no room left to write
│   └── IntakeFullError     more comes than can be written or sealed; nothing was kept, send it again
├── NotEnoughDataError      too little history or too few events for what was asked
├── LeakError               a feature knows the outcome before it happened; nothing learns from it
├── UnknownNameError        no machine, signal, model, alert or job has this name
├── RegistryError           a model version is missing, altered or cannot be loaded
├── AuditError              the audit trail is not as it was written, or does not reach its signed head
├── IllegalTransitionError  an alert or model cannot go from this state to that one
├── OutOfBoundsError        a time is longer than the plant allows, or is no time at all
├── PatternError            a matcher or a regular expression cannot be read, or could keep us busy
├── PostedAlertError        an alert that another system posted cannot be taken
├── ScheduleError           a job cannot be scheduled or run
├── AccessError             a user, key, link or password cannot be as it was asked for
├── IssuerError             the issuer of single sign-on does not answer, or not as one does
├── RemoteError             an Andon elsewhere refuses a request, or does not answer
├── DeliveryError           a message cannot be brought to its target as things are
└── EngineError             work cannot run where it was to run
    └── LostWorkError       a part of it ended its worker again and again, and was set aside
```

A message says what is wrong, where, and what would be right, in one line. Each error is raised
near its cause and caught in three places only: the command line, the API's error table, and one
round of one machine.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.report import IngestReport


class AndonError(Exception):
    """Something that a person can put right; its text is written for that person."""


class PlantFileError(AndonError):
    """The plant file cannot be used; ``problems`` has one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class UnitError(AndonError):
    """A unit is not known, or does not convert to another one."""


class ExpressionError(AndonError):
    """An expression over signals and states cannot be read."""


class ScenarioError(AndonError):
    """The plant that the simulator was asked for makes no sense."""


class TargetError(AndonError):
    """Nobody takes what the simulator plays."""


class SettingError(AndonError):
    """An ``ANDON_`` variable names no setting or cannot be read."""


class SourceError(AndonError):
    """A file or stream as a whole cannot be read."""


class UnreadFilesError(SourceError):
    """Some files or sources could not be read; the others are in.

    Attributes
    ----------
    report : what the others gave
    """

    def __init__(self, message: str, report: "IngestReport") -> None:
        super().__init__(message)
        self.report = report


class OtherContentError(AndonError):
    """A name that stands for one content, such as an idempotency key, came with another; nothing was kept."""


class StoreError(AndonError):
    """The data folder cannot be read or written."""


class StoreBusyError(StoreError):
    """Another process has held the store for longer than we wait."""


class DamagedError(StoreError):
    """What lies on disk is not what was written; nothing of it is served."""


class DiskFullError(StoreError):
    """There is no room left to write; nothing of it was kept, and all that was kept before still is."""


class IntakeFullError(StoreError):
    """More comes than can be written or sealed; nothing of the delivery was kept."""


class NotEnoughDataError(AndonError):
    """Too little history or too few events for what was asked."""


class LeakError(AndonError):
    """A feature knows the outcome before it happened; nothing learns from it without a person's word."""


class UnknownNameError(AndonError):
    """No machine, signal, model, alert or job has this name."""


class RegistryError(AndonError):
    """A model version is missing, altered or cannot be loaded."""


class AuditError(AndonError):
    """The audit trail is not as it was written, or does not reach its signed head."""


class IllegalTransitionError(AndonError):
    """An alert or model cannot go from this state to that one.

    Attributes
    ----------
    possible : what can be done in its place, by the names that its history uses
    """

    def __init__(self, message: str, possible: Sequence[str] = ()) -> None:
        self.possible = tuple(possible)
        super().__init__(message)


class OutOfBoundsError(AndonError):
    """A time that somebody asks for is longer than the plant allows, or is no time at all."""


class PatternError(AndonError):
    """A matcher of labels or a regular expression cannot be read, or could keep us busy."""


class PostedAlertError(AndonError):
    """An alert that another system posted cannot be taken as it is."""


class ScheduleError(AndonError):
    """A job cannot be scheduled or run."""


class RemoteError(AndonError):
    """An Andon elsewhere refuses a request, or does not answer.

    Attributes
    ----------
    status : of its answer; ``None`` if there was none
    kind : names the kind of problem, as its interface does; empty where it does not
    faults : pairs of place and reason, where several things are wrong
    """

    def __init__(
        self, message: str, *, status: int | None = None, kind: str = "", faults: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.status, self.kind, self.faults = status, kind, tuple(faults)
        super().__init__(message)


class DeliveryError(AndonError):
    """A message cannot be brought to its target as things are: a secret, an address or a name is missing."""


class AccessError(AndonError):
    """A user, a key, a link or a password cannot be as it was asked for."""


class IssuerError(AndonError):
    """The issuer of single sign-on does not answer, or not as an issuer does."""


class EngineError(AndonError):
    """Work cannot run where it was to run: nobody is there, or it is another programme."""


class LostWorkError(EngineError):
    """A unit of work ended its worker again and again, and was set aside."""
