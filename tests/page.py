"""A page of the documents whose examples run from top to bottom."""

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a language on a page, such as ``energy.md``."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(page: str) -> dict[str, Any]:
    """Run the Python of a page in the present folder, and return the names that it leaves."""
    names: dict[str, Any] = {}
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), names)  # noqa: S102 – our own page
    return names
