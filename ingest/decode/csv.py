"""CSV bodies: a header line, then rows; wide or long."""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from ingest.decode.batch import decode_batch, refuse_body, refuse_many_columns, refuse_twice
from ingest.decode.reject import KEPT
from ingest.decode.rows import Decoded
from ingest.decode.text_block import Lines, Part, parse_csv, unmarked
from ingest.plant import Plant


def decode_csv(body: bytes, plant: Plant, *, now: datetime, time_format: str = "iso", delimiter: str = ",") -> Decoded:
    """Decode a CSV body; the first line names the columns as ``decode_batch`` wants them.

    Parameters
    ----------
    now : time of arrival

    Returns
    -------
    Decoded
        Lines in its rejections are counted from 1, the header being line 1.

    Raises
    ------
    SourceError
        When the body is empty, or has no machine or time.
    """
    part = csv_part(body, delimiter)
    decoded = decode_batch(part.table, plant, now=now, time_format=time_format, line_of=part.lines.of)
    return Decoded(
        readings=decoded.readings,
        rejections=sorted([*part.broken, *decoded.rejections], key=lambda each: each.line),
        rejected=decoded.rejected + len(part.broken),
        rows=decoded.rows + len(part.broken),
        used=decoded.used,
        missing=decoded.missing,
        turned_away=decoded.turned_away,
    )


def csv_part(body: bytes, delimiter: str, columns: Sequence[str] = ()) -> Part:
    """Return a body as a table of texts, with the lines that are no rows.

    Parameters
    ----------
    columns : names of the columns, if the body has no header

    Raises
    ------
    SourceError
        When the body is empty, or has no header that names each column once.
    """
    text = unmarked(body)
    header, _, rest = (b"", b"", text) if columns else text.partition(b"\n")
    names = tuple(columns) or tuple(name.strip().strip('"') for name in header.decode().strip().split(delimiter))
    refuse_many_columns(len(names))
    if not text.strip() or not (columns or header.strip()):
        raise refuse_body("is empty")
    refuse_twice(names)
    first = 1 if columns else 2
    if not rest.strip():
        return Part(
            pa.table({name: pa.array([], pa.string()) for name in names}), Lines(b"", first, delimiter, 0, 0), ()
        )
    try:
        return parse_csv(rest, names, names, delimiter, first, most_broken=KEPT)
    except pa.ArrowException as error:
        raise refuse_body(f"is not CSV ({str(error).splitlines()[0]})") from error
