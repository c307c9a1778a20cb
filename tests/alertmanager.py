"""Real programs of Prometheus for tests: amtool, Alertmanager and Prometheus itself; and Andon to compare them with."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import pytest

from ingest.plant import Plant
from ingest.store import Store
from models.registry.registry import Registry
from service.app import create_app
from service.control_room import ControlRoom
from service.settings import Settings
from tests.ports import free_port
from tests.ready_state import open_state
from tests.running_app import running_app

PLANT: dict[str, Any] = {
    "name": "Works",
    "classes": [{"name": "press", "signals": [{"name": "vibration"}]}],
    "machines": [{"name": f"press-{each}", "class": "press", "site": "Ulm", "line": "A"} for each in (1, 2)],
    "targets": [{"name": "shift", "kind": "alertmanager", "address": "https://mes.example/andon"}],
    "routes": [{"name": "all", "targets": ["shift"], "group_by": ["kind"]}],
}
CONFIG = """
route: {receiver: shift, group_by: [alertname], group_wait: 1ms, group_interval: 1s}
receivers: [{name: shift}]
"""
_PACKAGES = {"prometheus": "prometheus", "promtool": "prometheus"}
_ALSO_CALLED = {"prometheus-alertmanager": "alertmanager"}


def program(name: str) -> str:
    """Return a program of Prometheus; skip the test where there is none, unless this is CI."""
    found = shutil.which(name) or shutil.which(_ALSO_CALLED.get(name, name))
    if found is None:
        package = _PACKAGES.get(name, "prometheus-alertmanager")
        why = f"no {name} here; install it: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return found


def amtool(address: str, *arguments: str, home: Path, fails: bool = False) -> str:
    """Run amtool against a server, and return what it says; ``home`` has no settings of anybody."""
    ran = subprocess.run(
        [program("amtool"), f"--alertmanager.url={address}", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
    )
    assert bool(ran.returncode) is fails, ran.stdout + ran.stderr
    # That versions differ is a warning beside what was asked for.
    return ran.stderr if fails else ran.stdout


def ask(address: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """Ask a server, and return the status and what it answers."""
    place = urlsplit(address)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=30)
    content = None if body is None else json.dumps(body)
    sent = {"Content-Type": "application/json"} if body is not None else {}
    connection.request(method, f"/api/v2{path}", content, {**sent, **headers})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, json.loads(text) if text.strip() else None


@contextmanager
def running_andon(folder: Path, plant: Plant | None = None) -> Iterator[tuple[str, ControlRoom]]:
    """Serve a plant by the real clock; give its address and its room."""
    plant = (plant or Plant.model_validate(PLANT)).model_copy(update={"folder": folder})
    settings = Settings(jobs=False, deliver=False)
    store, state = Store(plant.data_folder), open_state(plant.data_folder / "state.db")
    room = ControlRoom(settings, plant, store, Registry(plant.data_folder / "models"), state)
    app = create_app(settings, clock=lambda: datetime.now(UTC), open_room=lambda _: room)
    with running_app(app) as port:
        yield f"http://127.0.0.1:{port}", room


@contextmanager
def running_alertmanager(folder: Path) -> Iterator[str]:
    """Run a real Alertmanager of its own; give its address."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.yml").write_text(CONFIG, encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    arguments = [
        program("prometheus-alertmanager"),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with _running(arguments, address, "/-/ready"):
        yield f"http://{address}"


@contextmanager
def running_prometheus(folder: Path, config: str, rules: str) -> Iterator[str]:
    """Run a real Prometheus of its own; give its address."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    (folder / "rules.yml").write_text(rules, encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    arguments = [
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--web.enable-lifecycle",
        "--rules.alert.resend-delay=1s",
    ]
    with _running(arguments, address, "/-/ready"):
        yield f"http://{address}"


def wait_until(so: Any, what: str, seconds: float = 30) -> None:
    """Wait until something is so."""
    until = monotonic() + seconds
    while not so():
        assert monotonic() < until, f"waited {seconds:g} s in vain until {what}"
        sleep(0.05)


@contextmanager
def _running(arguments: Sequence[str], address: str, ready: str) -> Iterator[None]:
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is not None or _ready(address, ready), f"{arguments[0]} is ready")
        assert process.poll() is None, f"{arguments[0]} ended at once"
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _ready(address: str, path: str) -> bool:
    try:
        connection = HTTPConnection(address, timeout=2)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
