"""A broker that only proves who comes: TLS if it has a certificate, then SASL PLAIN, and nothing behind it."""

import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import Any

_VERSIONS, _HANDSHAKE, _AUTHENTICATE = 18, 17, 36
_SPOKEN = {_VERSIONS: (0, 0), _HANDSHAKE: (1, 1), _AUTHENTICATE: (0, 0), 3: (0, 4), 1: (4, 11), 2: (2, 5)}
_UNSUPPORTED, _REFUSED = 35, 58


class Guard(ThreadingTCPServer):
    """Keeps what clients prove themselves with, and refuses all."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, certificate: Path | None, key: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.proofs: list[tuple[str, str]] = []
        self.handshakes = 0
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate, key)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    def secured(self, request: Any) -> Any:
        """Return the connection to speak over."""
        if self._context is None:
            return request
        wrapped = self._context.wrap_socket(request, server_side=True)
        self.handshakes += 1
        return wrapped


class _Client(BaseRequestHandler):
    server: Guard

    def handle(self) -> None:
        with suppress(OSError, struct.error), self.server.secured(self.request) as connection:
            while True:
                (length,) = struct.unpack(">i", _exactly(connection, 4))
                request = _exactly(connection, length)
                kind, version, number = struct.unpack(">hhi", request[:8])
                (name_length,) = struct.unpack(">h", request[8:10])
                answer = self._answer(kind, version, request[10 + name_length :])
                connection.sendall(struct.pack(">ii", len(answer) + 4, number) + answer)

    def _answer(self, kind: int, version: int, body: bytes) -> bytes:
        if kind == _VERSIONS:
            spoken = b"".join(struct.pack(">hhh", key, *versions) for key, versions in _SPOKEN.items())
            return struct.pack(">hi", _UNSUPPORTED if version else 0, len(_SPOKEN)) + spoken
        if kind == _HANDSHAKE:
            return struct.pack(">hih", 0, 1, 5) + b"PLAIN"
        (length,) = struct.unpack(">i", body[:4])
        _, user, password = body[4 : 4 + length].split(b"\0")
        self.server.proofs.append((user.decode(), password.decode()))
        why = b"unknown user"
        return struct.pack(">hh", _REFUSED, len(why)) + why + struct.pack(">i", 0)


def _exactly(connection: Any, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data


@contextmanager
def running_guard(certificate: Path | None = None, key: Path | None = None) -> Iterator[Guard]:
    """Run a guard for as long as the context lasts."""
    with Guard(certificate, key) as guard:
        thread = Thread(target=guard.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield guard
        finally:
            guard.shutdown()
            thread.join()
