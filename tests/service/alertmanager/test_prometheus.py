"""A real Prometheus evaluates a rule and posts it to Andon, which holds it until Prometheus says that it is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from service.access import keys, users
from service.access.reach import EVERYTHING
from service.access.role import Right, Role
from service.alerts import book
from service.alerts.alert import Alert, AlertState
from service.alerts.external.said import Said, said_of
from service.control_room import ControlRoom
from tests.alertmanager import running_andon, running_prometheus, wait_until

RULES = """
groups:
- name: works
  interval: 1s
  rules:
  - alert: OilHot
    expr: oil_temperature > 80
    labels: {severity: warning}
    annotations: {summary: "Oil of {{ $labels.machine }} is at {{ $value }} °C"}
"""
CONFIG = """
global: {{evaluation_interval: 1s, scrape_interval: 1s, external_labels: {{prometheus: ulm}}}}
scrape_configs:
- job_name: oil
  static_configs: [{{targets: ['{oil}'], labels: {{instance: oil}}}}]
rule_files: ['{rules}']
alerting:
  alertmanagers:
  - static_configs: [{{targets: ['{target}']}}]
    {access}
"""


class Gauge(BaseHTTPRequestHandler):
    """Says how hot the oil of a press is."""

    level = 90

    def do_GET(self) -> None:
        body = f'oil_temperature{{machine="press-2"}} {Gauge.level}\n'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def gauge() -> Iterator[str]:
    """Give the address of a gauge."""
    with HTTPServer(("127.0.0.1", 0), Gauge) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Site:
    """Andon, and what Prometheus has told it."""

    room: ControlRoom

    def alerts(self) -> list[Alert]:
        with self.room.state.read() as connection:
            return book.list_alerts(connection, states=tuple(AlertState))

    def said(self) -> Said:
        with self.room.state.read() as connection:
            return said_of(connection, [1])[1]


BEARER = "authorization: {{credentials: {key}}}"
BASIC = "basic_auth: {{username: prom, password: {key}}}"


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with running_andon(tmp_path / "andon") as (address, room):
        now = datetime.now(UTC)
        with room.state.write() as connection:
            users.add(connection, "Ada", role=Role.ADMIN, reach=EVERYTHING, at=now)
            wish = keys.Wish(name="prometheus", rights=(Right.TELL,), reach=EVERYTHING)
            key = keys.make(connection, wish, by="Ada", at=now)[1]
        folder = tmp_path / "prometheus"
        access = request.param.format(key=key)
        with gauge() as oil:
            Gauge.level = 90
            target = address.removeprefix("http://")
            config = CONFIG.format(rules=folder / "rules.yml", target=target, access=access, oil=oil)
            with running_prometheus(folder, config, RULES):
                yield Site(room)


@pytest.mark.parametrize("site", [BASIC], indirect=True)
def test_a_rule_fires_with_the_key_as_a_password(site: Site) -> None:
    wait_until(site.alerts, "the rule has fired")
    assert [each.machine for each in site.alerts()] == ["press-2"]


@pytest.mark.parametrize("site", [BEARER], indirect=True)
def test_a_rule_fires_is_repeated_without_a_trace_and_is_over(site: Site) -> None:
    wait_until(site.alerts, "the rule has fired")
    (alert,) = site.alerts()
    assert (alert.machine, alert.kind, alert.sentence) == ("press-2", "external", "Oil of press-2 is at 90 °C")
    assert dict(alert.labels) == {
        "alertname": "OilHot",
        "instance": "oil",
        "job": "oil", "machine": "press-2", "severity": "warning", "prometheus": "ulm"
    }  # fmt: skip
    first = site.said()

    wait_until(lambda: site.said() != first, "Prometheus has posted it again")
    second = site.said()
    wait_until(lambda: site.said() != second, "and again")

    with site.room.state.read() as connection:
        assert [each.happening.value for each in book.history(connection, 1)] == ["raised"]
    assert len(site.alerts()) == 1

    Gauge.level = 20
    wait_until(lambda: site.alerts()[0].state is AlertState.RETURNED, "it is over")
    with site.room.state.read() as connection:
        over = book.history(connection, 1)[-1]
    assert (over.happening.value, over.why) == ("condition over", "prometheus (key) says so")

    Gauge.level = 95
    wait_until(lambda: site.alerts()[0].state is AlertState.UNACKNOWLEDGED, "it is back")
    assert [each.number for each in site.alerts()] == [1]
