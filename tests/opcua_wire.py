"""What a client asks an OPC UA server for, read from the wire between the two."""

import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from asyncua import ua

_NAMES = {
    number: name.removesuffix("Request_Encoding_DefaultBinary")
    for name, number in vars(ua.ObjectIds).items()
    if name.endswith("Request_Encoding_DefaultBinary")
}
READING = frozenset(
    {
        *("OpenSecureChannel", "CloseSecureChannel", "GetEndpoints", "CreateSession", "ActivateSession"),
        *("CloseSession", "CreateSubscription", "CreateMonitoredItems", "Publish", "Read", "Browse", "BrowseNext"),
    }
)
"""The services with which nothing at a server can be changed."""


class Wire:
    """Passes on what client and server say, unencrypted, and notes each service that is asked for.

    Attributes
    ----------
    services : names of the services
    """

    def __init__(self, port: int) -> None:
        self.services: set[str] = set()
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"opc.tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._stop = Event()
        self._cut = Event()
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """Cut all connections that there are."""
        self._cut.set()

    def close(self) -> None:
        self._stop.set()
        for each in self._threads:
            each.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._listener], [], [], 0.05)[0]:
                continue
            client, _ = self._listener.accept()
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._cut.clear()
            self._threads.append(Thread(target=self._pass_on, args=(client, server), daemon=True))
            self._threads[-1].start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        said = b""
        other = {client: server, server: client}
        with client, server:
            while not self._stop.is_set() and not self._cut.is_set():
                for each in select.select([client, server], [], [], 0.02)[0]:
                    part = each.recv(1 << 16)
                    if not part:
                        return
                    other[each].sendall(part)
                    if each is client:
                        said = self._note(said + part)

    def _note(self, said: bytes) -> bytes:
        """Note the services of all whole messages; return what is left."""
        while len(said) >= 8:
            kind, size = said[:3], struct.unpack("<I", said[4:8])[0]
            if len(said) < size:
                break
            if kind == b"MSG":  # channel, token, sequence, request: then the id of the service, of four bytes
                encoding, space, number = struct.unpack("<BBH", said[24:28])
                assert (encoding, space) == (1, 0)
                self.services.add(_NAMES.get(number, str(number)))
            said = said[size:]
        return said


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """Give a wire to a server, and cut it at the end."""
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()
