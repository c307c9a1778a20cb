"""Versions of models: immutable, named by their content, checked before anything of them is loaded."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock

from ingest.errors import RegistryError, UnknownNameError
from models import archive
from models.bundle import Bundle
from models.live_history import Change, LiveHistory

_LOCK_SECONDS = 60.0
_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@dataclass(frozen=True, slots=True)
class Version:
    """One saved version of a model.

    Attributes
    ----------
    version : hash of its content: the same data and seed give the same version
    created : when it was first saved
    live : whether it is the one in use
    card : its model card
    """

    model: str
    version: str
    created: datetime
    live: bool
    card: Mapping[str, Any]


class Registry:
    """A folder of model versions, ``<model>/<version>/``, and the history of which were live.

    A version is written beside its place, synced and renamed, so it is there whole or not at all;
    once there it never changes. Reading a version checks every byte against the hashes in its card
    before anything is loaded.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.history = LiveHistory(folder / "live.jsonl")

    def save(self, bundle: Bundle, *, created: datetime) -> Version:
        """Save a bundle; where this content is known already, nothing changes.

        Raises
        ------
        RegistryError
            When the folder cannot be written, or holds a damaged version of the same content.
        """
        model = bundle.entry.name
        try:
            with self._locked():
                version = archive.write(bundle, self._folder_of(model), created=created)
        except OSError as error:
            raise RegistryError(
                f"{self.folder}: model {model!r} cannot be saved ({error.strerror or error})"
            ) from error
        return self._version(model, version, self.live(model))

    def load(self, model: str, version: str | None = None) -> Bundle:
        """Return a version, or the live one.

        Raises
        ------
        UnknownNameError
            When there is no version of such a model.
        RegistryError
            When no version is live, or the version is missing, altered or cannot be loaded.
        """
        wanted = version or self.live(model)
        if wanted is None:
            known = ", ".join(each.version for each in self.versions(model))
            if not known:
                raise UnknownNameError(f"no model {model!r} has been trained; run: andon train")
            raise RegistryError(f"no version of model {model!r} is live; promote one of: {known}")
        return archive.read(self._existing(model, wanted))

    def card(self, model: str, version: str) -> Mapping[str, Any]:
        """Return the card of a version, without loading the model.

        Raises
        ------
        RegistryError
            When there is no such version or its card was altered.
        """
        card: Mapping[str, Any] = archive.card_of(self._existing(model, version))["card"]
        return card

    def versions(self, model: str | None = None) -> list[Version]:
        """Return all versions (of one model), oldest first.

        Raises
        ------
        RegistryError
            When a card was altered.
        """
        found = []
        for folder in self._folders(model):
            name = str(archive.card_of(folder)["card"]["model"])
            found.append(self._version(name, folder.name, self.live(name)))
        return sorted(found, key=lambda each: (each.model, each.created, each.version))

    def promote(self, model: str, version: str, *, at: datetime, by: str, why: str) -> Version:
        """Make a version the live one; nothing changes where it is already.

        Raises
        ------
        RegistryError
            When there is no such version or a file of it was altered.
        """
        archive.check(self._existing(model, version))
        with self._locked():
            if self.live(model) != version:
                self.history.append(Change("promote", model, version, at.astimezone(UTC), by, why))
        return self._version(model, version, version)

    def rollback(self, model: str, *, at: datetime, by: str) -> Version:
        """Make the version live that was live before; doing so twice goes back two.

        Raises
        ------
        RegistryError
            When there was none before.
        """
        with self._locked():
            stack = self.history.stack(model)
            if len(stack) < 2:
                raise RegistryError(f"no version of model {model!r} was live before {stack[-1] if stack else 'any'}")
            archive.check(self._existing(model, stack[-2]))
            why = f"rolled back from {stack[-1]}"
            self.history.append(Change("rollback", model, stack[-2], at.astimezone(UTC), by, why))
        return self._version(model, stack[-2], stack[-2])

    def live(self, model: str, at: datetime | None = None) -> str | None:
        """Return the version that is live, or was live at some moment; ``None`` if there is none."""
        stack = self.history.stack(model, at)
        return stack[-1] if stack else None

    def _version(self, model: str, version: str, live: str | None) -> Version:
        card = archive.card_of(self._existing(model, version))
        created = datetime.fromisoformat(card["created"])
        return Version(model, version, created, version == live, card["card"])

    def _existing(self, model: str, version: str) -> Path:
        folder = self._folder_of(model) / version
        if not re.fullmatch(r"[0-9a-f]+", version) or not folder.is_dir():
            known = ", ".join(each.name for each in self._folders(model)) or "none"
            raise RegistryError(f"model {model!r} has no version {version!r}; there is: {known}")
        return folder

    def _folders(self, model: str | None) -> Iterator[Path]:
        homes = [self._folder_of(model)] if model is not None else sorted(self.folder.glob("*/"))
        for home in homes:
            yield from sorted(path for path in home.glob("*/") if re.fullmatch(r"[0-9a-f]+", path.name))

    def _folder_of(self, model: str) -> Path:
        return self.folder / slug(model)

    def _locked(self) -> FileLock:
        self.folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / ".lock", timeout=_LOCK_SECONDS)


def slug(model: str) -> str:
    """Return a folder name for a model; different names never share one, whatever they hold.

    Examples
    --------
    >>> slug("press_failure"), slug("Presse 1/2")
    ('press_failure', 'presse-1-2-55e18d88')
    """
    if _PLAIN.fullmatch(model):
        return model
    readable = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")[:40] or "model"
    return f"{readable}-{sha256(model.encode()).hexdigest()[:8]}"
