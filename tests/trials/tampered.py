"""Model files that were changed are refused before anything is loaded: ``python -m tests.trials.tampered``.

A version of a model is saved, then one byte of one of its files is changed, 10,000 times, and each time the version
is loaded: every one has to be refused, and nothing may be parsed of what was changed or built. With ``--hostile``,
files that would do harm are put in its place, some of them signed by the plant's own key; each is tried in a process
of its own, whose seconds and peak memory are printed.
"""

import argparse
import io
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import numpy as np

from ingest.errors import RegistryError
from models.registry import manifest
from models.registry.manifest import CARD, MODEL, PAGE, SIGNATURE
from models.registry.proof import PROVER
from models.registry.registry import Registry
from models.registry.signing import Keys
from models.registry.slug import slug

FILES = (CARD, PAGE, MODEL, SIGNATURE)


class LoadedError(Exception):
    """Something of a changed version was built."""


def change_bytes(registry: Registry, model: str, version: str, *, changes: int, seed: int = 0) -> Counter[str]:
    """Change one byte at a time and load; return how many changes to each file were refused.

    Bytes are drawn evenly from each file, so that a small one is not lost beside a large one.

    Raises
    ------
    LoadedError
        When a changed version was loaded, or something of it built on the way.
    """
    import skops.io

    folder, dice, refused = registry.folder / slug(model) / version, np.random.default_rng(seed), Counter[str]()
    loads, skops.io.loads = skops.io.loads, _built
    prove, PROVER.prove = PROVER.prove, _built  # type: ignore[method-assign]
    try:
        for number in range(changes):
            path = folder / FILES[number % len(FILES)]
            content = path.read_bytes()
            place, mask = int(dice.integers(len(content))), int(dice.integers(1, 256))
            with path.open("r+b") as file:
                file.seek(place)
                file.write(bytes([content[place] ^ mask]))
            try:
                registry.load(model, version)
            except RegistryError:
                refused[path.name] += 1
            else:
                raise LoadedError(f"{path.name}: byte {place} was changed by {mask}, and the version was loaded")
            finally:
                path.write_bytes(content)
    finally:
        skops.io.loads = loads
        PROVER.prove = prove  # type: ignore[method-assign]
    return refused


def _built(*_arguments: object, **_named: object) -> NoReturn:
    raise LoadedError("something was built before the change was found")


def resign(folder: Path, keys: Keys, model: bytes) -> Path:
    """Put another model into a version, with hashes and a signature that fit, as the owner of the key could."""
    said = json.loads((folder / CARD).read_bytes())
    said["files"][MODEL] = manifest.listed(model)
    said["version"] = manifest.name_of(said)
    text = manifest.canonical(said)
    place = folder.with_name(said["version"])
    place.mkdir(exist_ok=True)
    for name, data in {
        CARD: text,
        SIGNATURE: keys.sign(text),
        PAGE: (folder / PAGE).read_bytes(),
        MODEL: model,
    }.items():
        (place / name).write_bytes(data)
    return place


class Boom:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("unpickled",)


def _archive(tree: object, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", compression) as archive:
        archive.writestr("schema.json", json.dumps(tree))
        for name, data in files.items():
            archive.writestr(name, data)
    return output.getvalue()


def _array(size: int) -> bytes:
    """Return the file of an array whose header claims far more than it holds."""
    output = io.BytesIO()
    np.lib.format.write_array_header_1_0(output, {"descr": "<f8", "fortran_order": False, "shape": (size,)})
    return output.getvalue() + bytes(64)


def _of_array(size: int) -> bytes:
    node = {
        "__class__": "ndarray",
        "__module__": "numpy",
        "__loader__": "NdArrayNode",
        "type": "numpy",
        "file": "1.npy",
    }
    return _archive({**node, "protocol": 2, "_skops_version": "0.16.0"}, {"1.npy": _array(size)})


def _sparse(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


Hostile = Callable[[Path, Keys], Path | None]
HOSTILE: dict[str, Hostile] = {
    "a pickle in its place": lambda at, _keys: (at / MODEL).write_bytes(pickle.dumps(Boom())) and None,
    "a pickle, signed": lambda at, keys: resign(at, keys, pickle.dumps(Boom())),
    "8 GB of model.skops": lambda at, _keys: _sparse(at / MODEL, 8 << 30),
    "8 GB of card.json": lambda at, _keys: _sparse(at / CARD, 8 << 30),
    "8 GB of card.sig": lambda at, _keys: _sparse(at / SIGNATURE, 8 << 30),
    "a pipe in its place": lambda at, _keys: _pipe(at / MODEL),
    "an archive that swells to 512 MB, signed": lambda at, keys: resign(
        at, keys, _archive({}, {"1.npy": bytes(1 << 29)}, zipfile.ZIP_DEFLATED)
    ),
    "an array that claims 80 GB, signed": lambda at, keys: resign(at, keys, _of_array(10**10)),
    "a description nested 100,000 deep, signed": lambda at, keys: resign(at, keys, _nested(100_000)),
}


def _nested(depth: int) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("schema.json", '{"content": [' + "[" * depth + "]" * depth + "]}")
    return output.getvalue()


TRY = """
import sys, time
from pathlib import Path
from ingest.errors import RegistryError
from models.registry.registry import Registry
began = time.perf_counter()
try:
    Registry(Path(sys.argv[1])).load(sys.argv[2], sys.argv[3])
    said = "LOADED"
except RegistryError as error:
    said = str(error).partition(": ")[2].partition(";")[0]
seconds = time.perf_counter() - began
from models.registry.proof import PROVER
def peak(process):
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024
child = PROVER._child
print(f"{seconds:.2f}\\t{peak('self')}\\t{peak(child.pid) if child else 0}\\t{said}")
"""


def hostile(registry: Registry, model: str, version: str) -> list[tuple[str, float, int, int, str]]:
    """Put each hostile file in place of a version's and load it in a new process.

    Returns
    -------
    list of what it was, seconds, peak MB of the process and of its child that builds, and what was said
    """
    folder, rows = registry.folder / slug(model) / version, []
    for what, make in HOSTILE.items():
        kept = {name: (folder / name).read_bytes() for name in FILES}
        place = make(folder, registry.keys) or folder
        with tempfile.TemporaryDirectory() as empty:
            arguments = [sys.executable, "-c", TRY, str(registry.folder.resolve()), model, place.name]
            root = str(Path(__file__).parents[2])
            done = subprocess.run(
                arguments, check=True, capture_output=True, text=True, cwd=empty, env={**os.environ, "PYTHONPATH": root}
            )
            if any(Path(empty).iterdir()):
                raise LoadedError(f"{what}: it was unpickled")
        seconds, own, child, said = done.stdout.rstrip("\n").split("\t")
        rows.append((what, float(seconds), int(own), int(child), said))
        for name, data in kept.items():
            (folder / name).unlink()
            (folder / name).write_bytes(data)
    return rows


def main() -> None:
    """Save a version of the pumps' model and do all to it."""
    from tests.models.conftest import fitted
    from tests.models.pumps import pump_history

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hostile", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        registry, bundle = Registry(Path(folder) / "models"), fitted(pump_history())
        version = registry.save(bundle, created=datetime(2026, 3, 1, tzinfo=UTC)).version
        began = time.perf_counter()
        refused = change_bytes(registry, bundle.entry.name, version, changes=asked.changes, seed=asked.seed)
        told = ", ".join(f"{name} {count:,}" for name, count in sorted(refused.items()))
        sys.stdout.write(
            f"{refused.total():,} of {asked.changes:,} refused ({told}), {time.perf_counter() - began:.0f} s\n"
        )
        if asked.hostile:
            sys.stdout.write("| what | s | MB | MB of the child | refused: |\n|---|---|---|---|---|\n")
            for what, seconds, own, child, said in hostile(registry, bundle.entry.name, version):
                sys.stdout.write(f"| {what} | {seconds:.2f} | {own} | {child or '–'} | {said} |\n")
        registry.load(bundle.entry.name, version)


if __name__ == "__main__":
    main()
