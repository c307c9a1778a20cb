"""Models: their versions, their cards, and which version is live."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from ingest.errors import RegistryError, UnknownNameError
from ingest.plant import TaskName
from models.registry.registry import Unreadable, Version
from service.api.given import Now, Room, moment, nearest
from service.api.iso import Iso
from service.api.paging import Limit, Offset, Page, cut
from service.api.text import Told
from service.control_room import ControlRoom

router = APIRouter(tags=["models"])

At = Annotated[Iso | None, Query(description="At this time, local plant time if no offset; now when left out.")]
Person = Annotated[str, Field(min_length=1, max_length=200, description="Who wants it.", examples=["Ines"])]


class VersionView(BaseModel):
    """One version of a model; it never changes."""

    version: str = Field(description="Hash of its content.")
    created: datetime
    live: bool


class VersionDetail(VersionView):
    """One version with its card: what it learnt from and how it was judged."""

    model: str
    card: dict[str, Any]


class UnreadableView(BaseModel):
    """One version whose card cannot be read; it is not used, and stops no other."""

    version: str = Field(description="Name of its folder.")
    live: bool
    why: str = Field(description="What is wrong with which file, and what to do.")


class ModelView(BaseModel):
    """A model of the plant file, or one that was in it, and its versions."""

    name: str
    task: TaskName | None = Field(description="Null if the plant file has it no more.")
    machine_class: str | None
    live: str | None = Field(description="The version in use; null if none is.")
    versions: list[VersionView] = Field(description="Oldest first.")
    unreadable: list[UnreadableView] = Field(description="Versions that are there and cannot be read.")


class ModelPage(Page):
    """Some models."""

    items: list[ModelView]


class Promotion(Told):
    """Which version to use from now on."""

    version: Annotated[str, Field(min_length=1, max_length=200)]
    by: Person
    why: Annotated[str, Field(max_length=10_000)] = ""
    force: bool = Field(False, description="Use it whatever stands against it; needs a reason, which is kept.")


class LiveView(BaseModel):
    """Which version was live at some time, and how it came to be."""

    model: str
    live: str | None = Field(description="Null if none was.")
    what: Literal["promote", "rollback"] | None = None
    since: datetime | None = None
    by: str | None = None
    why: str | None = None
    against: str | None = Field(None, description="What stood against it when it was forced; empty if nothing did.")


class Rollback(Told):
    """Use the version again that was live before."""

    by: Person


@router.get("/models")
def list_models(request: Request, room: Room, limit: Limit = 100, offset: Offset = 0) -> ModelPage:
    """Return the models and their versions."""
    names, next_page = cut(request, list(versions_by_model(room)), limit, offset)
    return ModelPage(items=[_view(name, room) for name in names], next=next_page)


@router.get("/models/{model:path}/versions/{version}")
def show_version(model: str, version: str, room: Room) -> VersionDetail:
    """Return one version with its model card; 'live' stands for the one in use."""
    return _detail(version_named(room, model, version))


@router.post("/models/{model:path}/promote")
def promote(model: str, body: Promotion, room: Room, now: Now) -> ModelView:
    """Make a version the live one; 409 with what stands against it, unless it is forced with a reason."""
    version_named(room, model, body.version)
    room.registry.promote(model, body.version, at=now, by=body.by, why=body.why, force=body.force)
    return _view(model, room)


@router.post("/models/{model:path}/rollback")
def roll_back(model: str, body: Rollback, room: Room, now: Now) -> ModelView:
    """Make the version live that was live before; 409 if there was none."""
    _known(room, model)
    room.registry.rollback(model, at=now, by=body.by)
    return _view(model, room)


@router.get("/models/{model:path}/live")
def show_live(model: str, room: Room, now: Now, at: At = None) -> LiveView:
    """Return which version is live, or was live at some time, and how it came to be."""
    _known(room, model)
    change = room.registry.change(model, now if at is None else moment(at, room.plant, "at"))
    if change is None:
        return LiveView(model=model, live=None)
    return LiveView(
        model=model,
        live=change.version,
        what=change.what,
        since=change.at,
        by=change.by,
        why=change.why,
        against=change.against,
    )


@router.get("/models/{model:path}")
def show_model(model: str, room: Room) -> ModelView:
    """Return one model and its versions."""
    _known(room, model)
    return _view(model, room)


def versions_by_model(room: ControlRoom) -> Mapping[str, list[Version]]:
    """Return the versions of each model, those of the plant file first; models without one as well."""
    found: dict[str, list[Version]] = {entry.name: [] for entry in room.plant.models}
    for version in room.registry.versions():
        found.setdefault(version.model, []).append(version)
    for broken in unreadable(room):
        found.setdefault(broken.model, [])
    return {name: versions for name, versions in found.items() if room.has_model(name)}


def unreadable(room: ControlRoom, model: str | None = None) -> list[Unreadable]:
    """Return the versions (of one model) that are there and cannot be read."""
    found = room.registry.unreadable(entry.name for entry in room.plant.models)
    return [each for each in found if model in (None, each.model)]


def version_named(room: ControlRoom, model: str, version: str) -> Version:
    """Return one version; ``live`` stands for the one in use.

    Raises
    ------
    UnknownNameError
        If there is no such model or version.
    RegistryError
        If it cannot be read.
    """
    versions = _known(room, model)
    for each in versions:
        if each.version == version or (version == "live" and each.live):
            return each
    for broken in unreadable(room, model):
        if broken.version == version or (version == "live" and broken.live):
            raise RegistryError(broken.why)
    known = ", ".join(each.version for each in versions) or "none yet; 'andon train' makes the first"
    raise UnknownNameError(f"model {model!r} has no version {version!r}; there is: {known}")


def _known(room: ControlRoom, model: str) -> list[Version]:
    found = versions_by_model(room)
    if model not in found:
        raise UnknownNameError(f"no model {model!r}{nearest(model, list(found))}")
    return found[model]


def _view(name: str, room: ControlRoom) -> ModelView:
    entry = next((each for each in room.plant.models if each.name == name), None)
    versions = [VersionView(version=each.version, created=each.created, live=each.live) for each in _known(room, name)]
    broken = [UnreadableView(version=each.version, live=each.live, why=each.why) for each in unreadable(room, name)]
    return ModelView(
        name=name,
        task=entry.task if entry else None,
        machine_class=entry.machine_class if entry else None,
        live=room.registry.live(name),
        versions=versions,
        unreadable=broken,
    )


def _detail(version: Version) -> VersionDetail:
    return VersionDetail(
        model=version.model,
        version=version.version,
        created=version.created,
        live=version.live,
        card=dict(version.card),
    )
