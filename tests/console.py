"""Consoles on a page of the documents: each ``andon`` and ``curl`` of it runs, in their order, and succeeds."""

import json
import shlex
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.cli.main import main
from service.settings import Settings
from tests.page import blocks

PLANT = """
[[classes]]
name = "press"
signals = [{ name = "vibration" }]

[[machines]]
name = "press-1"
class = "press"
"""


def run_console(page: str, then: Callable[[TestClient], None] = lambda client: None) -> dict[str, int]:
    """Run a page in the present folder, which has a plant file; return how often each program ran.

    Parameters
    ----------
    then : looks at what came of it, over HTTP
    """
    done = {"andon": 0, "curl": 0}
    lines = [line for block in blocks(page, "console") for line in block.splitlines()]
    app = create_app(Settings(jobs=False, hosts=("localhost",)), clock=lambda: datetime.now(UTC))
    with TestClient(app, base_url="http://localhost:8420") as client:
        for line in lines:
            program, *arguments = shlex.split(line.removeprefix("$ "))
            done[program] += 1
            if program == "andon":
                _andon(line, arguments)
            else:
                _curl(client, line, arguments)
        then(client)
    return done


def _andon(line: str, arguments: list[str]) -> None:
    arguments, _, target = _split(arguments, ">>")
    said = StringIO()
    with redirect_stdout(said), pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code, (line, said.getvalue())
    if target:
        with Path(target[0]).open("a", encoding="utf-8") as file:
            file.write(said.getvalue())


def _curl(client: TestClient, line: str, arguments: list[str]) -> None:
    method, body = "GET", None
    while arguments[0].startswith("-"):
        option, value, *arguments = arguments
        match option:
            case "--json":
                method, body = "POST" if method == "GET" else method, json.loads(value)
            case "-X":
                method = value
            case _:
                raise AssertionError(f"{line}: {option} is not understood here")
    answer = client.request(method, f"http://{arguments[0]}", json=body)
    assert answer.is_success, (line, answer.text)


def _split(arguments: list[str], at: str) -> tuple[list[str], Any, list[str]]:
    if at not in arguments:
        return arguments, None, []
    place = arguments.index(at)
    return arguments[:place], at, arguments[place + 1 :]
