"""Work that tests of the engine give out: functions that every worker can import."""

import os
import signal
from pathlib import Path
from typing import Any

from ingest.errors import NotEnoughDataError
from models.engine.here import Here


class Several(Here):
    """This process, which says that it is several: work is cut as it would be for them."""

    def __init__(self, workers: int) -> None:
        super().__init__()
        self.workers = workers


class AwkwardError(Exception):
    """An exception that cannot be unpacked where it arrives."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def times(factor: int, number: int) -> int:
    return factor * number


def where(number: int) -> tuple[int, int]:
    return number, os.getpid()


def fail_at(bad: int, number: int) -> int:
    if number == bad:
        raise NotEnoughDataError(f"nothing to learn of {number}")
    return number


def fail_awkwardly(number: int) -> int:
    raise AwkwardError("one", str(number))


def run_out_of_memory_at(bad: int, number: int) -> int:
    if number == bad:
        raise MemoryError
    return number


def die_once(mark: Path, at: int, number: int) -> int:
    """Take the worker along, the first time that this unit runs."""
    if number == at and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_always(poison: int, number: int) -> int:
    """Take the worker along whenever this unit runs."""
    if number == poison:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def kill_for(machine: str, parent: int, machines: Any) -> None:
    """Take the worker along where a machine is among those that are looked at; never the process that asked."""
    if machine in set(machines) and os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
