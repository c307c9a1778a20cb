"""How severe an alert is, from what can wait to what cannot."""

from enum import IntEnum


class Severity(IntEnum):
    """How severe an alert is; the order counts."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """Its name as the plant file writes it."""
        return self.name.lower()


def severity_named(word: str) -> Severity:
    """Return a severity by the name that the plant file writes.

    Examples
    --------
    >>> severity_named("high") < severity_named("critical")
    True
    """
    return Severity[word.upper()]
