"""The application as a whole: it opens, it closes, it guards, and every error is a problem."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from ingest import errors
from ingest.errors import AndonError, PlantFileError, StoreBusyError, UnreadFilesError
from ingest.report import IngestReport
from service.api import alerts, events, jobs, machines, models, plant, readings, runs, watch
from service.api.problem import ERROR_TABLE, problem_of
from service.api.reference import reference
from service.app import create_app
from service.dashboard import alert_page, first_page, job_page, machine_page, model_page
from service.settings import Settings

ROOT = Path(__file__).parents[2]


def leaves(kind: type[AndonError]) -> set[type[AndonError]]:
    return {kind, *(leaf for each in kind.__subclasses__() for leaf in leaves(each))}


def test_nothing_is_opened_before_the_start(tmp_path: Path) -> None:
    def refuse(_: Settings) -> Any:
        raise AssertionError

    create_app(Settings(plant=tmp_path / "none.toml"), clock=lambda: datetime.now(UTC), open_room=refuse)

    assert list(tmp_path.iterdir()) == []


def test_a_plant_that_cannot_be_opened_ends_the_start(tmp_path: Path) -> None:
    app = create_app(Settings(plant=tmp_path / "none.toml"), clock=lambda: datetime.now(UTC))

    with pytest.raises(PlantFileError), TestClient(app):
        pass


def test_the_files_are_let_go_at_the_end(works_with: Callable[..., Any]) -> None:
    works = works_with()
    closed: list[str] = []
    object.__setattr__(works.room.store, "close", lambda: closed.append("store"))

    works.client.__exit__(None, None, None)

    assert closed == ["store"]


def test_the_jobs_run_while_it_serves(works: Any) -> None:
    settings = Settings(jobs=True, hosts=("testserver",))
    object.__setattr__(works.room, "settings", settings)
    app = create_app(settings, clock=lambda: works.now, open_room=lambda _: works.room)

    with TestClient(app) as client:
        assert client.get("/healthz").status_code == 200


def test_health_says_only_that_the_process_is_alive(works: Any) -> None:
    assert works.get("/healthz") == {"status": "alive"}


def test_ready_when_store_and_state_answer(works: Any) -> None:
    assert works.get("/readyz") == {"status": "ready"}


def test_not_ready_when_the_store_does_not_answer(works: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy() -> None:
        raise StoreBusyError("readings.db is held")

    monkeypatch.setattr(works.room.store, "counts", busy, raising=False)

    response = works.client.get("/readyz")

    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"] == [{"where": "store", "reason": "readings.db is held"}]


@pytest.mark.parametrize("path", ["/", "/alerts", "/api/v1/plant", "/healthz", "/nowhere", "/static/andon.css"])
def test_every_answer_forbids_foreign_scripts_and_frames(works: Any, path: str) -> None:
    headers = works.client.get(path).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-" not in policy
    assert "script-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"


def test_an_unknown_address_is_a_problem(works: Any) -> None:
    response = works.client.get("/api/v1/nothing")

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["instance"] == "/api/v1/nothing"


def test_a_wrong_method_is_a_problem_that_names_the_right_ones(works: Any) -> None:
    response = works.client.delete("/api/v1/plant")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET"
    assert response.json()["detail"] == "DELETE is not possible on /api/v1/plant"


def test_a_browser_gets_a_page_and_a_program_gets_a_document(works: Any) -> None:
    page = works.client.get("/alerts/77", headers={"Accept": "text/html"})
    document = works.client.get("/alerts/77")

    assert page.headers["content-type"].startswith("text/html")
    assert document.headers["content-type"] == "application/problem+json"
    assert page.status_code == document.status_code == 404


def test_an_error_of_ours_tells_nothing_of_the_inside(works: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret path")

    monkeypatch.setattr("service.api.watch.select", broken)

    response = works.client.get("/readyz")

    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("kind", sorted(leaves(AndonError), key=str))
def test_each_of_our_errors_has_a_status(kind: type[AndonError]) -> None:
    if issubclass(kind, UnreadFilesError):
        error: AndonError = kind("a line", IngestReport())
    else:
        error = kind(["a line"]) if issubclass(kind, PlantFileError) else kind("a line")

    problem = problem_of(error)

    assert 400 <= problem.status < 600
    assert problem.status != 500
    assert problem.type.startswith("urn:andon:")
    assert problem.detail == "a line"


def test_the_error_table_names_each_kind_once() -> None:
    names = [each.name for each in ERROR_TABLE.values()]

    assert len(set(names)) == len(names)
    assert all(kind.__module__ == errors.__name__ for kind in ERROR_TABLE)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
        {"Origin": "null"},
    ],
)
def test_another_sites_page_changes_nothing(works: Any, headers: dict[str, str]) -> None:
    number = works.alert().number

    response = works.client.post(f"/api/v1/alerts/{number}/acknowledge", json={"by": "Ines"}, headers=headers)

    assert response.status_code == 403
    assert works.get(f"/api/v1/alerts/{number}")["state"] == "unacknowledged"


def test_a_body_that_is_too_long_is_refused_whatever_it_says_of_its_length(works_with: Callable[..., Any]) -> None:
    client = works_with(largest_body=1000).client

    told = client.post("/api/v1/readings", content=b"x" * 1001, headers={"Content-Type": "text/csv"})
    untold = client.post("/api/v1/readings", content=iter([b"x" * 600] * 2), headers={"Content-Type": "text/csv"})
    form = client.post("/api/v1/alerts/1/close", content=iter([b"x" * 600] * 2))

    assert [told.status_code, untold.status_code, form.status_code] == [413, 413, 413]
    assert told.headers["content-type"] == untold.headers["content-type"] == "application/problem+json"


def test_a_body_packed_in_a_way_that_we_cannot_read_is_refused(works: Any) -> None:
    headers = {"Content-Type": "text/csv", "Content-Encoding": "br"}

    assert works.client.post("/api/v1/readings", content=b"", headers=headers).status_code == 415


def test_the_reference_page_is_that_of_the_routes(works: Any) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

    assert page == reference(works.get("/api/v1/openapi.json")), "python -m service.api.reference > docs/api.md"


def test_each_route_is_in_the_reference_page(works: Any) -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    paths = works.client.app.openapi()["paths"]

    assert len(paths) >= 20
    assert [path for path in paths if f" {path}\n" not in page] == []


def test_no_page_of_the_framework_loads_scripts_from_elsewhere(works: Any) -> None:
    assert works.client.get("/docs").status_code == works.client.get("/redoc").status_code == 404


def test_each_endpoint_but_the_one_that_waits_for_the_intake_runs_in_a_thread() -> None:
    rooms = (alerts, events, jobs, machines, models, plant, readings, runs, watch)
    pages = (alert_page, first_page, job_page, machine_page, model_page)
    routes = [route for each in (*rooms, *pages) for route in each.router.routes if isinstance(route, Route)]

    assert len(routes) >= 30
    assert [route.path for route in routes if inspect.iscoroutinefunction(route.endpoint)] == ["/readings"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("elsewhere.example", 421),
        ("elsewhere.example:8420", 421),
        ("127.0.0.1.elsewhere.example", 421),
        ("localhost@elsewhere.example", 421),
        ("testserver", 200),
        ("TestServer:8420", 200),
        ("localhost", 200),
        ("192.168.7.5:8420", 200),
        ("[::1]", 200),
    ],
)
def test_a_name_that_another_site_points_here_is_refused(works: Any, host: str, status: int) -> None:
    answer = works.client.get("/api/v1/plant", headers={"Host": host})

    assert answer.status_code == status
    if status == 421:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "ANDON_HOSTS" in answer.json()["detail"]
