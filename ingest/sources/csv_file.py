"""Text files in bounded memory: blocks of whole lines, each row with the line that it stands on."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from ingest.decode.csv_rows import csv_rows
from ingest.decode.text_block import lines_in, parse_csv, to_utf8
from ingest.errors import SourceError
from ingest.sources.chunk import Chunk, first_line

BLOCK_BYTES = 8 << 20
LONGEST_HEADER = 16 << 20
UNEVEN_HEADER = "the first line ends inside quotes; write the names of all columns into one line"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class CsvFile:
    """A text file with a header line, plain or compressed.

    Raises
    ------
    SourceError
        When it cannot be opened, is empty, or is not text.
    """

    def __init__(self, path: Path, delimiter: str = ",", block_bytes: int = BLOCK_BYTES) -> None:
        self.path = path
        self._delimiter = delimiter
        self._block_bytes = block_bytes
        with self._opened() as (_, header, _, _):
            text = to_utf8(header.removeprefix(_BYTE_ORDER_MARK)).decode()
        if "\r" in text.rstrip("\r"):
            raise SourceError(f"{path}: its lines end with a carriage return alone; save it with line feeds")
        _, names = next(csv_rows(text, delimiter), (1, []))
        self.columns = tuple(name.strip() for name in names)
        self.size = path.stat().st_size

    def chunks(self, columns: tuple[str, ...]) -> Iterator[Chunk]:
        """Give the file block by block, with these columns, all as text.

        A chunk's key is a digest of the file up to its end, so a file that has grown since keeps the keys
        of what was there.
        """
        with self._opened() as (stream, header, line, rest):
            running = blake2b(header, digest_size=16)
            done = len(header) + 1
            for block in self._blocks(stream, rest):
                running.update(block)
                done += len(block)
                part = parse_csv(block, self.columns, columns, self._delimiter, line)
                yield Chunk(part.table, running.hexdigest(), min(done, self.size), part.lines.of, part.broken)
                line += lines_in(block)

    @contextmanager
    def _opened(self) -> Iterator[tuple[pa.NativeFile, bytes, int, bytes]]:
        """Give the stream, the header line, the number of the line after it, and what was read beyond."""
        try:
            with pa.input_stream(str(self.path), compression="detect") as stream:
                rest, line = b"", 1
                while True:
                    data = stream.read(1 << 16)
                    rest += data
                    while b"\n" in rest:
                        header, _, rest = rest.partition(b"\n")
                        line += 1
                        if header.strip():
                            break
                    else:
                        if len(rest) > LONGEST_HEADER:
                            raise SourceError(f"{self.path}: its first line is longer than {LONGEST_HEADER:,} bytes")
                        if data:
                            continue
                        header, rest = rest, b""
                    break
                if header.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in header:
                    raise SourceError(f"{self.path}: not UTF-8 text; save it as CSV in UTF-8")
                if not header.removeprefix(_BYTE_ORDER_MARK).strip():
                    raise SourceError(f"{self.path}: the file is empty; it needs a header line with column names")
                if header.count(b'"') % 2:
                    raise SourceError(f"{self.path}: {UNEVEN_HEADER}")
                yield stream, header, line, rest
        except (OSError, pa.ArrowException) as error:
            raise SourceError(f"{self.path}: cannot be read: {first_line(error)}") from error

    def _blocks(self, stream: pa.NativeFile, rest: bytes) -> Iterator[bytes]:
        """Cut the stream into blocks that end with a line and not inside quotes."""
        while data := stream.read(self._block_bytes - len(rest) % self._block_bytes):
            rest += data
            end = end_of_lines(rest)
            if end == 0 and len(rest) > 4 * self._block_bytes:
                end = rest.rfind(b"\n") + 1
            if end:
                yield rest[:end]
                rest = rest[end:]
        if rest:
            yield rest


def end_of_lines(block: bytes) -> int:
    """Return the end of the last line that is not inside quotes; 0 if there is none."""
    end = block.rfind(b"\n") + 1
    for _ in range(64):
        if end == 0 or block.count(b'"', 0, end) % 2 == 0:
            return end
        end = block.rfind(b"\n", 0, block.rfind(b'"', 0, end)) + 1
    return 0
