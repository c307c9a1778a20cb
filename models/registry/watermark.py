"""What marks a model whose judgement flatters: it stands on every report, card and page, and keeps it from use."""

from typing import Final

RANDOM: Final = (
    "judged on a random split: each judged window lies beside windows that were learnt from, so every figure flatters"
)


def marked(watermark: str) -> str:
    """Return the mark as people read it; empty where there is none.

    Examples
    --------
    >>> marked("judged on a random split")
    'NOT TO BE RELIED ON: judged on a random split.'
    >>> marked("")
    ''
    """
    return f"NOT TO BE RELIED ON: {watermark.rstrip('.')}." if watermark else ""
