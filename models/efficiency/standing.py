"""How a characteristic stands on its control chart, in a word; alone here, so that who tells of it loads no scipy."""

from typing import Literal

Standing = Literal["learning", "no chart", "unstable", "in control", "shifted"]
"""Too few points yet, nothing that can be charted, no stable phase I to go by, nothing that lasts, or something."""
