"""A receiver of webhooks for tests: a real server that has each effect once, and can be made to fail."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Delivery:
    """One POST that came."""

    id: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """How a receiver answers.

    Attributes
    ----------
    status : of the answer; 0 for none, and the connection is reset
    takes : whether the message has its effect
    hangs : waits for this before it answers
    """

    status: int = 200
    takes: bool = True
    hangs: threading.Event | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Receiver:
    """Listens on a free port of this computer; ``effects`` are the messages that came, each id once."""

    def __init__(self, answer: Callable[[Delivery], Answer] | None = None, port: int = 0) -> None:
        self.deliveries: list[Delivery] = []
        self.effects: list[Delivery] = []
        self.answer = answer or (lambda _: Answer())
        self._known: set[str] = set()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def take(self, delivery: Delivery) -> Answer:
        """Note a message, and say how to answer it."""
        with self._lock:
            self.deliveries.append(delivery)
            answer = self.answer(delivery)
            if answer.takes and delivery.id not in self._known:
                self._known.add(delivery.id)
                self.effects.append(delivery)
            return answer

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], receiver: Receiver) -> None:
        self.receiver = receiver
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients are killed, and hang up, as they like."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            # The sender was killed in between: no message came.
            self.close_connection = True
            return
        named = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.receiver.take(Delivery(named.get("webhook-id", ""), named, body))
        if answer.hangs is not None:
            answer.hangs.wait(30)
        if not answer.status:
            # Closing with this sends a reset in place of an end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        with suppress(OSError):
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name at the base
        """Say nothing."""


@contextmanager
def receiving(answer: Callable[[Delivery], Answer] | None = None) -> Iterator[Receiver]:
    """Give a receiver, and close it at the end."""
    receiver = Receiver(answer)
    try:
        yield receiver
    finally:
        receiver.close()
