"""What all tests share."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Commands choose where logs go; no test may inherit a stream that is closed by now."""
    yield
    structlog.reset_defaults()
