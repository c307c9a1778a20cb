"""◆ The clean decoder: the same as the careful one where nothing is wrong, and many times as fast."""

from collections.abc import Callable, Mapping

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
        parse = PARSERS.get(body.kind)
        columns = None if parse is None else parse(body.body, body.head, self._layouts)
        return None if columns is None else read_columns(columns, self._layouts, body.arrived)
