"""An application that listens at a port of its own, in a thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep

import uvicorn
from fastapi import FastAPI

from service.cli.serve import listen


@contextmanager
def running_app(app: FastAPI) -> Iterator[int]:
    """Serve an application; give its port."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until = monotonic() + 20
        while not server.started:
            assert monotonic() < until, "the application does not start"
            sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
