"""What all tests share."""

import gc
from collections.abc import Iterator

import pytest
import structlog

from service.cli.threads import limit_threads
from tests.postgresql import schema

limit_threads()


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Commands choose where logs go; no test may inherit a stream that is closed by now."""
    yield
    structlog.reset_defaults()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where a store's tables are; empty for SQLite."""
    yield from _place(request.param)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where no tables are yet; empty for SQLite."""
    yield from _place(request.param)


def _place(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield ""
        return
    with schema() as url:
        yield url


def pytest_collection_finish() -> None:
    """Look for garbage in what tests leave, and not again and again in what was loaded to run them."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run fast tests first, so that a mistake shows soon; then the longest first, so that none is left alone.

    Before all of them run the few that compile what others need, each something else: not everybody compiles it then.
    """
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, bool, float]:
    slow = item.get_closest_marker("slow")
    return item.get_closest_marker("compiles") is None, slow is not None, -slow.kwargs.get("seconds", 10) if slow else 0
