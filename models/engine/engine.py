"""◆ The engine: does units of work wherever it was told to, and loses none when a worker dies."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from models.engine.here import Here
from models.engine.place import Place
from models.engine.turn import Turn
from models.engine.work import Outcome, WorkUnit

Result = TypeVar("Result")


class Engine:
    """Does units of work at a place; the results are the same at every place, and in the order of the units.

    Units are handed out through a sliding window: what is done is fetched before more is given out, so that a
    place never holds more than a few results, nor loses more with a worker.

    When a worker dies, whatever it may have had in hand is a suspect, and suspects run alone, one after the
    other: who takes a worker with it then did it itself. A unit that does so again and again is set aside.

    Parameters
    ----------
    place : where work runs
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    @property
    def name(self) -> str:
        """Where work runs, for people."""
        return self._place.name

    @property
    def workers(self) -> int:
        """How many units run at once; 1 where cutting work into more units gains nothing."""
        return self._place.workers

    def run(
        self, work: Callable[..., Result], units: Sequence[WorkUnit], shared: tuple[Any, ...] = ()
    ) -> list[Outcome[Result]]:
        """Do ``work(*shared, *unit.arguments)`` for each unit, and return what came of each, in their order.

        Parameters
        ----------
        work : a function that depends on its arguments alone; importable by its name
        shared : what all units are given; goes over the wire with each unit, but is unpacked once by each worker

        Raises
        ------
        EngineError
            When the place itself cannot work: nobody is there, or it is not the same programme.
        """
        if not units:
            return []
        turn = Turn(self._place, self._place.pack(work, shared), units)
        try:
            while turn.goes_on():
                turn.hand_out()
                turn.take_in()
        finally:
            turn.drop()
        return [turn.outcomes[number] for number in range(len(units))]

    def close(self) -> None:
        """Let go of the workers."""
        self._place.close()


HERE = Engine(Here())
"""This process."""
