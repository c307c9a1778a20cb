"""How many rows go to each address at once: fewer once too many were refused, and more again when all goes well."""

FIRST_PATIENCE = 16
LONGEST_PATIENCE = 4096


class PieceSize:
    """The size for one address.

    It is halved when a piece was too large. After so many full pieces in a row that were taken, it is
    doubled again, in case that whoever refused does so no more; each time that was in vain, the next try
    waits for twice as many.

    Examples
    --------
    >>> size = PieceSize()
    >>> size.too_large(1000)
    >>> size.most(5000)
    500
    >>> for _ in range(FIRST_PATIENCE):
    ...     size.taken(500)
    >>> size.most(5000)
    1000
    """

    def __init__(self) -> None:
        self._most: int | None = None
        self._patience = FIRST_PATIENCE // 2
        self._in_a_row = 0

    def most(self, rows: int) -> int:
        """Return how many of so many rows may go at once."""
        return rows if self._most is None else min(rows, self._most)

    def too_large(self, rows: int) -> None:
        """Note that a piece of so many rows was refused for its size."""
        self._most = max(1, rows // 2)
        self._patience = min(2 * self._patience, LONGEST_PATIENCE)
        self._in_a_row = 0

    def taken(self, rows: int) -> None:
        """Note that a piece of so many rows was taken."""
        if self._most is None or rows < self._most:
            return
        self._in_a_row += 1
        if self._in_a_row >= self._patience:
            self._most, self._in_a_row = 2 * self._most, 0
