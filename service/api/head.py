"""The head of a request, its address and headers: bounded, so that a client cannot fill the memory with it."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 << 10
"""Bytes of a head; one that comes whole in one reading of the socket may be a few times as long."""

_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/problem+json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
)
_WHY = b'{"title":"Request Header Fields Too Large","status":431,"detail":"a request has at most %d bytes of headers"}'


class BoundedHead(HttpToolsProtocol):
    """Speaks HTTP/1.1 with one client, and ends the connection when a head does not end."""

    _head: int | None = None
    """Bytes that came since a head, or what may be trailers, began; ``None`` while neither is on its way."""

    _reading = 0

    def on_message_begin(self) -> None:
        """Begin to count with the next reading: this one may also hold the end of a body."""
        self._head = -self._reading
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Stop counting: the body has a bound of its own."""
        self._head = None
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """Count again: what follows the last chunk are trailers."""
        self._head = -self._reading

    def on_body(self, body: bytes) -> None:
        """Stop counting, as after headers."""
        self._head = None
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop counting after trailers."""
        self._head = None
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Take what came; refuse a head that is too long by now."""
        self._reading = len(data)
        super().data_received(data)
        if self._head is None or self.transport.is_closing():
            return
        self._head += len(data)
        if self._head > LARGEST_HEAD:
            why = _WHY % LARGEST_HEAD
            self.transport.write(_REFUSAL % (len(why), why))
            self.transport.close()
