"""An inlet that a test holds in its hands."""

from concurrent.futures import Future

from ingest.delivery import Delivery, Receipt
from ingest.errors import IntakeFullError
from ingest.intake import Intake


class HeldInlet:
    """An inlet that answers when it is told to, or is full."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.held: list[tuple[Delivery, Future[Receipt]]] = []
        self.holding = self.full = False

    def put(self, delivery: Delivery, *, wait: float = 0.0) -> Future[Receipt]:
        if self.full:
            raise IntakeFullError("full")
        if not self.holding:
            return self._intake.put(delivery, wait=wait)
        future: Future[Receipt] = Future()
        self.held.append((delivery, future))
        return future

    def refuses(self) -> str:
        return "full" if self.full else self._intake.refuses()

    def notes(self, source: str) -> dict[str, str]:
        return self._intake.notes(source)

    def release(self) -> None:
        self.holding = False
        for delivery, future in self.held:
            future.set_result(self._intake.put(delivery).result())
        self.held.clear()
