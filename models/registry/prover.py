"""The child process of ``proof``: build one model after the other, each in a fork with limits, and say how it went.

Asked on standard input with a line of JSON, the number of bytes and the pinned types, and the bytes; answers
on standard output with a line of JSON, ``why`` it cannot be built, empty when it can.
"""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

IDLE_SECONDS = 20
"""It ends when nothing was asked for so long: imports hold memory."""

SECONDS = 20
"""For one proof, of the clock and of the processor."""

SPARE_BYTES = 32 << 20
TIMES = 6
"""A proof may take so many times the size of the archive in memory, beside what is spare."""

OWN_BYTES = 1 << 30
"""Spare memory more where types are pinned that are not ours: their packages have yet to be imported."""


def main() -> None:
    """Answer until nobody asks any more."""
    _import_what_models_are_made_of()
    told = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    with os.fdopen(told, "wb", buffering=0) as answers:
        questions = sys.stdin.buffer
        while _asked_within(questions, IDLE_SECONDS) and (line := questions.readline()):
            question = json.loads(line)
            data = questions.read(question["bytes"])
            why = proven(data, question["types"])
            del data
            answers.write(json.dumps({"why": why}).encode() + b"\n")


def proven(data: bytes, types: Sequence[str]) -> str:
    """Return why parts cannot be built, tried in a fork; empty when they can."""
    if not hasattr(os, "fork"):
        return _built(data, types)
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        _live_as_a_fork(data, types, send)
    os.close(send)
    with os.fdopen(receive, "rb") as said:
        text = _told_within(said, SECONDS)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if not text.endswith(b"\n"):
        return f"building it takes more memory, or more than {SECONDS} s of time, than a model of its size may"
    return text[:-1].decode()


def _live_as_a_fork(data: bytes, types: Sequence[str], send: int) -> None:
    try:
        _limit(SPARE_BYTES + TIMES * len(data) + (OWN_BYTES if _strangers(types) else 0))
        os.write(send, _built(data, types)[:1000].replace("\n", " ").encode() + b"\n")
    finally:
        os._exit(0)


def _built(data: bytes, types: Sequence[str]) -> str:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        skops.io.loads(data, trusted=list(types))
    except UntrustedTypesFoundException as error:
        return f"it holds types that are not allowed: {error}"
    except MemoryError:
        return "building it takes more memory than a model of its size may"
    except Exception as error:  # skops, zip and numpy raise of many kinds
        return f"it cannot be built by these library versions ({type(error).__name__}: {error})"
    return ""


def _limit(more: int) -> None:
    """Allow this process so much more address space than it has, a little time, and no file to write."""
    import resource

    with suppress(OSError, ValueError):  # systems without /proc bound the time only
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 – the shortest way in a fork
            pages = int(file.read().split()[0])
        size = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    for kind, most in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _strangers(types: Sequence[str]) -> bool:
    return any(not each.startswith(("models.", "sklearn.")) for each in types)


def _import_what_models_are_made_of() -> None:
    """Import once what every proof needs, so that a fork has only to build."""
    import importlib

    import skops.io  # noqa: F401

    from models.registry.archive import TRUSTED

    for each in TRUSTED:
        importlib.import_module(each.rpartition(".")[0])


def _asked_within(questions: IO[bytes], seconds: float) -> bool:
    return bool(select.select([questions], [], [], seconds)[0])


def _told_within(said: IO[bytes], seconds: float) -> bytes:
    """Return what is told until the other end closes, or so far as time allows."""
    text, until = b"", time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and select.select([said], [], [], left)[0]:
        part = os.read(said.fileno(), 4096)
        if not part:
            break
        text += part
    return text
