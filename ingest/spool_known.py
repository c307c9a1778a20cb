"""What a spool knows of sources: their newest positions, and what they noted."""

import json
from collections.abc import Mapping

MOST_POSITIONS = 20_000


class Known:
    """Positions of deliveries that came, the newest of them, and the notes of each source.

    Examples
    --------
    >>> known = Known()
    >>> known.remember("hall", "7", {"offset": "12"})
    >>> again = Known()
    >>> again.restore(known.state())
    >>> again.has("hall", "7"), again.has("hall", "8"), again.notes("hall")
    (True, False, {'offset': '12'})
    """

    def __init__(self) -> None:
        self._notes: dict[str, dict[str, str]] = {}
        self._positions: dict[tuple[str, str], None] = {}

    def has(self, source: str, position: str) -> bool:
        """Say whether a position is known; an empty one never is."""
        return bool(position) and (source, position) in self._positions

    def notes(self, source: str) -> dict[str, str]:
        """Return all that was noted for a source, by name."""
        return dict(self._notes.get(source, {}))

    def remember(self, source: str, position: str, notes: Mapping[str, str]) -> None:
        """Know a delivery from now on; the longest known is forgotten when there are too many."""
        if position:
            self._positions[source, position] = None
            while len(self._positions) > MOST_POSITIONS:
                del self._positions[next(iter(self._positions))]
        if notes:
            self._notes.setdefault(source, {}).update(notes)

    def state(self) -> bytes:
        """Return all of it as bytes; ``restore`` reads them back."""
        notes = [[source, *each] for source, some in self._notes.items() for each in some.items()]
        return json.dumps({"positions": list(self._positions), "notes": notes}).encode()

    def restore(self, state: bytes) -> None:
        """Know what ``state`` returned, too."""
        said = json.loads(state)
        for source, position in said["positions"]:
            self.remember(source, position, {})
        for source, name, note in said["notes"]:
            self.remember(source, "", {name: note})
