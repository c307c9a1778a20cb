"""Structured logs: a constant message and fields, one line each, as JSON or for a terminal."""

import logging
import sys
from threading import Lock
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict

LogForm = Literal["json", "console"]
"""``json`` for machines that collect logs, ``console`` for people who watch them."""


def configure_logs(form: LogForm = "json", *, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Write all of the service's log lines to one stream; call it once, from the wiring.

    A line that cannot be written, for the disk is full or nobody reads it any more, is left out and stops
    nothing; the next one that can be written says how many were (``lines_lost``).

    Parameters
    ----------
    level : lines below it cost nothing
    stream : standard error when left out, so that ``--json`` output stays clean

    Examples
    --------
    >>> import io
    >>> lines = io.StringIO()
    >>> configure_logs(stream=lines)
    >>> structlog.get_logger().info("round done", machines=12)
    >>> '"machines": 12' in lines.getvalue()
    True
    >>> structlog.reset_defaults()
    """
    stream = stream or sys.stderr
    target = _Unfailing(stream)
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if form == "json" else []),
            target.tell_lost,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: target,
        cache_logger_on_first_use=False,
    )


class _Unfailing:
    """Writes lines to a stream as long as it takes them, and counts those that it does not take."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0
        self._lock = Lock()

    def msg(self, line: str) -> None:
        """Write one line."""
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except OSError:
                self._lost += 1
            else:
                self._lost = 0

    debug = info = warning = error = critical = msg

    def tell_lost(self, _: object, __: str, event: EventDict) -> EventDict:
        """Say in a line how many before it could not be written."""
        return {**event, "lines_lost": self._lost} if self._lost else event
