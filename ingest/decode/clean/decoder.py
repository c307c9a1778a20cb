"""◆ The clean decoder: the same as the careful one where nothing is wrong, and many times as fast."""

from collections.abc import Callable, Mapping, Sequence

from ingest.decode.again import DECODERS
from ingest.decode.clean.arrow import arrow_columns
from ingest.decode.clean.columns import Columns, read_columns
from ingest.decode.clean.json import json_columns
from ingest.decode.clean.layout import Layouts
from ingest.decode.clean.line_protocol import line_columns
from ingest.decode.cut import Body
from ingest.decode.rows import Decoded
from ingest.plant import Plant

PARSERS: Mapping[str, Callable[[bytes, Mapping[str, str], Layouts], Columns | None]] = {
    "arrow": arrow_columns,
    "json": json_columns,
    "line_protocol": line_columns,
}
"""By kind of body: gives its columns, or ``None`` where something may be wrong."""


class BodyDecoder:
    """Decodes the bodies of one plant: those in which nothing is wrong at once, all others with care."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._layouts = Layouts(plant)

    def decode(self, body: Body) -> Decoded:
        """Return what a body gives.

        Raises
        ------
        SourceError
            When it gives nothing at all, and why.
        """
        clean = self.clean(body)
        return DECODERS[body.kind](body.body, body.head, self._plant, body.arrived) if clean is None else clean

    def clean(self, body: Body) -> Decoded | None:
        """Return what a body gives if nothing in it is wrong or unusual; ``None`` for any other."""
        return self.clean_each([body])[0]

    def clean_each(self, bodies: Sequence[Body]) -> list[Decoded | None]:
        """Return what ``clean`` does of each body; small ones with the same columns cost less together."""
        found: list[Decoded | None] = [None] * len(bodies)
        alike: dict[object, list[tuple[int, Columns]]] = {}
        for place, body in enumerate(bodies):
            if (columns := self._parsed(body)) is not None:
                alike.setdefault(place if columns.long else columns.names, []).append((place, columns))
        for several in alike.values():
            for (place, _), decoded in zip(several, self._read(bodies, several), strict=True):
                found[place] = decoded
        return found

    def _parsed(self, body: Body) -> Columns | None:
        parse = PARSERS.get(body.kind)
        return None if parse is None else parse(body.body, body.head, self._layouts)

    def _read(self, bodies: Sequence[Body], several: Sequence[tuple[int, Columns]]) -> Sequence[Decoded | None]:
        now = [bodies[place].arrived for place, _ in several]
        together = read_columns([columns for _, columns in several], self._layouts, now)
        if together is not None or len(several) == 1:
            return together or [None]
        # Something is wrong in one of them: the others are clean all the same.
        return [self._read(bodies, [each])[0] for each in several]
