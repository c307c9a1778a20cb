"""Children that have loaded what they need already: forked from one process that did, one after the other."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM

ROOT = Path(__file__).parents[1]

# What each child does is defined as ``run``. It is told its arguments in a line, which is answered with the number
# of its process, and with what it ended with when it did, as a ``Popen`` says it.
_LOOP = """
import json as _json, os as _os, sys as _sys, traceback as _traceback

for _line in iter(_sys.stdin.readline, ""):
    _told = _json.loads(_line)
    _child = _os.fork()
    if _child == 0:
        _ended = 1
        try:
            _said = _os.open(_told["stdout"], _os.O_WRONLY | _os.O_APPEND | _os.O_CREAT)
            _os.dup2(_said, 1)
            run(*_told["arguments"])
            _ended = 0
        except BaseException:
            _traceback.print_exc()
        finally:
            _sys.stderr.flush()
            _os._exit(_ended)
    print(_child, flush=True)
    print(_os.waitstatus_to_exitcode(_os.waitpid(_child, 0)[1]), flush=True)
"""


class Child:
    """One that runs, or ran."""

    def __init__(self, nursery: "Nursery", process: int) -> None:
        self._nursery, self._process = nursery, process
        self.ended: int | None = None

    def wait(self, seconds: float) -> int:
        """Return what it ended with: minus the signal that killed it."""
        if self.ended is None:
            self.ended = self._nursery.answer(seconds)
        return self.ended

    def kill(self) -> None:
        """Let it end at once."""
        os.kill(self._process, SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        os.kill(self._process, SIGTERM)


class Nursery:
    """Forks children that do ``run`` of some code; one is waited for before the next one begins.

    Parameters
    ----------
    code : defines ``run``, and loads what it needs
    log : what a child says about its errors is written there
    """

    def __init__(self, code: str, log: Path) -> None:
        self._log = log
        self._child: Child | None = None
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code + _LOOP],
                cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, bufsize=0,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip

    def start(self, *arguments: str | int, stdout: Path = Path(os.devnull)) -> Child:
        """Let a child do ``run`` with some arguments."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"arguments": arguments, "stdout": str(stdout)}).encode() + b"\n")
        self._child = Child(self, self.answer(60))
        return self._child

    def answer(self, seconds: float) -> int:
        """Return the next number that is said."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            raise TimeoutError(f"nothing came about within {seconds} s: {self._log.read_text()}")
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(self._log.read_text())
        return int(line)

    def close(self) -> None:
        """End it, and a child that still runs."""
        if self._child is not None and self._child.ended is None:
            self._child.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait(10)
        self._process.stdin.close()
        self._process.stdout.close()


@contextmanager
def nursery(code: str, log: Path) -> Iterator[Nursery]:
    """Give a nursery, and end it."""
    each = Nursery(code, log)
    try:
        yield each
    finally:
        each.close()
