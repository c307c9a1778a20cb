import io
import os
import pickle
import subprocess
import sys
import time
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from models.registry.archive import TRUSTED
from models.registry.proof import PROVER, Proofs, UnprovenError
from models.registry.prover import proven

GOOD = skops.io.dumps({"learner": np.arange(5.0)})


def stored(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return output.getvalue()


def huge_array() -> bytes:
    """Return an archive of an array whose header claims 80 GB."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**10,)})
    return stored({name: header.getvalue() if name.endswith(".npy") else data for name, data in files.items()})


def require(proofs: Proofs, data: bytes, types: tuple[str, ...] = TRUSTED) -> None:
    proofs.require(data, sha256(data).hexdigest(), types)


@pytest.fixture
def proofs(tmp_path: Path) -> Proofs:
    return Proofs(tmp_path / ".proven")


def test_what_can_be_built_is_proven_once_and_remembered(proofs: Proofs, tmp_path: Path) -> None:
    require(proofs, GOOD)
    (verdict,) = (tmp_path / ".proven").iterdir()
    asked: list[Any] = []

    class Unasked:
        def prove(self, *given: object) -> None:
            asked.append(given)

    elsewhere = Proofs(tmp_path / ".proven", prover=Unasked())
    require(elsewhere, GOOD)
    assert not asked
    require(elsewhere, GOOD, (*TRUSTED, "my_package.MyClassifier"))
    assert len(asked) == 1
    assert verdict.name.startswith(sha256(GOOD).hexdigest())
    proofs.forget(sha256(GOOD).hexdigest())
    assert not list((tmp_path / ".proven").iterdir())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (pickle.dumps([1]), "is no archive of skops; nothing else is ever loaded, and nothing is unpickled"),
        (b"", "is no archive of skops"),
        (GOOD[:-30], "is no archive of skops"),
        (stored({"schema.json": b" " * 100_000}, zipfile.ZIP_DEFLATED), "holds compressed files"),
        (stored({"schema.json": b"{}"}), "cannot be built by these library versions"),
        (stored({"schema.json": b"[" * 50_000}), "cannot be built by these library versions"),
        (huge_array(), "takes more memory"),
        (skops.io.dumps({"learner": os.path.join}), r"holds types that are not allowed.*posixpath\.join"),
    ],
    ids=["pickle", "empty", "cut", "compressed", "no schema", "nested", "huge", "stranger"],
)
def test_what_cannot_be_built_is_refused_with_the_reason(proofs: Proofs, data: bytes, why: str) -> None:
    with pytest.raises(UnprovenError, match=why):
        require(proofs, data)
    require(proofs, GOOD)


SLOW = """
import os, time
class Slow:
    def __setstate__(self, state):
        open("written", "w").write("x")
        time.sleep(60)
class Busy:
    def __setstate__(self, state):
        while True: pass
class Writes:
    def __setstate__(self, state):
        with open(state["where"], "w") as file:
            file.write("x")
"""


def test_what_is_built_may_not_write_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_types.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    import own_types  # type: ignore[import-not-found]

    stranger = own_types.Writes.__new__(own_types.Writes)
    stranger.where = str(tmp_path / "written")
    why = proven(skops.io.dumps(stranger), ["own_types.Writes"])

    assert "cannot be built" in why or "File too large" in why or "takes more" in why
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").read_text()


def test_the_child_ends_with_its_parent() -> None:
    code = (
        "import os, sys; from models.registry.proof import PROVER; PROVER.prove(sys.stdin.buffer.read(), []);"
        "print(PROVER._child.pid, flush=True); os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=skops.io.dumps([1]),
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
    )
    child = Path(f"/proc/{int(done.stdout)}")
    until = time.monotonic() + 10
    while child.exists() and time.monotonic() < until:
        time.sleep(0.05)

    assert not child.exists()


def test_a_child_that_was_killed_is_started_again() -> None:
    PROVER.prove(GOOD, TRUSTED)
    child = PROVER._child
    assert child is not None
    child.kill()

    PROVER.prove(GOOD, TRUSTED)
    assert PROVER._child is not child
