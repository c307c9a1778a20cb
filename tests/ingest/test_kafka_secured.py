"""Encryption and proof of who one is, towards a Kafka broker: what is declared is what goes over the wire."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from ingest.errors import SourceError
from ingest.intake import Intake
from ingest.plant import Plant
from ingest.sources import kafka_connection
from ingest.sources.kafka_connection import Connection
from ingest.store import Store
from tests.ingest.kafka_plant import plant_at, stream_of
from tests.ingest.mqtt_plant import listening, wait_for
from tests.kafka_guard import running_guard

PASSWORD = "tr0ub4dor&3"  # noqa: S105
NAMED: Any = {"user_variable": "KAFKA_USER", "password_variable": "KAFKA_PASSWORD", "sasl": "plain"}
SECRETS = {"KAFKA_USER": "anna", "KAFKA_PASSWORD": PASSWORD}

MakeCertificate = Callable[[str], tuple[Path, Path]]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_connection, "WAIT_SECONDS", 1.0)


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    with Intake(store) as intake:
        yield intake


@pytest.fixture
def certificate(tmp_path: Path) -> MakeCertificate:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")

    def make(name: str) -> tuple[Path, Path]:
        made, key = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", made],
            check=True, capture_output=True,
        )  # fmt: skip
        return made, key

    return make


def why_not(plant: Plant, intake: Intake, until: Callable[[], bool], **environment: str) -> str:
    """Return why a stream cannot listen, and everything that was logged or raised, with its causes."""
    stream = stream_of(plant, **environment)
    with structlog.testing.capture_logs() as lines, listening(stream, intake) as errors:
        wait_for(lambda: until() and bool(errors))
    told = [stream.state.why, repr(stream), repr(stream.config), *map(str, lines)]
    for error in errors:
        cause: BaseException | None = error
        while cause is not None:
            told += [str(cause), repr(cause)]
            cause = cause.__cause__
    return "\n".join(told)


@pytest.mark.parametrize("sasl", ["plain", "scram-sha-256", "scram-sha-512"])
@pytest.mark.parametrize("tls", [False, True], ids=["open", "tls"])
def test_librdkafka_takes_every_way_of_proving_who_one_is(
    sasl: str, tls: bool, certificate: MakeCertificate, tmp_path: Path
) -> None:
    trusted = certificate("ca")[0].name if tls else ""
    (stream,) = plant_at("127.0.0.1:1", sasl=sasl, tls=tls, ca_file=trusted).kafka
    with Connection(stream, tmp_path, "g", "anna", PASSWORD) as connection:
        assert isinstance(connection, Connection)


def test_a_file_of_authorities_that_is_not_there_is_named(tmp_path: Path) -> None:
    (stream,) = plant_at("127.0.0.1:1", tls=True, ca_file="nowhere.pem").kafka
    with pytest.raises(SourceError, match=r"nowhere\.pem"):
        Connection(stream, tmp_path, "g", "anna", PASSWORD)


@pytest.mark.parametrize("tls", [False, True], ids=["open", "tls"])
def test_user_and_password_come_from_the_environment_to_the_broker_and_nowhere_else(
    tls: bool, intake: Intake, certificate: MakeCertificate, tmp_path: Path
) -> None:
    with running_guard(*certificate("ca") if tls else ()) as guard:
        plant = plant_at(guard.address, tls=tls, ca_file="ca.pem" if tls else "", **NAMED)
        plant = plant.model_copy(update={"folder": tmp_path})
        told = why_not(plant, intake, lambda: bool(guard.proofs), **SECRETS)
    assert set(guard.proofs) == {("anna", PASSWORD)}
    assert bool(guard.handshakes) == tls
    assert "the broker refuses" in told
    assert "unknown user" in told
    assert PASSWORD not in told
    assert PASSWORD not in plant.model_dump_json()


def test_a_broker_whose_certificate_nobody_trusts_is_told_nothing(
    intake: Intake, certificate: MakeCertificate, tmp_path: Path
) -> None:
    certificate("other")
    with running_guard(*certificate("own")) as guard:
        plant = plant_at(guard.address, tls=True, ca_file="other.pem", **NAMED)
        told = why_not(plant.model_copy(update={"folder": tmp_path}), intake, lambda: True, **SECRETS)
    assert "certificate verify failed" in told
    assert guard.proofs == []
    assert PASSWORD not in told
