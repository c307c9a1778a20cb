"""Structured logs: a constant message and fields, one line each, as JSON or for a terminal."""

import logging
import sys
from typing import Literal, TextIO

import structlog

LogForm = Literal["json", "console"]
"""``json`` for machines that collect logs, ``console`` for people who watch them."""


def configure_logs(form: LogForm = "json", *, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Write all of the service's log lines to one stream; call it once, from the wiring.

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
    target = stream or sys.stderr
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=target.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if form == "json" else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
