"""A plant with two lines behind the application, with users and keys, and browsers that hold their cookies."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from starlette.testclient import TestClient

from ingest.event import Event, events_table
from ingest.plant import Job, Machine, MachineClass, ModelEntry, Plant, Signal
from ingest.store import Store
from models.registry.registry import Registry
from service.access import keys, links, users
from service.access.doors import Doors
from service.access.password import Passwords
from service.access.reach import EVERYTHING, Reach
from service.access.role import Right, Role
from service.access.users import User
from service.alerts.out_of_service import take_out_of_service
from service.app import create_app
from service.control_room import ControlRoom
from service.settings import Settings
from tests.ready_state import open_state
from tests.service.conftest import Works

OWN, OTHER = "own-1", "hidden-77"
LINE_1 = Reach(("line:Line 1",))
PASSWORD = "seven tall green lamps"  # noqa: S105 – of a test
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""As few rounds as can be: tests sign in often."""


@dataclass
class Answer:
    """What a browser got, and what is in it."""

    response: Any

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def text(self) -> str:
        return str(self.response.text)

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.text)
        return found[1] if found else ""


@dataclass
class Browser:
    """Somebody's browser: it keeps cookies, and says where its forms come from."""

    client: TestClient
    base: str = "https://testserver"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **sent: Any) -> Answer:
        headers = {"Accept": "application/json", **self.headers, **sent.pop("headers", {})}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.client.cookies.clear()
        response = self.client.request(method, self.base + path, headers=headers, follow_redirects=False, **sent)
        for name, value in response.cookies.items():
            self.cookies[name] = value
        for line in response.headers.get_list("set-cookie"):
            if "Max-Age=0" in line or "max-age=0" in line:
                self.cookies.pop(line.partition("=")[0], None)
        self.client.cookies.clear()
        return Answer(response)

    def get(self, path: str, **sent: Any) -> Answer:
        return self.ask("GET", path, **sent)

    def look(self, path: str) -> Answer:
        return self.ask("GET", path, headers={"Accept": "text/html"})

    def form(self, path: str, fields: dict[str, str], **sent: Any) -> Answer:
        return self.ask("POST", path, data=fields, headers={"Sec-Fetch-Site": "same-origin"}, **sent)

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> Answer:
        return self.form("/sign-in", {"name": name, "password": password, **more})

    def csrf(self) -> str:
        return str(self.get("/api/v1/me").response.json()["csrf_token"])


@dataclass
class GuardedWorks(Works):
    """The application with two lines, and who may come in."""

    def user(self, name: str, role: Role = Role.ADMIN, reach: Reach = EVERYTHING, password: str = PASSWORD) -> User:
        with self.room.state.write() as connection:
            user = users.add(connection, name, role=role, reach=reach, at=self.now)
            users.set_password(connection, user, QUICK.hash(password))
        self.refresh()
        return user

    def refresh(self) -> None:
        self.client.app.state.authenticator.forget()  # type: ignore[attr-defined]

    def key(self, *rights: Right, reach: Reach = EVERYTHING, name: str = "gateway", **more: Any) -> str:
        wish = keys.Wish(name=name, rights=rights, reach=reach, **more)
        with self.room.state.write() as connection:
            return keys.make(connection, wish, by="test", at=self.now)[1]

    def link(self, user: User) -> str:
        with self.room.state.write() as connection:
            return links.make(connection, user.id, at=self.now)

    def browser(self, **options: Any) -> Browser:
        return Browser(self.client, **options)

    def signed_in(self, name: str, role: Role = Role.ADMIN, reach: Reach = EVERYTHING) -> Browser:
        self.user(name, role, reach)
        browser = self.browser()
        assert browser.sign_in(name).status == 303
        return browser

    def program(self, *rights: Right, reach: Reach = EVERYTHING) -> Browser:
        return self.browser(headers={"Authorization": f"Bearer {self.key(*rights, reach=reach)}"})

    def out_of_service(self, machine: str) -> int:
        with self.room.state.write() as connection:
            until = self.now + timedelta(hours=8)
            longest = self.room.plant.alerts.longest_out_of_service
            return take_out_of_service(
                connection, machine, cause="belt", by="Ines", why="known", at=self.now, longest=longest, until=until
            ).id

    def happened(self, machine: str) -> None:
        event = Event(machine=machine, kind="maintenance", time=self.now - timedelta(hours=1), note=f"on {machine}")
        self.room.store.add_events(events_table([event]), source="test")


def two_lines(folder: Path) -> Plant:
    signals = [Signal(name="temperature", unit="°C", every="1 min"), Signal(name="vibration", every="1 min")]
    press = MachineClass(name="press", components=["bearing"], signals=signals)
    mixer = MachineClass(name="mixer", components=["belt"], signals=signals)
    machines = [
        Machine(name=OWN, machine_class="press", site="Ulm", line="Line 1"),
        Machine(name="mixer-1", machine_class="mixer", site="Ulm", line="Line 1"),
        Machine(name=OTHER, machine_class="press", site="Ulm", line="Hidden line"),
    ]
    return Plant(
        name="Works",
        time_zone="Europe/Berlin",
        classes=[press, mixer],
        machines=machines,
        models=[
            ModelEntry(name="press failure", task="failure_risk", machine_class="press", horizon="24 h"),
            ModelEntry(name="mixer failure", task="failure_risk", machine_class="mixer", horizon="24 h"),
        ],
        jobs=[Job(name="score", action="score", every="10 min")],
        folder=folder,
    )


def open_guarded(folder: Path, **changes: Any) -> Iterator[GuardedWorks]:
    """Open the application over the empty plant of two lines, without a user, and close it."""
    plant = two_lines(folder)
    settings = Settings(jobs=False, hosts=("testserver",), **changes)
    store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
    room = ControlRoom(settings, plant, store, Registry(plant.data_folder / "models"), state)
    works = GuardedWorks(room, now=datetime(2026, 5, 3, 4, tzinfo=UTC))
    doors = Doors(lambda: works.now, passwords=Passwords(QUICK))
    app = create_app(settings, clock=lambda: works.now, open_room=lambda _: room, doors=doors)
    with TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 5000)) as client:
        works.client = client
        yield works
