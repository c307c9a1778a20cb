"""Moments as they are written: ISO 8601, and never a bare number, which may count seconds or thousandths of them."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")


def _no_number(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise ValueError("a number is no date and time; write one such as 2026-01-31T06:00:00Z")
    return value


Iso = Annotated[datetime, BeforeValidator(_no_number)]
"""A date and time; without an offset it is the plant's local time."""
