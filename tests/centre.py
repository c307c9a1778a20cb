"""A central Andon for tests on a free port, and a proxy before it that answers as it is told."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic

from ingest.plant import Plant
from ingest.store import Store
from models.registry.registry import Registry
from service.app import create_app
from service.control_room import ControlRoom
from service.settings import Settings
from tests.ready_state import open_state
from tests.running_app import running_app

LOSE = "lose the answer"


@dataclass(frozen=True)
class Reply:
    """What the proxy answers in place of the centre.

    Attributes
    ----------
    over : only to bodies with more bytes than this
    path : only to this path
    """

    status: int
    body: bytes = b"<html>no</html>"
    headers: dict[str, str] = field(default_factory=dict)
    over: int = -1
    path: str = ""
    for_ever: bool = False


class Proxy(ThreadingHTTPServer):
    """Passes requests on, unless told otherwise for the next ones."""

    daemon_threads = True

    def __init__(self, centre: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.centre = centre
        self.replies: deque[Reply | str] = deque()
        self.asked: list[tuple[str, str, int, float]] = []
        """Path, key and size of each request, and when it came."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def keys(self, path: str = "/api/v1/readings") -> list[str]:
        return [key for asked, key, *_ in self.asked if asked == path]


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        proxy = self.server
        proxy.asked.append((self.path, self.headers["Idempotency-Key"], len(body), monotonic()))
        reply = proxy.replies[0] if proxy.replies else None
        if isinstance(reply, Reply):
            if len(body) > reply.over and reply.path in ("", self.path):
                if not reply.for_ever:
                    proxy.replies.popleft()
                self._answer(reply.status, reply.headers, reply.body)
                return
        elif reply is not None:
            proxy.replies.popleft()
        connection = HTTPConnection("127.0.0.1", proxy.centre, timeout=20)
        connection.request("POST", self.path, body, dict(self.headers))
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if reply == LOSE:
            self.close_connection = True
            return
        self._answer(answer.status, {"Content-Type": answer.headers["Content-Type"]}, text)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_proxy(centre: int) -> Iterator[Proxy]:
    """Give a proxy before a centre's port."""
    with Proxy(centre) as proxy:
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


@contextmanager
def running_centre(plant: Plant, folder: Path) -> Iterator[tuple[int, Store]]:
    """Serve a plant; give its port and its store."""
    plant = plant.model_copy(update={"folder": folder, "mqtt": []})
    settings = Settings(jobs=False)
    store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
    room = ControlRoom(settings, plant, store, Registry(plant.data_folder / "models"), state)
    app = create_app(settings, clock=lambda: datetime.now(UTC), open_room=lambda _: room)
    with running_app(app) as port:
        yield port, store
