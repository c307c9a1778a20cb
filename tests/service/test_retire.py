"""Old versions are retired, and never one that somebody may still ask about."""

from types import SimpleNamespace
from typing import Any, cast

from service.control_room import ControlRoom
from service.retire import retire
from service.settings import Settings


def test_versions_that_an_open_alert_names_and_the_trained_one_stay(works: Any) -> None:
    number = works.alert().number
    asked: list[Any] = []
    registry = SimpleNamespace(retire=lambda model, **options: asked.append((model, options)) or [])
    room = cast(ControlRoom, SimpleNamespace(state=works.room.state, registry=registry, settings=Settings()))

    retire(room, "press failure", trained="cd34")
    retire(room, "another", trained="cd34")
    closed = works.client.post(f"/api/v1/alerts/{number}/close", json={"by": "Ines", "verdict": "right"})
    retire(room, "press failure", trained="cd34")

    assert closed.status_code == 200
    assert [model for model, _ in asked] == ["press failure", "another", "press failure"]
    assert [options["besides"] for _, options in asked] == [{"ab12", "cd34"}, {"cd34"}, {"cd34"}]
    assert {options["newest"] for _, options in asked} == {20}
