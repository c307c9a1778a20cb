"""What a version says of itself: ``card.json``, signed, with the hash and the size of every other file.

The signature is checked over the bytes of ``card.json`` before they are parsed, and every other file
against its size and its hash before anything of it is used.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ingest.errors import RegistryError
from models.registry.bounded import UnreadError, read_bounded
from models.registry.signing import SIGNATURE_BYTES, Keys
from models.registry.slug import slug

FORMAT = 6

CARD, PAGE, MODEL, SIGNATURE = "card.json", "card.md", "model.skops", "card.sig"

MOST: Final[Mapping[str, int]] = {CARD: 16 << 20, PAGE: 4 << 20, MODEL: 128 << 20}
"""The largest size of each file in bytes; larger ones are neither written nor read."""

_DIGITS = 16
_REMEMBERED = 1024


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return content as JSON bytes that are the same for the same content."""
    return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False).encode()


def name_of(content: Mapping[str, Any]) -> str:
    """Return the name of a version: the hash of all that its manifest says but when it was saved."""
    said = {key: value for key, value in content.items() if key not in ("version", "created")}
    return sha256(canonical(said)).hexdigest()[:_DIGITS]


def listed(data: bytes) -> dict[str, Any]:
    """Return what a manifest says of one file."""
    return {"sha256": sha256(data).hexdigest(), "bytes": len(data)}


def manifest_of(folder: Path, keys: Keys) -> dict[str, Any]:
    """Return the content of a version's ``card.json``, once somebody trusted has vouched for it.

    Raises
    ------
    RegistryError
        When it is missing, altered, of another format, signed by nobody who is trusted, or lies among the versions
        of another model.
    """
    text = _signed(folder, keys)
    try:
        manifest: dict[str, Any] = json.loads(text)
        if manifest["format"] != FORMAT:
            raise RegistryError(
                f"{folder}: written in format {manifest['format']}, this Andon reads {FORMAT}; train again, or use the"
                " Andon that wrote it"
            )
        whole = canonical(manifest) == text and name_of(manifest) == manifest["version"] == folder.name
        known = set(manifest["files"]) == {PAGE, MODEL}
        datetime.fromisoformat(manifest["created"])
        model = str(manifest["card"]["model"])
        at_home = folder.parent.name == slug(model)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise broken(folder, f"{CARD} was altered after it was saved") from error
    if not whole or not known:
        raise broken(folder, f"{CARD} was altered after it was saved")
    if not at_home:
        raise RegistryError(
            f"{folder}: this is a version of model {model!r} and not of this one, so it is not used; remove the folder"
        )
    return manifest


def checked(folder: Path, keys: Keys) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the manifest of a version and the bytes of its other files, all as they were saved.

    Raises
    ------
    RegistryError
        Naming the first file that is missing, altered, too large or does not belong there.
    """
    manifest = manifest_of(folder, keys)
    data: dict[str, bytes] = {}
    for name, said in sorted(manifest["files"].items()):
        try:
            data[name] = read_bounded(folder / name, MOST[name], exactly=said["bytes"])
        except UnreadError as error:
            raise broken(folder, f"{name} {error}") from error
        if sha256(data[name]).hexdigest() != said["sha256"]:
            raise broken(folder, f"{name} was altered after it was saved")
    with os.scandir(folder) as there:
        stranger = next((each.name for each in there if each.name not in {*data, CARD, SIGNATURE}), None)
    if stranger is not None:
        raise broken(folder, f"{stranger} does not belong to it")
    return manifest, data


def seen_card(folder: Path, keys: Keys) -> tuple[Mapping[str, Any], datetime]:
    """Return the model card of a version and when it was saved, read once for as long as its files are the same.

    For lists only: whoever loads a version checks its bytes anew.

    Raises
    ------
    RegistryError
        As ``manifest_of``.
    """
    states = []
    for name in (CARD, SIGNATURE):
        try:
            seen = (folder / name).stat()
        except OSError:
            states.append((0, 0))
        else:
            states.append((seen.st_mtime_ns, seen.st_size))
    return _card_as_of(folder, keys, keys.public(), tuple(states))


@lru_cache(maxsize=_REMEMBERED)
def _card_as_of(
    folder: Path, keys: Keys, _public: frozenset[str], _states: tuple[tuple[int, int], ...]
) -> tuple[Mapping[str, Any], datetime]:
    manifest = manifest_of(folder, keys)
    return manifest["card"], datetime.fromisoformat(manifest["created"])


def broken(folder: Path, what: str) -> RegistryError:
    """Return the error that says what is wrong with a version and what to do."""
    return RegistryError(f"{folder}: {what}; this version is not used: train again or restore the folder")


def _signed(folder: Path, keys: Keys) -> bytes:
    """Return the bytes of a version's ``card.json``, unread but vouched for."""
    try:
        text = read_bounded(folder / CARD, MOST[CARD])
    except UnreadError as error:
        raise broken(folder, f"{CARD} {error}") from error
    try:
        signature = read_bounded(folder / SIGNATURE, SIGNATURE_BYTES, exactly=SIGNATURE_BYTES)
    except UnreadError as error:
        if not os.path.lexists(folder / SIGNATURE):
            raise RegistryError(
                f"{folder}: nobody has signed it: {SIGNATURE} is missing, as from an Andon that did not sign yet"
                " (format 1); this version is not used: train again"
            ) from error
        raise broken(folder, f"{SIGNATURE} {error}") from error
    if why := keys.refusal(text, signature):
        if "not trusted" in why:
            raise RegistryError(
                f"{folder}: {why}; this version is not used: train again, or, if you know whose key that is, add it to"
                " ANDON_TRUSTED_KEYS"
            )
        raise broken(folder, f"{CARD}: {why}")
    return text
