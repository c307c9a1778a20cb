"""One version of a model on disk: ``card.json`` with the hash of every file, ``card.md``, ``model.skops``.

Nothing is unpickled. ``model.skops`` holds arrays and names of types; only the types pinned here
are ever built from it, and only after every file has matched its hash.
"""

import copy
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from features.recipe import Recipe
from ingest.errors import RegistryError
from ingest.plant import ModelEntry
from models.bundle import Bundle
from models.card import page

FORMAT = 1

TRUSTED = (
    "models.calibration.HealthyTail",
    "models.calibration.Probability",
    "models.context.context.Context",
    "models.context.domain.Domain",
    "models.context.duties.Duties",
    "models.context.expected.Expected",
    "models.detector.AnomalyLevel",
    "models.detectors.principal_components.Block",
    "models.detectors.principal_components.PrincipalComponents",
    "models.diagnosis.Diagnosis",
    "models.failure_risk.FailureRisk",
    "models.failure_risk.Trees",
    "models.normal.Normal",
    "models.normal_by_regime.Cell",
    "models.normal_by_regime.NormalByRegime",
    "models.why.band.Band",
    "models.why.similar.Episodes",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""The only types, beside those of skops's own list, that a saved model may be made of."""

_CARD, _PAGE, _MODEL = "card.json", "card.md", "model.skops"
_LATER = ("context", "band", "episodes")
_DIGITS = 16
_REMEMBERED = 1024


def write(bundle: Bundle, home: Path, *, created: datetime) -> str:
    """Write a version below a model's folder and return its name.

    The name is the hash of the content; ``created`` is no part of it. The caller holds the
    registry's lock.
    """
    files = {_MODEL: _model_bytes(bundle), _PAGE: page(bundle.card).encode()}
    content = {
        "format": FORMAT,
        "card": bundle.card,
        "entry": bundle.entry.model_dump(mode="json", by_alias=True),
        "recipe": bundle.recipe.to_dict(),
        "units": dict(bundle.units),
        "time_zone": bundle.time_zone,
        "files": {name: sha256(data).hexdigest() for name, data in files.items()},
    }
    version = sha256(_canonical(content)).hexdigest()[:_DIGITS]
    place = home / version
    if place.exists():
        check(place)
        return version
    manifest = {**content, "version": version, "created": created.astimezone(UTC).isoformat()}
    manifest["seal"] = sha256(_canonical(manifest)).hexdigest()
    home.mkdir(parents=True, exist_ok=True)
    _clear(home, ".writing-*")
    beside = Path(tempfile.mkdtemp(prefix=".writing-", dir=home))
    for name, data in {**files, _CARD: _canonical(manifest)}.items():
        _write_durably(beside / name, data)
    beside.chmod(0o755)
    _sync_folder(beside)
    beside.rename(place)
    _sync_folder(home)
    return version


def remove(home: Path, versions: Iterable[str]) -> None:
    """Remove versions below a model's folder, each as a whole or not at all.

    The caller holds the registry's lock.
    """
    _clear(home, ".removing-*")
    for version in versions:
        (home / version).rename(home / f".removing-{version}")
    _clear(home, ".removing-*")


def check(folder: Path) -> dict[str, bytes]:
    """Compare every file of a version with its hash and return the files' bytes.

    Raises
    ------
    RegistryError
        Naming the first file that is missing, altered or does not belong there.
    """
    manifest = card_of(folder)
    data: dict[str, bytes] = {}
    for name, expected in manifest["files"].items():
        try:
            data[name] = (folder / name).read_bytes()
        except OSError as error:
            raise _broken(folder, f"{name} cannot be read ({error.strerror or error})") from error
        if sha256(data[name]).hexdigest() != expected:
            raise _broken(folder, f"{name} was altered after it was saved")
    strangers = {path.name for path in folder.iterdir()} - {*data, _CARD}
    if strangers:
        raise _broken(folder, f"{min(strangers)} does not belong to it")
    return data


def card_of(folder: Path) -> dict[str, Any]:
    """Return the checked content of a version's ``card.json``.

    Raises
    ------
    RegistryError
        When it is missing or was altered.
    """
    try:
        text = (folder / _CARD).read_bytes()
    except OSError as error:
        raise _broken(folder, f"{_CARD} cannot be read ({error.strerror or error})") from error
    try:
        manifest: dict[str, Any] = json.loads(text)
        seal = manifest.pop("seal")
        whole = sha256(_canonical(manifest)).hexdigest() == seal and text == _canonical({**manifest, "seal": seal})
        content = {key: value for key, value in manifest.items() if key not in ("version", "created")}
        named = sha256(_canonical(content)).hexdigest()[:_DIGITS] == manifest["version"] == folder.name
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(folder, f"{_CARD} was altered after it was saved") from error
    if not whole or not named:
        raise _broken(folder, f"{_CARD} was altered after it was saved")
    if manifest["format"] != FORMAT:
        raise RegistryError(f"{folder}: written in format {manifest['format']}, this Andon reads {FORMAT}; train again")
    return manifest


def seen_card(folder: Path) -> tuple[Mapping[str, Any], datetime]:
    """Return the model card of a version and when it was saved, read once for as long as the file is the same.

    For lists only: whoever loads a version checks its bytes anew.

    Raises
    ------
    RegistryError
        When it is missing or was altered.
    """
    try:
        seen = (folder / _CARD).stat()
    except OSError as error:
        raise _broken(folder, f"{_CARD} cannot be read ({error.strerror or error})") from error
    return _card_as_of(folder, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=_REMEMBERED)
def _card_as_of(folder: Path, _mtime_ns: int, _size: int) -> tuple[Mapping[str, Any], datetime]:
    manifest = card_of(folder)
    return manifest["card"], datetime.fromisoformat(manifest["created"])


def read(folder: Path) -> Bundle:
    """Load a version after checking it.

    Raises
    ------
    RegistryError
        When it is altered, incomplete, or made of types that are not pinned.
    """
    import skops.io  # takes a second, which a server's start need not wait for
    from skops.io.exceptions import UntrustedTypesFoundException

    data, manifest = check(folder), card_of(folder)
    try:
        state = skops.io.loads(data[_MODEL], trusted=list(TRUSTED))
        recipe = Recipe.from_dict(manifest["recipe"])
        entry = ModelEntry.model_validate(manifest["entry"])
    except UntrustedTypesFoundException as error:
        raise _broken(folder, f"{_MODEL} holds types that are not allowed") from error
    except Exception as error:  # skops, zip and numpy raise of many kinds
        raise _broken(
            folder, f"cannot be loaded by these library versions ({type(error).__name__}: {error})"
        ) from error
    return Bundle(
        entry=entry,
        recipe=recipe,
        learner=state["learner"],
        threshold=state["threshold"],
        normal=state["normal"],
        diagnosis=state["diagnosis"],
        context=state.get("context"),
        band=state.get("band"),
        episodes=state.get("episodes"),
        units=manifest["units"],
        time_zone=manifest["time_zone"],
        card=manifest["card"],
        version=manifest["version"],
    )


def _model_bytes(bundle: Bundle) -> bytes:
    """Return the fitted parts as skops bytes that are the same for the same content.

    skops names arrays and objects by their addresses in memory, and zip notes the time; both are
    replaced by counting and by a fixed date.
    """
    import skops.io

    learner = copy.copy(bundle.learner)
    learner.held_out = np.empty(0)
    state = {
        "learner": learner,
        "threshold": bundle.threshold,
        "normal": bundle.normal,
        "diagnosis": bundle.diagnosis,
        # Left out where there is none, so that the bytes of models from before it stay as they were.
        **{name: part for name in _LATER if (part := getattr(bundle, name)) is not None},
    }
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(state))) as written:
        tree = json.loads(written.read("schema.json"))
        names: dict[str, str] = {}
        _count(tree, {}, names)
        output = io.BytesIO()
        with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as fixed:
            for old, new in names.items():
                fixed.writestr(zipfile.ZipInfo(new), written.read(old))
            fixed.writestr(zipfile.ZipInfo("schema.json"), json.dumps(tree, sort_keys=True))
    return output.getvalue()


def _count(node: Any, numbers: dict[int, int], names: dict[str, str]) -> None:
    """Number objects and name files by their first appearance, in place.

    Keys are visited in sorted order, and plain values never share a number, so that neither the order
    of attributes nor which equal values happen to be one object has a say.
    """
    if isinstance(node, list):
        for each in node:
            _count(each, numbers, names)
    elif isinstance(node, dict):
        if isinstance(node.get("__id__"), int):
            key = -len(numbers) - 1 if node.get("__loader__") == "JsonNode" else node["__id__"]
            node["__id__"] = numbers.setdefault(key, len(numbers) + 1)
        if isinstance(node.get("file"), str):
            old = node["file"]
            node["file"] = names.setdefault(old, f"{len(names) + 1}{Path(old).suffix}")
        for name in sorted(node):
            _count(node[name], numbers, names)


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode()


def _clear(home: Path, torn: str) -> None:
    """Remove what a process left that was killed; the caller holds the lock, so nobody is at work there."""
    for folder in home.glob(torn):
        shutil.rmtree(folder)


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _broken(folder: Path, what: str) -> RegistryError:
    return RegistryError(f"{folder}: {what}; this version is not used: train again or restore the folder")
