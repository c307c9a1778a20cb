"""◆ A place where work runs, behind ``concurrent.futures.Executor``."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Protocol

Carried = tuple[bool, Any]
"""Whether the work came to its end, and its result or the exception that it raised."""

Carrier = Callable[[tuple[Any, ...]], Carried]
"""Does the packed work with the arguments of one unit; never raises what the work raised."""


class Place(Protocol):
    """Hands out units to workers, and says what it looks like when one of them dies.

    Attributes
    ----------
    name : for messages
    what_is_lost : what happened when a future raises one of ``lost``, in words; the unit itself may be innocent
    alone : how often a unit may take its worker with it while it runs alone, until it is set aside
    """

    name: str
    what_is_lost: str
    alone: int

    @property
    def lost(self) -> tuple[type[BaseException], ...]:
        """What a future raises whose worker died."""

    @property
    def workers(self) -> int:
        """How many units run at once."""

    @property
    def ahead(self) -> int:
        """How many units are handed out before the first of them is done."""

    def pack(self, work: Callable[..., Any], shared: tuple[Any, ...]) -> Carrier:
        """Make the work ready for the way: once, however many units there are."""

    def executor(self) -> Executor:
        """Return what units are given to; it is made when it is first asked for.

        Raises
        ------
        EngineError
            When there are no workers, or none can be reached.
        """

    def renew(self, broken: Executor) -> None:
        """Let go of an executor that lost a worker, where it cannot go on without."""

    def check(self, waited: float) -> None:
        """Raise ``EngineError`` when nobody works any more; asked every few seconds while nothing gets done.

        Parameters
        ----------
        waited : for how many seconds nothing has been done
        """

    def close(self) -> None:
        """Let go of the workers; whoever asks for work later gets new ones."""
