"""Versions of models: immutable, named by their content, checked before anything of them is loaded."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from ingest.errors import RegistryError, UnknownNameError
from models.bundle import Bundle
from models.registry import archive, manifest
from models.registry.live_history import Change, LiveHistory
from models.registry.promotion import hindrance
from models.registry.proof import Proofs
from models.registry.signing import Keys
from models.registry.slug import slug

_LOCK_SECONDS = 60.0
_MOST_LOADED = 32
"""Bundles that are kept in memory: those of a round, for the next one."""


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


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One saved version whose card cannot be read; nothing of it is used.

    Attributes
    ----------
    model : name of the model, or of its folder where no version of it can be read
    why : what is wrong with which file, and what to do
    """

    model: str
    version: str
    live: bool
    why: str


class Registry:
    """A folder of model versions, ``<model>/<version>/``, and the history of which were live.

    A version is written beside its place, synced and renamed, so it is there whole or not at all;
    once there it never changes. Reading a version checks who signed it and every byte against the
    hashes in its card, and tries in a child process whether it can be built, before anything is
    loaded. A version whose card cannot be read is left out wherever versions are listed, and stops
    none of the others.

    Parameters
    ----------
    tell : called with what is wrong with a card, once for each that cannot be read
    keys : who signs versions and whose signatures count; a key beside the folder when left out
    types : what a version may be made of beside our own types and those of skops's list
    """

    def __init__(
        self,
        folder: Path,
        *,
        tell: Callable[[str], None] = lambda _why: None,
        keys: Keys | None = None,
        types: Iterable[str] = (),
    ) -> None:
        self.folder = folder
        self.keys = keys or Keys.beside(folder)
        self.types = tuple(types)
        self._proofs = Proofs(folder / ".proven")
        self.history = LiveHistory(folder / "live.jsonl")
        self._tell = tell
        self._told: dict[Path, str] = {}
        self._loaded: dict[Path, Bundle] = {}

    def save(self, bundle: Bundle, *, created: datetime) -> Version:
        """Save a bundle; where this content is known already and whole, nothing changes.

        Raises
        ------
        RegistryError
            When the folder cannot be written, or the bundle is made of types that nobody allowed.
        """
        model = bundle.entry.name
        try:
            with self._locked():
                version = archive.write(bundle, self._folder_of(model), self.keys, self.types, created=created)
                self._proofs.made_here(self._digest(model, version), (*archive.TRUSTED, *self.types))
        except OSError as error:
            raise RegistryError(
                f"{self.folder}: model {model!r} cannot be saved ({error.strerror or error})"
            ) from error
        return self._version(model, version, self.live(model))

    def load(self, model: str, version: str | None = None) -> Bundle:
        """Return a version, or the live one; its bytes are checked each time, and unpacked the first time only.

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
        folder = self._existing(model, wanted)
        manifest.checked(folder, self.keys)
        # Its name is the hash of its content, and that was just found to be whole: it can be no other bundle.
        found = self._loaded.pop(folder, None) or archive.read(folder, self.keys, self._proofs, self.types)
        self._loaded[folder] = found
        while len(self._loaded) > _MOST_LOADED:
            self._loaded.pop(next(iter(self._loaded)))
        return found

    def card(self, model: str, version: str) -> Mapping[str, Any]:
        """Return the card of a version, without loading the model.

        Raises
        ------
        RegistryError
            When there is no such version or its card was altered.
        """
        card: Mapping[str, Any] = manifest.manifest_of(self._existing(model, version), self.keys)["card"]
        return card

    def versions(self, model: str | None = None) -> list[Version]:
        """Return all versions (of one model) that can be read, oldest first."""
        return self._listed(model)[0]

    def names(self, model: str) -> list[str]:
        """Return the names of all versions of a model, readable or not."""
        return [folder.name for folder in self._folders(model)]

    def unreadable(self, names: Iterable[str] = ()) -> list[Unreadable]:
        """Return the versions that cannot be read.

        Parameters
        ----------
        names : models whose folders are to be recognised even where no version can be read
        """
        versions, broken = self._listed(None)
        stacks = self.history.stacks()
        known = {slug(name): name for name in (*(each.model for each in versions), *stacks, *names)}
        found = []
        for folder, why in broken.items():
            model = known.get(folder.parent.name, folder.parent.name)
            found.append(Unreadable(model, folder.name, stacks.get(model, [])[-1:] == [folder.name], why))
        return found

    def promote(self, model: str, version: str, *, at: datetime, by: str, why: str, force: bool = False) -> Version:
        """Make a version the live one; nothing changes where it is already.

        Parameters
        ----------
        force : use it whatever stands against it; why, and what stood against it, are kept

        Raises
        ------
        RegistryError
            When there is no such version, a file of it was altered, it cannot be loaded, something stands against
            it, or somebody forces it without a reason.
        """
        if force and not why.strip():
            raise RegistryError(
                f"version {version} of model {model!r} cannot be forced without a reason; say why, for the record"
            )
        with self._locked():
            folder = self._existing(model, version)
            card = archive.prove(folder, self.keys, self._proofs, self.types)[0]["card"]
            if self.live(model) != version:
                against = hindrance(card, self.live_card(model))
                if against and not force:
                    raise RegistryError(
                        f"version {version} of model {model!r} cannot be promoted: {against}; to use it all the same,"
                        " force it with a reason, which is kept"
                    )
                self.history.append(Change("promote", model, version, at.astimezone(UTC), by, why, against))
        return self._version(model, version, version)

    def retire(self, model: str, *, newest: int, besides: Collection[str] = ()) -> list[str]:
        """Remove old versions and return their names; what cannot be read is left alone.

        Parameters
        ----------
        newest : how many of the newest versions stay; every version that was ever live does as well
        besides : names of more versions that stay

        Raises
        ------
        RegistryError
            When a version cannot be removed, or the history of what was live was altered.
        """
        with self._locked():
            lived = {change.version for change in self.history.changes() if change.model == model}
            names = [each.version for each in self.versions(model)]
            old = [each for each in names[: max(0, len(names) - newest)] if each not in {*lived, *besides}]
            digests = [self._digest(model, each) for each in old]
            try:
                archive.remove(self._folder_of(model), old)
                for digest in digests:
                    self._proofs.forget(digest)
            except OSError as error:
                raise RegistryError(
                    f"{self.folder}: old versions of model {model!r} cannot be removed ({error.strerror or error})"
                ) from error
        return old

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
            manifest.checked(self._existing(model, stack[-2]), self.keys)
            why = f"rolled back from {stack[-1]}"
            self.history.append(Change("rollback", model, stack[-2], at.astimezone(UTC), by, why))
        return self._version(model, stack[-2], stack[-2])

    def change(self, model: str, at: datetime | None = None) -> Change | None:
        """Return how the version came to be live that is, or was at some moment; ``None`` if none is."""
        return self.history.now(model, at)

    def live(self, model: str, at: datetime | None = None) -> str | None:
        """Return the version that is live, or was live at some moment; ``None`` if there is none."""
        stack = self.history.stack(model, at)
        return stack[-1] if stack else None

    def _version(self, model: str, version: str, live: str | None) -> Version:
        said = manifest.manifest_of(self._existing(model, version), self.keys)
        return Version(model, version, datetime.fromisoformat(said["created"]), version == live, said["card"])

    def _digest(self, model: str, version: str) -> str:
        said = manifest.manifest_of(self._existing(model, version), self.keys)
        return str(said["files"][manifest.MODEL]["sha256"])

    def live_card(self, model: str) -> Mapping[str, Any] | None:
        """Return the card of the live version; ``None`` where none is live or it is not as it was saved."""
        live = self.live(model)
        try:
            return None if live is None else manifest.checked(self._existing(model, live), self.keys)[0]["card"]
        except RegistryError:  # what is damaged must keep no sound version from taking its place
            return None

    def _listed(self, model: str | None) -> tuple[list[Version], dict[Path, str]]:
        """Return the versions that can be read, and what is wrong with each folder that cannot."""
        stacks, found, broken = self.history.stacks(), [], {}
        for folder in self._folders(model):
            try:
                card, created = manifest.seen_card(folder, self.keys)
            except RegistryError as error:
                broken[folder] = str(error)
                continue
            name = str(card["model"])
            live = stacks.get(name, [])[-1:] == [folder.name]
            found.append(Version(name, folder.name, created, live, card))
        for folder, why in broken.items():
            if self._told.get(folder) != why:
                self._told[folder] = why
                self._tell(why)
        return sorted(found, key=lambda each: (each.model, each.created, each.version)), broken

    def _existing(self, model: str, version: str) -> Path:
        folder = self._folder_of(model) / version
        if not re.fullmatch(r"[0-9a-f]+", version) or not folder.is_dir():
            known = ", ".join(self.names(model)) or "none"
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
