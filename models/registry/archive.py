"""One version of a model on disk: ``card.json`` with every file's hash, ``card.sig``, ``card.md``, ``model.skops``.

Nothing is unpickled. ``model.skops`` holds arrays and names of types; only the types pinned here
are ever built from it, only after the signature and every hash have matched, and only once a child
process with limits has built them first (see ``proof``).
"""

import copy
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from features.recipe import Recipe
from ingest.errors import RegistryError
from ingest.plant import ModelEntry
from models.bundle import Bundle
from models.registry.card import page
from models.registry.code_version import code_version
from models.registry.manifest import (
    CARD,
    FORMAT,
    MODEL,
    MOST,
    PAGE,
    SIGNATURE,
    broken,
    canonical,
    checked,
    listed,
    name_of,
)
from models.registry.proof import Proofs, UnprovenError
from models.registry.signing import Keys

TRUSTED = (
    "models.anomaly.level.AnomalyLevel",
    "models.calibration.HealthyTail",
    "models.calibration.Probability",
    "models.conditions.classifier.PieceClassifier",
    "models.conditions.derived.Derived",
    "models.conditions.level.ConditionLevel",
    "models.conditions.members.Standard",
    "models.context.context.Context",
    "models.context.domain.Domain",
    "models.context.duties.Duties",
    "models.context.expected.Expected",
    "models.detectors.isolation.Isolation",
    "models.detectors.nearest_memory.NearestMemory",
    "models.detectors.principal_components.Block",
    "models.detectors.principal_components.PrincipalComponents",
    "models.detectors.ridge_residual.RidgeResidual",
    "models.detectors.robust_distance.RobustDistance",
    "models.detectors.shift.Shift",
    "models.anomaly.usual.BesidePeers",
    "models.anomaly.deviations.Deviations",
    "models.risk.departures.Departures",
    "models.risk.diagnosis.Diagnosis",
    "models.anomaly.ensemble.Ensemble",
    "models.risk.failure_risk.FailureRisk",
    "models.risk.failure_risk.Trees",
    "models.life.learner.RemainingLife",
    "models.life.outlook.Outlook",
    "models.life.reach.Reach",
    "models.life.trees.LifeTrees",
    "models.risk.horizons.Horizons",
    "models.anomaly.normal.Normal",
    "models.anomaly.normal_by_regime.Cell",
    "models.anomaly.normal_by_regime.NormalByRegime",
    "models.risk.own_risk.OwnRisk",
    "models.why.band.Band",
    "models.why.shape.Shapes",
    "models.why.similar.Episodes",
    "models.risk.novelty.Novelty",
    "models.anomaly.corroboration.Corroboration",
    "models.anomaly.corroboration.Level",
    "models.anomaly.corroboration.Own",
    "models.anomaly.shared.Shared",
    "models.lone_signal.LoneSignal",
    "models.anomaly.sharpening.Sharpened",
    "models.anomaly.sharpening.Sharpening",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)
"""The only types, beside those of skops's own list, that a saved model may be made of."""

_PARTS = ("learner", "threshold", "normal", "diagnosis", "context", "band", "episodes", "horizons", "lone")
"""What of a bundle is fitted."""


def write(bundle: Bundle, home: Path, keys: Keys, types: Sequence[str] = (), *, created: datetime) -> str:
    """Write a version below a model's folder, sign it and return its name.

    The name is the hash of the content; ``created`` and the signature are no part of it. What lies there by that
    name and is not as it was saved, or was signed by nobody who is trusted, makes room. The caller holds the
    registry's lock.

    Parameters
    ----------
    types : all that it may be made of beside the pinned types and those of skops's own list

    Raises
    ------
    RegistryError
        When it is made of anything else, or is too large to be read again.
    """
    files = {MODEL: _model_bytes(bundle), PAGE: page(bundle.card).encode()}
    content = {
        "format": FORMAT,
        "card": bundle.card,
        "code": code_version(),
        "entry": bundle.entry.model_dump(mode="json", by_alias=True),
        "recipe": bundle.recipe.to_dict(),
        "recipe_hash": bundle.recipe.hash,
        "units": dict(bundle.units),
        "time_zone": bundle.time_zone,
        "files": {name: listed(data) for name, data in files.items()},
    }
    version = name_of(content)
    place = home / version
    if _is_whole(place, keys):
        return version
    manifest = {**content, "version": version, "created": created.astimezone(UTC).isoformat()}
    files[CARD] = canonical(manifest)
    _refuse_what_nobody_reads(bundle.entry.name, files, types)
    files[SIGNATURE] = keys.sign(files[CARD])
    home.mkdir(parents=True, exist_ok=True)
    _clear(home, ".writing-*")
    beside = Path(tempfile.mkdtemp(prefix=".writing-", dir=home))
    for name, data in files.items():
        _write_durably(beside / name, data)
    beside.chmod(0o755)
    _sync_folder(beside)
    remove(home, [version] if place.exists() else [])
    beside.rename(place)
    _sync_folder(home)
    return version


def _is_whole(place: Path, keys: Keys) -> bool:
    try:
        checked(place, keys)
    except RegistryError:
        return False
    return True


def remove(home: Path, versions: Iterable[str]) -> None:
    """Remove versions below a model's folder, each as a whole or not at all.

    The caller holds the registry's lock.
    """
    _clear(home, ".removing-*")
    for version in versions:
        (home / version).rename(home / f".removing-{version}")
    _clear(home, ".removing-*")


def prove(folder: Path, keys: Keys, proofs: Proofs, types: Sequence[str] = ()) -> tuple[dict[str, Any], bytes]:
    """Return the manifest of a version and the bytes of its model, once it is known that it can be loaded.

    Raises
    ------
    RegistryError
        When it is altered, incomplete, made of types that are not pinned, or cannot be built within limits.
    """
    manifest, data = checked(folder, keys)
    try:
        proofs.require(data[MODEL], manifest["files"][MODEL]["sha256"], (*TRUSTED, *types))
    except UnprovenError as error:
        raise broken(folder, f"{MODEL}: {error}") from error
    return manifest, data[MODEL]


def read(folder: Path, keys: Keys, proofs: Proofs, types: Sequence[str] = ()) -> Bundle:
    """Load a version after checking and proving it; what is loaded are the bytes that were checked.

    Raises
    ------
    RegistryError
        As ``prove``.
    """
    manifest, data = prove(folder, keys, proofs, types)
    import skops.io  # takes a second, for which neither a server's start nor a refusal need wait

    try:
        state = skops.io.loads(data, trusted=[*TRUSTED, *types])
        recipe = Recipe.from_dict(manifest["recipe"])
        entry = ModelEntry.model_validate(manifest["entry"])
    except Exception as error:  # skops, zip and numpy raise of many kinds
        raise broken(folder, f"cannot be loaded by these library versions ({type(error).__name__}: {error})") from error
    return Bundle(
        entry=entry,
        recipe=recipe,
        **{name: state[name] for name in _PARTS},
        units=manifest["units"],
        time_zone=manifest["time_zone"],
        card=manifest["card"],
        version=manifest["version"],
    )


def _refuse_what_nobody_reads(model: str, files: Mapping[str, bytes], types: Sequence[str]) -> None:
    """Refuse to write what loading would refuse: one finds out now, not when the machine is to be scored."""
    import skops.io

    for name, data in files.items():
        if len(data) > MOST[name]:
            raise RegistryError(
                f"model {model!r}: {name} would have {len(data):,} bytes, and no more than {MOST[name]:,} are read;"
                " use fewer features, signals or windows, or a smaller estimator"
            )
    strange = sorted({*skops.io.get_untrusted_types(data=files[MODEL])} - {*TRUSTED, *types})
    if strange:
        raise RegistryError(
            f"model {model!r} is made of types that nobody allowed to load: {', '.join(strange)}; if you trust them,"
            " add them to ANDON_TRUSTED_TYPES, with commas between"
        )


def _model_bytes(bundle: Bundle) -> bytes:
    """Return the fitted parts as skops bytes that are the same for the same content.

    skops names arrays and objects by their addresses in memory, and zip notes the time; both are
    replaced by counting and by a fixed date.
    """
    import skops.io

    learner = copy.copy(bundle.learner)
    learner.held_out = np.empty(0)
    state = {name: getattr(bundle, name) for name in _PARTS} | {"learner": learner}
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
