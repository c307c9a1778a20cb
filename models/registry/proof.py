"""Whether the parts of a model can be built: tried in a process of its own, with limits, before this one builds them.

A signature says who vouches for bytes, not that they are harmless or that they fit these versions of the
libraries. A child process builds them first, from pinned types only, with a bound on memory and time and
without a file to write to. Its verdict holds for these bytes, these types and these versions, and is
remembered, so that scoring does not wait for it.
"""

import atexit
import io
import json
import os
import platform
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import IO

from models.registry.code_version import code_version

PATIENCE_SECONDS = 60
"""For how long one waits for a verdict; the child itself stops a proof far earlier."""

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "skops")
_SCHEMA_BYTES = 64 << 20
_START = "import sys; sys.path[:] = {path!r}; from models.registry.prover import main; main()"


class UnprovenError(Exception):
    """The parts cannot be built; the text says why, without the file's name."""


class Proofs:
    """Verdicts of one registry; only good ones are kept, in files that are named after all that they depend on.

    Parameters
    ----------
    folder : where verdicts are kept; where it cannot be written, they last as long as the process
    prover : who tries it
    """

    def __init__(self, folder: Path, *, prover: "Prover | None" = None) -> None:
        self._folder = folder
        self._prover = prover or PROVER
        self._known: set[str] = set()

    def require(self, data: bytes, digest: str, types: Sequence[str]) -> None:
        """Return once it is known that the parts can be built.

        Parameters
        ----------
        data : an archive that skops wrote, already vouched for
        digest : its SHA-256
        types : all that it may be made of beside the list of skops

        Raises
        ------
        UnprovenError
            When they cannot.
        """
        name = f"{digest}-{_conditions(tuple(types))}"
        if name in self._known:
            return
        if not (self._folder / name).is_file():
            refuse_strange_archive(data)
            self._prover.prove(data, types)
            self._keep(name)
        self._known.add(name)

    def made_here(self, digest: str, types: Sequence[str]) -> None:
        """Note that this process has just made these bytes itself, of its own objects and of these types only.

        For as long as it lives it need not suspect them; the next process does.
        """
        self._known.add(f"{digest}-{_conditions(tuple(types))}")

    def forget(self, digest: str) -> None:
        """Remove what is known of these bytes."""
        for path in self._folder.glob(f"{digest}-*"):
            path.unlink(missing_ok=True)
        self._known = {name for name in self._known if not name.startswith(digest)}

    def _keep(self, name: str) -> None:
        try:
            self._folder.mkdir(exist_ok=True)
            (self._folder / name).touch()
        except OSError:  # a registry that may only be read
            return


class Prover:
    """Keeps a child process that builds one model after the other, each in a fork of its own.

    It is started when first needed, since it has to import scikit-learn, and ends by itself when nothing
    is asked of it or this process ends.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._path: list[str] = []

    def prove(self, data: bytes, types: Sequence[str]) -> None:
        """Return once a child has built the parts; ``UnprovenError`` when it could not."""
        with self._lock:
            try:
                why = self._asked(data, types)
            except (OSError, ValueError):  # it ended between two questions
                self._end()
                try:
                    why = self._asked(data, types)
                except (OSError, ValueError) as error:
                    self._end()
                    raise UnprovenError(f"the process that tries whether it can be built ended ({error})") from error
        if why:
            raise UnprovenError(why)

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _asked(self, data: bytes, types: Sequence[str]) -> str:
        child = self._running()
        question, answer = _pipes(child)
        timer = threading.Timer(PATIENCE_SECONDS, child.kill)
        timer.start()
        try:
            question.write(json.dumps({"bytes": len(data), "types": list(types)}).encode() + b"\n")
            question.write(data)
            question.flush()
            said = json.loads(answer.readline())
        finally:
            timer.cancel()
        return str(said["why"])

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._owner != os.getpid():  # a fork of the process that started it
            self._child = None
        path = [str(Path(__file__).parents[2]), *sys.path]
        if self._child is None or self._child.poll() is not None or path != self._path:
            self._end()
            self._path = path
            self._child = subprocess.Popen(  # noqa: S603 – ourselves
                [sys.executable, "-I", "-c", _START.format(path=path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **_needed(os.environ)},
                start_new_session=True,
            )
            self._owner = os.getpid()
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None or self._owner != os.getpid():
            return
        child.kill()
        for pipe in _pipes(child):
            try:
                pipe.close()
            except OSError:
                continue
        child.wait()


PROVER = Prover()
"""The one of this process; ended with it."""

atexit.register(PROVER.close)


def refuse_strange_archive(data: bytes) -> None:
    """Refuse what is no archive as we write them, before anybody builds anything: a pickle, or one that swells.

    Raises
    ------
    UnprovenError
        When it is no zip archive, holds compressed files, or more bytes of content than it has itself.
    """
    if not data.startswith(b"PK\x03\x04"):
        raise UnprovenError("it is no archive of skops; nothing else is ever loaded, and nothing is unpickled")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
        raise UnprovenError(f"it is no archive of skops ({error})") from error
    if any(each.compress_type != zipfile.ZIP_STORED for each in members):
        raise UnprovenError("it holds compressed files, which no version of ours does")
    if sum(each.file_size for each in members) > len(data):
        raise UnprovenError("it holds more than it is large")
    if sum(each.file_size for each in members if each.filename == "schema.json") > _SCHEMA_BYTES:
        raise UnprovenError(f"its description is larger than {_SCHEMA_BYTES:,} bytes")


@cache
def _conditions(types: tuple[str, ...]) -> str:
    """Return a hash of all that a verdict depends on beside the bytes."""
    libraries = {name: version(name) for name in _LIBRARIES}
    what = [platform.python_version(), platform.machine(), libraries, code_version(), sorted(types)]
    return sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def _needed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a program needs to start; settings, which may hold passwords, are not the child's business."""
    return {name: environment[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in environment}


def _pipes(child: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    if child.stdin is None or child.stdout is None:  # pragma: no cover – both are asked for above
        raise ValueError("a child without pipes")
    return child.stdin, child.stdout
