"""A client cannot fill the memory with headers."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from service.api.head import LARGEST_HEAD, BoundedHead


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer with its length."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    answer = b"%d" % length
    headers = [(b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=BoundedHead, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=10) as connected:
        yield connected


@pytest.mark.parametrize("piece", [b"a" * 1000, b"x: y\r\n" * 200], ids=["one header", "many headers"])
def test_a_head_that_does_not_end_is_refused_and_the_connection_closed(client: socket.socket, piece: bytes) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nx: y\r\n")
    sent = 0
    try:
        while sent < 100 * LARGEST_HEAD:
            client.sendall(piece)
            sent += len(piece)
        said = client.recv(65536)
    except OSError:
        said = None
    # What the sockets hold between the two sides counts as sent, too.
    assert sent < 100 * LARGEST_HEAD
    assert said is None or said.startswith(b"HTTP/1.1 431 ")


def test_a_head_that_is_too_long_is_told_so(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nx: ")
    time.sleep(0.2)
    client.sendall(b"a" * (LARGEST_HEAD + 1))
    said = client.recv(65536)
    assert said.startswith(b"HTTP/1.1 431 ")
    assert b"at most 65536 bytes of headers" in said
    assert client.recv(1) == b""


def test_bodies_and_requests_one_after_the_other_do_not_count(client: socket.socket) -> None:
    for _ in range(3):
        body = b"b" * (4 * LARGEST_HEAD)
        client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert client.recv(65536).endswith(b"\r\n\r\n%d" % len(body))
    for _ in range(3):
        head = b"GET / HTTP/1.1\r\nHost: h\r\nx: " + b"a" * (LARGEST_HEAD // 2) + b"\r\n\r\n"
        client.sendall(head)
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_trailers_count_and_chunks_do_not(client: socket.socket) -> None:
    chunk = b"10000\r\n" + b"b" * 65536 + b"\r\n"
    client.sendall(
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 4 + b"0\r\nx: y\r\n\r\n"
    )
    assert client.recv(65536).endswith(b"\r\n\r\n262144")
    client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    sent = 0
    try:
        while sent < 100 * LARGEST_HEAD:
            client.sendall(b"x: y\r\n" * 200)
            sent += 1200
    except OSError:
        pass
    assert sent < 100 * LARGEST_HEAD


def test_the_head_of_a_request_that_follows_a_large_body_at_once_is_taken(client: socket.socket) -> None:
    body = b"b" * (3 * LARGEST_HEAD)
    client.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body) + body + b"GET / HTT")
    time.sleep(0.2)
    client.sendall(b"P/1.1\r\nHost: h\r\n\r\n")
    said = b""
    while said.count(b"HTTP/1.1 200") < 2:
        more = client.recv(65536)
        assert more
        said += more
