"""The web application: everything over HTTP, built here from settings and a clock."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from importlib.metadata import version

import structlog
from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI

from ingest.intake import Intake, Work
from ingest.plant import Plant
from ingest.sources.stream import Stream
from ingest.store import Store
from service.access.authenticator import Authenticator
from service.access.doors import Doors
from service.access.issuer import issuer_of
from service.answers import Answers
from service.api import (
    alert_health,
    alert_stream,
    alert_why,
    alertmanager,
    alerts,
    audit,
    calls,
    characteristics,
    corrections,
    dead_letters,
    events,
    job_runs,
    jobs,
    keys,
    levers,
    losses,
    machines,
    me,
    models,
    mutes,
    notices,
    plant,
    readings,
    runs,
    users,
    watch,
    watchdog,
    work_orders,
)
from service.api.alertmanager.refusal import refused_as_text
from service.api.body import LARGEST_BODY, BoundedBody
from service.api.gate import Gate, operations_of, same_operation
from service.api.guard import Guard
from service.api.openapi import completed
from service.api.plain_push import PastTheFramework
from service.api.problem import Problem, add_problem_handlers, problem_answer
from service.api.push_desks import PushDesks
from service.api.text import keepable_address
from service.audit.follow import see_plant
from service.control_room import ControlRoom, open_control_room
from service.dashboard.pages import pages, problem_page
from service.dashboard.render import static_files
from service.delivery.deliverer import Deliverer
from service.delivery.live import LiveAlerts
from service.full_disk import FullDisk
from service.jobs.waker import Waker
from service.metrics import Metrics
from service.overview import Sampling, plant_figures
from service.settings import Settings
from service.streams import Streams, streams_of

OpenRoom = Callable[[Settings], ControlRoom]
OpenIntake = Callable[[Store], Intake]
MakeStreams = Callable[[Plant, Callable[[], datetime]], Sequence[Stream]]

_NOUNS = (
    plant,
    machines,
    readings,
    events,
    dead_letters,
    corrections,
    alert_stream,
    alert_health,  # before the alerts, one of which would be called so
    alerts,
    alert_why,
    calls,
    mutes,
    notices,
    work_orders,
    losses,
    levers,
    characteristics,
    models,
    jobs,
    job_runs,
    runs,
    watchdog,
    audit,
    me,
    users,
    keys,
)
"""Modules of the interface, one for each noun, in the order of its pages."""

_DESCRIPTION = """Readings and events in, alerts that an engineer can act on out.

Every error is `application/problem+json` (RFC 9457). Lists come in pages; `next` is the path of the
next one, or null. Times are ISO 8601; a time without an offset is the plant's local time, every
answer is in UTC. A span is (start, end]."""


def open_intake_of(store: Store) -> Intake:
    """Open the intake of a store; the log says when its sealing fails, and when it works again."""
    return Intake(store, tell=_tell)


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], datetime],
    open_room: OpenRoom = open_control_room,
    open_intake: OpenIntake = open_intake_of,
    make_streams: MakeStreams = streams_of,
    largest_body: int = LARGEST_BODY,
    doors: Doors | None = None,
) -> FastAPI:
    """Build the application; nothing is opened before it is started.

    Parameters
    ----------
    settings : which plant file, and whether this process also runs the plant's jobs
    clock : returns the present moment, aware; a demo replays the past with one of its own
    open_room : opens the plant and its data when the application starts
    open_intake : opens the intake through which readings reach the store
    make_streams : makes the streams that are listened to while the application runs
    largest_body : bytes that a request may bring
    doors : how people and programs are let in; by ``clock`` when left out

    Raises
    ------
    PlantFileError, StoreError
        At the start of the application, when the plant or its data cannot be opened.
    """
    doors = doors or Doors(clock)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Whatever fails to open, what was opened before is closed, the newest first.
        async with AsyncExitStack() as opened:
            app.state.began = clock()
            app.state.room = room = await to_thread.run_sync(open_room, settings)
            opened.push_async_callback(to_thread.run_sync, room.close)
            opened.push_async_callback(app.state.live.close)
            await to_thread.run_sync(partial(see_plant, room.state, settings.plant, at=clock()))
            app.state.intake = intake = await to_thread.run_sync(open_intake, room.store)
            opened.push_async_callback(to_thread.run_sync, intake.close)
            app.state.pushes = pushes = PushDesks(room, intake, app.state.metrics)
            opened.push_async_callback(to_thread.run_sync, pushes.close)
            app.state.streams = streams = Streams(make_streams(room.plant, clock), intake)
            opened.push_async_callback(to_thread.run_sync, streams.stop)
            if settings.jobs:
                waker = Waker(room, clock)
                opened.push_async_callback(to_thread.run_sync, waker.stop)
                waker.start()
            streams.start()
            app.state.authenticator = Authenticator(room.state, doors.clock, doors.lifetime)
            if settings.deliver:
                deliverer = Deliverer(room, clock)
                opened.push_async_callback(to_thread.run_sync, deliverer.stop)
                deliverer.start()
            yield

    app = FastAPI(
        title="Andon",
        version=version("andon"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        # Their pages load scripts from elsewhere; docs/api.md says the same and works offline.
        docs_url=None,
        redoc_url=None,
    )
    app.state.clock = clock
    app.state.doors = doors
    app.state.issuer = issuer_of(settings.oidc_issuer, settings.oidc_client, settings.oidc_secret, settings.oidc_claim)
    app.state.sampling = Sampling()
    app.state.answers = Answers()
    app.state.live = LiveAlerts(lambda: app.state.room.state)
    app.state.metrics = Metrics(
        lambda: replace(
            plant_figures(app.state.room, app.state.sampling, clock()),
            streams=app.state.streams.states(),
            failed_work=tuple(app.state.intake.failed),
        )
    )
    app.router.routes.extend(_operations().routes)
    app.mount("/static", static_files(), name="static")
    answer = problem_answer(refused_as_text(problem_page), FullDisk(app.state.metrics.disk_full).note)
    add_problem_handlers(app, answer)
    app.openapi = completed(app.openapi)  # type: ignore[method-assign]
    app.add_middleware(PastTheFramework, path="/api/v1/readings", answer=answer)
    app.add_middleware(BoundedBody, limit=largest_body)
    app.add_middleware(Gate, operations=operations_of(app.routes), answer=answer, changes=settings.changes_per_minute)
    app.add_middleware(Guard, hosts=(settings.host, *settings.hosts))
    return app


@cache
def _operations() -> APIRouter:
    """Return all that can be asked, which no setting changes: the framework reads the functions' parameters once."""
    router = APIRouter(
        dependencies=[Depends(same_operation), Depends(keepable_address)],
        responses={"default": {"model": Problem, "description": "A problem, as application/problem+json."}},
    )
    for each in _NOUNS:
        router.include_router(each.router, prefix="/api/v1")
    router.include_router(alertmanager.router, prefix="/api/v2")
    router.include_router(watch.router)
    router.include_router(watchdog.probe)
    router.include_router(pages)
    return router


def _tell(work: Work, failed: str | None) -> None:
    if failed is None:
        structlog.get_logger().info("intake works again", work=work)
    else:
        structlog.get_logger().warning("intake failed", work=work, why=failed)
