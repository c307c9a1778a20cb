"""The page about delivery: its plant file, its commands, its requests and its receiver work, in their order."""

import shlex
from base64 import b64encode
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.plant_file import load_plant
from models.finding import Finding
from service.alerts import book
from service.app import create_app
from service.cli.main import main
from service.database import open_state
from service.delivery.body import body_of
from service.delivery.outbox import NoticeKind, put
from service.settings import Settings
from tests.broker import running_broker
from tests.mail_server import mailing
from tests.page import blocks, run
from tests.receiver import receiving

pytest.importorskip("apprise")
# At its first use Apprise loads a hundred services, some of which import what newer Pythons deprecate.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SECRET = "whsec_" + b64encode(bytes(32)).decode()


def raise_one(folder: Path) -> None:
    """Raise an alert, with a message to each target."""
    plant, now = load_plant(folder / "plant.toml"), datetime.now(UTC)
    finding = Finding(
        machine="press-1", kind="anomaly", cause="bearing", model="a", version="1", begin=now, end=None, level=0.9,
        act_before=now, sentence="press-1 is strange",
    )  # fmt: skip
    with closing(open_state(plant.data_folder / "state.db")) as state, state.write() as connection:
        alert, _ = book.raise_alert(connection, finding, at=now)
        for target in plant.targets:
            body = body_of(alert, plant, at=now)
            put(connection, target=target.name, kind=NoticeKind.RAISED, body=body, at=now, alert=alert.number)


def test_every_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    receive = run("delivery.md")["receive"]
    with ExitStack() as opened:
        receiver = opened.enter_context(receiving())
        mail = opened.enter_context(mailing())
        broker = opened.enter_context(running_broker(tmp_path / "broker"))
        ports = {"9080": str(receiver.port), "9025": mail.address.rpartition(":")[2], "9883": str(broker.port)}

        def here(text: str) -> str:
            for written, real in ports.items():
                text = text.replace(f"127.0.0.1:{written}", f"127.0.0.1:{real}")
            return text

        (plant,) = blocks("delivery.md", "toml")
        Path("plant.toml").write_text(here(plant), encoding="utf-8")
        (shell,) = blocks("delivery.md", "sh")
        for line in shell.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, SECRET if name == "MES_SECRET" else here(value.strip('"')))
        raise_one(tmp_path)
        done: dict[str, int] = {"andon": 0, "curl": 0}
        settings = Settings(jobs=False, deliver=False, hosts=("localhost",))
        app = create_app(settings, clock=lambda: datetime.now(UTC))
        with TestClient(app, base_url="http://localhost:8420") as client:
            for line in [line for block in blocks("delivery.md", "console") for line in block.splitlines()]:
                program, *arguments = shlex.split(line.removeprefix("$ "))
                done[program] += 1
                _try(program, arguments, line, client)
        hooks = [each for each in receiver.deliveries if "alert.raised" in each.body.decode()]
        said = [receive(each.headers, each.body, SECRET) for each in (*hooks, *hooks)]
        with pytest.raises(PermissionError):
            receive(hooks[0].headers, hooks[0].body + b" ", SECRET)
    assert done == {"andon": 12, "curl": 4}
    assert [each and each["sentence"] for each in said] == ["press-1 is strange", None]
    assert said[0]["link"] == "https://andon.example/alerts/1"
    assert [each["Subject"] for each in mail.mails] == [
        "[Works] Test message to shift",
        "[Works] press-1 is strange",
    ]


def _try(program: str, arguments: list[str], line: str, client: Any) -> None:
    if program == "andon":
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        # The plant of the page has no readings yet, which 'check' says, too.
        assert not ended.value.code or arguments[0] == "check", line
    elif arguments[0] == "--json":
        answer = client.post(
            f"http://{arguments[2]}", content=arguments[1], headers={"Content-Type": "application/json"}
        )
        assert answer.is_success, (line, answer.text)
    elif arguments[0] == "-N":
        # A stream that never ends; what it says is tested where it can be ended.
        assert f"/{arguments[1].partition('/')[2]}" in client.get("/api/v1/openapi.json").json()["paths"]
    else:
        answer = client.get(f"http://{arguments[0]}")
        assert answer.is_success, (line, answer.text)
