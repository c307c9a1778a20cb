"""Bodies over a real connection: whoever sends too much hears why, and can go on."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from service.api.body import BoundedBody
from service.cli.serve import listen

LIMIT = 1000
MUCH = 32_000_000
"""More than what a connection holds between client and server."""


async def reads_all(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers 204 when the body has come."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@contextmanager
def connected() -> Iterator[http.client.HTTPConnection]:
    listener = listen("127.0.0.1", 0)
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(BoundedBody(reads_all, limit=LIMIT), lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=30)
    try:
        yield connection
    finally:
        connection.close()
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 413), ({"Content-Encoding": "br"}, 415)],
    ids=["too large", "packed in an unknown way"],
)
def test_a_client_that_sends_all_of_a_refused_body_hears_why(headers: dict[str, str], status: int) -> None:
    with connected() as connection:
        began = time.monotonic()
        connection.request("POST", "/", body=b"x" * MUCH, headers=headers)
        answer = connection.getresponse()
        problem = json.loads(answer.read())

        assert (answer.status, problem["status"]) == (status, status)
        assert time.monotonic() - began < 20

        connection.request("POST", "/", body=b"x" * LIMIT)
        assert connection.getresponse().status == 204


def test_a_client_that_asks_first_sends_nothing_of_a_body_that_is_too_large() -> None:
    with connected() as connection:
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(MUCH))
        connection.putheader("Expect", "100-continue")
        connection.endheaders()

        assert connection.getresponse().status == 413
