"""How a characteristic stands on its control chart, in a word."""

from typing import Literal

Standing = Literal["learning", "unstable", "in control", "shifted"]
"""Too few points yet, no stable phase I to go by, nothing signalled that lasts, or something."""
