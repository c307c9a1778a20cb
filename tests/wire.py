"""A wire between a browser and a server that can be cut, or fall silent."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread


class Wire:
    """Passes bytes on between a port of its own and a server's, until told otherwise.

    Attributes
    ----------
    port : to connect to
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._cut, self._silent, self._over = Event(), Event(), Event()
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        self._cut.set()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def fall_silent(self) -> None:
        """Leave all connections open, and carry nothing any more, as a pulled cable does."""
        self._silent.set()

    def mend(self) -> None:
        """Carry again; connections of the silence are lost."""
        self._silent.clear()
        self.cut()
        self._cut.clear()

    def close(self) -> None:
        self._over.set()
        self.cut()
        self._thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            near, _ = self._listener.accept()
            if self._cut.is_set():
                near.close()
            else:
                Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._server)) as far:
            both = {near: far, far: near}
            with self._lock:
                self._open |= set(both)
            with suppress(OSError):
                self._pump(both)
            with self._lock:
                self._open -= set(both)

    def _pump(self, both: dict[socket.socket, socket.socket]) -> None:
        while not self._over.is_set() and not self._cut.is_set():
            if self._silent.is_set():
                self._cut.wait(0.05)
                continue
            for each in select.select(list(both), [], [], 0.05)[0]:
                if not (data := each.recv(65536)):
                    return
                both[each].sendall(data)


@contextmanager
def running_wire(server: int) -> Iterator[Wire]:
    """Give a wire to a server's port."""
    wire = Wire(server)
    try:
        yield wire
    finally:
        wire.close()
