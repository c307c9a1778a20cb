"""The control room: the plant, its data, its models and its state, opened together.

The command line and the web application both start here, so that they see the same plant.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from ingest.database import Database
from ingest.errors import AndonError
from ingest.plant import Plant
from ingest.plant_file import load_plant
from ingest.store import Store
from models.engine.engine import HERE, Engine
from models.engine.named import engine_named
from models.registry.registry import Registry
from models.registry.signing import Keys
from service.alerts.pipeline.calling import Calling
from service.alerts.pipeline.rules import Rules
from service.audit.follow import follow_models
from service.audit.signed_head import Seal, SignedHead
from service.database import open_state
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class ControlRoom:
    """All long-lived things of one plant; close it when done, or use it as a context.

    Attributes
    ----------
    store : readings and events
    registry : model versions
    state : alerts, assessments and runs
    engine : where machines are worked on
    whole : the whole plant, where ``plant`` is only a part of it; ``None`` where it is all
    """

    settings: Settings
    plant: Plant
    store: Store
    registry: Registry
    state: Database
    engine: Engine = HERE
    whole: Plant | None = None

    def only(self, machines: Collection[str]) -> Self:
        """Return the same room as if there were only these machines."""
        whole = self.whole or self.plant
        return replace(self, plant=whole.only(machines), whole=whole)

    @property
    def shown(self) -> list[str] | None:
        """Machines that rows of the state must be of to be shown; ``None`` where all are."""
        return None if self.whole is None else [each.name for each in self.plant.machines]

    def has_model(self, name: str) -> bool:
        """Say whether a model is shown: where only some machines are, all that it learns from have to be among them.

        Its card and its report name every machine of its class, and to promote it changes all of them.
        """
        if self.whole is None:
            return True
        whole = self.whole
        entry = next((each for each in self.plant.models if each.name == name), None)
        if entry is None:
            return False
        return self.plant.machines_of(entry.machine_class) == whole.machines_of(entry.machine_class)

    def rules(self) -> Rules:
        """Return what decides whom alerts call, by the plant file and the models as they are now.

        That is the whole plant's matter, also where only some machines are shown.
        """
        return Rules(self.whole or self.plant, self.registry.card)

    def calling(self, now: datetime) -> Calling:
        """Return the state with which each change of alerts decides, too, whom they call as of a moment."""
        return Calling(self.state, self.rules(), now)

    @property
    def seal(self) -> Seal:
        """Who vouches for the audit trail: the key that signs models where one is named, one of its own otherwise."""
        folder, trusted = self.plant.data_folder, frozenset(self.settings.trusted_keys)
        named = self.settings.signing_key
        keys = Keys(folder / "audit.key", trusted) if named is None else Keys(named, trusted, made=False)
        return Seal(folder / "audit.head", keys)

    def keep_audit(self) -> SignedHead | None:
        """Bring the audit trail up to date with what is kept elsewhere, and vouch for it as far as it is.

        Raises
        ------
        AndonError
            If it is not what was vouched for before, or nothing can be read or signed.
        """
        follow_models(self.state, self.registry.history.changes())
        return self.seal.keep(self.state)

    def close(self) -> None:
        """Let go of the files and of the workers; what was done until now is vouched for."""
        try:
            self.keep_audit()
        except AndonError as error:
            structlog.get_logger().warning("nobody vouches for the audit trail", why=str(error))
        self.engine.close()
        self.state.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_control_room(settings: Settings) -> ControlRoom:
    """Read the plant file and open its data folder, which is made if it is not there.

    Raises
    ------
    PlantFileError
        If the plant file is wrong.
    StoreError
        If the data folder cannot be used.
    """
    plant = load_plant(settings.plant)
    store = Store(plant.data_folder, database=settings.database, lake=settings.lake)
    try:
        state = open_state(plant.data_folder / "state.db", settings.database)
    except BaseException:
        store.close()
        raise
    folder = plant.data_folder / "models"
    registry = Registry(folder, tell=_tell_unreadable, keys=_keys(settings, folder), types=settings.trusted_types)
    return ControlRoom(settings, plant, store, registry, state, engine_named(settings.engine))


def _keys(settings: Settings, folder: Path) -> Keys:
    trusted = frozenset(settings.trusted_keys)
    if settings.signing_key is None:
        return Keys.beside(folder, trusted)
    return Keys(settings.signing_key, trusted, made=False)


def _tell_unreadable(why: str) -> None:
    structlog.get_logger().warning("model version skipped", why=why)
