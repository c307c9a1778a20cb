"""A stream at a real OPC UA server: every value that comes is durable, or says why it is not a reading."""

import ast
import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager

from ingest.errors import SourceError, StoreError
from ingest.intake import Intake
from ingest.plant_opcua import OpcuaNodes
from ingest.replay import replay
from ingest.sources import opcua_connection
from ingest.sources.opcua_connection import Came, Connection
from ingest.store import Store
from service.streams import Streams
from tests.ingest.held_inlet import HeldInlet
from tests.ingest.mqtt_plant import listening, wait_for
from tests.ingest.opcua_plant import VALUES, plant_at, stream_of
from tests.opcua_server import OpcuaServer, running_server
from tests.opcua_wire import READING, wire_to

ROOT = Path(__file__).parents[2]

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def one_server() -> Iterator[OpcuaServer]:
    with running_server(*VALUES) as server:
        yield server


@pytest.fixture
def server(one_server: OpcuaServer) -> OpcuaServer:
    one_server.reset()
    return one_server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    with Intake(store) as intake:
        yield intake


def rows(store: Store) -> list[tuple[str, datetime, float | None, float | None]]:
    table = store.read("press", signals=["a", "b"]).table
    return [(each["machine"], each["time"], each["a"], each["b"]) for each in table.to_pylist()]


def reasons(store: Store) -> list[str]:
    return sorted(each.letter.reason for each in store.dead_letters())


def test_values_become_readings_at_the_time_of_their_source(server: OpcuaServer, intake: Intake, store: Store) -> None:
    stream = stream_of(plant_at(server.url))
    with listening(stream, intake):
        server.set_all([("m1.a", float(each), BEGIN + timedelta(seconds=each), 0) for each in range(20)])
        server.set_all([("m2.b", 7.0, BEGIN + timedelta(seconds=each), 0) for each in range(3)])
        wait_for(lambda: stream.state.kept == 23)

    assert rows(store) == [
        *[("m1", BEGIN + timedelta(seconds=each), float(each), None) for each in range(20)],
        *[("m2", BEGIN + timedelta(seconds=each), None, 7.0) for each in range(3)],
    ]
    assert stream.state.why == "stopped"
    assert store.dead_letters() == []


def test_the_present_value_that_comes_with_each_connection_is_no_second_reading(
    server: OpcuaServer, intake: Intake, store: Store
) -> None:
    server.set("m1.a", 1.0, time=BEGIN)
    for _ in range(3):
        stream = stream_of(plant_at(server.url))
        with listening(stream, intake):
            wait_for(lambda stream=stream: stream.state.kept == 1)  # type: ignore[misc]

    assert rows(store) == [("m1", BEGIN, 1.0, None)]


def test_a_value_without_a_time_of_its_source_has_the_servers_or_that_of_its_arrival(
    server: OpcuaServer, intake: Intake, store: Store
) -> None:
    stream, before = stream_of(plant_at(server.url)), datetime.now(UTC)
    with listening(stream, intake):
        server.write("m1.a", ua.DataValue(ua.Variant(1.0), ServerTimestamp=BEGIN))
        server.write("m1.b", ua.DataValue(ua.Variant(2.0)))
        server.set("m2.a", 3.0, time=datetime(1601, 1, 1, tzinfo=UTC))  # what servers write for none
        wait_for(lambda: stream.state.kept == 3)

    first, *others = rows(store)
    assert first == ("m1", BEGIN, 1.0, None)
    assert all(before <= time <= datetime.now(UTC) for _, time, _, _ in others)


@pytest.mark.parametrize(
    ("value", "status", "reason"),
    [
        (3.0, ua.StatusCodes.BadSensorFailure, "its quality is BadSensorFailure"),
        (None, ua.StatusCodes.BadNotConnected, "its quality is BadNotConnected"),
        (3.0, ua.StatusCodes.UncertainLastUsableValue, "its quality is UncertainLastUsableValue"),
        (3.0, 0x80FF0000, "its quality is 0x80FF0000"),
        ("21.5", 0, "it is no number; only numbers can be readings"),
        ([1.0, 2.0, 3.0], 0, "it is no number; only numbers can be readings"),
        ([0.5] * 50_000, 0, "it is no number; only numbers can be readings"),
        (BEGIN, 0, "it is no number; only numbers can be readings"),
        (b"\xff\x00", 0, "it is no number; only numbers can be readings"),
        (float("nan"), 0, "it is not a number (NaN), although its quality is good"),
        (float("inf"), 0, "infinite; a reading is a finite number, or empty"),
        (2e6, 0, "outside the range of 'a': -1e+06 to 1e+06"),
        (None, 0, "it is empty, although its quality is good"),
    ],
)  # fmt: skip
def test_what_is_no_reading_is_a_letter_that_says_why_with_its_value_status_and_time(
    server: OpcuaServer, intake: Intake, store: Store, value: object, status: int, reason: str
) -> None:
    stream = stream_of(plant_at(server.url))
    with listening(stream, intake):
        server.set("m1.a", value, time=BEGIN, status=status)
        server.set("m1.b", 1.0, time=BEGIN)
        wait_for(lambda: stream.state.kept == 2)

    assert rows(store) == [("m1", BEGIN, None, 1.0)]
    (letter,) = [each.letter for each in store.dead_letters()]
    assert letter.reason == f"m1/a: {reason}"
    ((node, time, _, code),) = json.loads(letter.body)
    assert (node.rpartition(";")[2], time, code) == ("s=m1.a", 1_767_225_600_000_000, status)
    assert len(letter.body) < 2_000
    assert stream.state.letters == 1


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (True, 1.0),
        (ua.Variant(-7, ua.VariantType.Int16), -7.0),
        (ua.Variant(2**40 + 1, ua.VariantType.UInt64), 2.0**40 + 1),
        (ua.Variant(0.5, ua.VariantType.Float), 0.5),
    ],
)
def test_each_kind_of_number_is_a_reading(
    server: OpcuaServer, intake: Intake, store: Store, value: object, number: float
) -> None:
    stream = stream_of(plant_at(server.url))
    with listening(stream, intake):
        server.set("m1.b", value, time=BEGIN)
        wait_for(lambda: stream.state.kept == 1)

    assert rows(store) == [("m1", BEGIN, None, number)]


def test_a_time_ahead_is_a_letter(server: OpcuaServer, intake: Intake, store: Store) -> None:
    stream = stream_of(plant_at(server.url))
    with listening(stream, intake):
        server.set("m1.a", 1.0, time=datetime.now(UTC) + timedelta(days=1))
        wait_for(lambda: stream.state.letters == 1)

    assert "ahead" in reasons(store)[0]


def test_uncertain_values_are_readings_if_the_plant_file_says_so_and_letters_are_replayed(
    server: OpcuaServer, intake: Intake, store: Store
) -> None:
    stream = stream_of(plant_at(server.url))
    with listening(stream, intake):
        server.set_all(
            [
                ("m1.a", 1.0, BEGIN, ua.StatusCodes.UncertainSubNormal),
                ("m1.a", 2.0, BEGIN + timedelta(seconds=1), ua.StatusCodes.UncertainSubNormal),
                ("m1.b", 3.0, BEGIN, ua.StatusCodes.BadSensorFailure),
            ]
        )
        wait_for(lambda: stream.state.kept == 3)
    assert stream.state.letters == 2

    report = replay(store, plant_at(server.url, uncertain="keep"))

    assert (report.understood, report.staying) == (1, 1)
    assert rows(store) == [("m1", BEGIN, 1.0, None), ("m1", BEGIN + timedelta(seconds=1), 2.0, None)]


def test_a_value_that_does_not_change_is_read_again_with_each_new_time_unless_told_otherwise(
    server: OpcuaServer, intake: Intake, store: Store
) -> None:
    same = [("m1.a", 1.0, BEGIN + timedelta(seconds=each), 0) for each in range(3)]
    only = stream_of(plant_at(server.url, changes_only=True))
    with listening(only, intake):
        server.set_all([*same, ("m1.b", 1.0, BEGIN, 0)])
        wait_for(lambda: only.state.kept >= 2)
    server.reset()
    each = stream_of(plant_at(server.url))
    with listening(each, intake):
        server.set_all(same)
        wait_for(lambda: each.state.kept == 3)

    assert only.state.kept == 2


def test_an_overflow_at_the_server_is_counted_and_said(server: OpcuaServer, intake: Intake, store: Store) -> None:
    stream = stream_of(plant_at(server.url))
    with listening(stream, intake):
        server.set("m1.a", 1.0, time=BEGIN, status=0x480)  # good, but values before it were dropped
        wait_for(lambda: stream.state.kept == 1)
        assert stream.state.connected
        assert (
            "values are missing of nsu=http://works.example/;s=m1.a; if the server's queue was full"
            in stream.state.notice
        )

    assert stream.state.overflowed == 1
    assert rows(store) == [("m1", BEGIN, 1.0, None)]


def test_nodes_that_the_server_does_not_have_are_named_and_read_once_they_are_there(
    server: OpcuaServer, intake: Intake, store: Store
) -> None:
    nodes = OpcuaNodes(node="{signal}", machine="m1", signals={"a": "ns=2;s=m1.a", "b": "ns=2;s=late"})
    stream = stream_of(plant_at(server.url, nodes))
    with listening(stream, intake):
        assert stream.state.notice == "nodes are refused: ns=2;s=late (BadNodeIdUnknown)"
        server.set("m1.a", 1.0, time=BEGIN)
        server.add("late", 2.0)
        wait_for(lambda: stream.state.kept >= 2)
        wait_for(lambda: stream.state.notice == "")

    assert [each[2:] for each in rows(store)] == [(1.0, None), (None, 2.0)]


def test_a_node_that_the_server_takes_away_is_read_again_once_it_is_there_anew(intake: Intake, store: Store) -> None:
    with running_server(*VALUES) as server:
        stream = stream_of(plant_at(server.url))
        with listening(stream, intake):
            server.set("m1.a", 1.0, time=BEGIN)
            wait_for(lambda: stream.state.kept == 1)
            server.set("m1.a", None, status=0x80340000)
            server.take_away("m1.a")
            wait_for(lambda: "m1.a (BadNodeIdUnknown)" in stream.state.notice)
            server.put_back("m1.a")
            wait_for(lambda: stream.state.notice == "")
            server.set("m1.a", 2.0, time=BEGIN + timedelta(seconds=1))
            wait_for(lambda: len(rows(store)) == 2)

    assert [each[2] for each in rows(store)] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("node", "why"),
    [
        ("ns=2;s=nothing.{machine}.{signal}", "the server refuses all nodes: ns=2;s=nothing.m1.a (BadNodeIdUnknown)"),
        ("nsu=urn:nowhere;s={machine}.{signal}", "(the server has no such namespace)"),
    ],
)
def test_a_server_without_any_of_the_nodes_ends_the_run_and_says_so(
    server: OpcuaServer, intake: Intake, node: str, why: str
) -> None:
    with listening(stream_of(plant_at(server.url, OpcuaNodes(node=node))), intake) as errors:
        pass

    assert isinstance(errors[0], SourceError)
    assert why in str(errors[0])


def test_nothing_is_asked_for_that_could_change_anything_at_the_server(
    server: OpcuaServer, intake: Intake, store: Store
) -> None:
    with wire_to(server.port) as wire:
        stream = stream_of(plant_at(wire.url))
        with listening(stream, intake):
            server.set("m1.a", 1.0, time=BEGIN)
            wait_for(lambda: stream.state.kept == 1)

    assert {"CreateMonitoredItems", "Publish", "CloseSession"} <= wire.services
    assert wire.services <= READING


def test_a_connection_that_is_cut_ends_the_run_and_the_next_one_misses_nothing_that_stands(
    server: OpcuaServer, intake: Intake, store: Store
) -> None:
    with wire_to(server.port) as wire:
        stream = stream_of(plant_at(wire.url))
        with listening(stream, intake) as errors:
            server.set("m1.a", 1.0, time=BEGIN)
            wait_for(lambda: stream.state.kept == 1)
            wire.cut()
            wait_for(lambda: errors)
        assert f"{wire.url}: the connection is lost" in str(errors[0])
        assert not stream.state.connected
        server.set("m1.a", 2.0, time=BEGIN + timedelta(seconds=1))
        with listening(stream, intake):
            wait_for(lambda: stream.state.kept == 2)

    assert [each[2] for each in rows(store)] == [1.0, 2.0]


def test_nothing_is_acknowledged_before_it_is_durable(server: OpcuaServer, intake: Intake, store: Store) -> None:
    stream, inlet, before = stream_of(plant_at(server.url)), HeldInlet(intake), server.unacknowledged()
    with listening(stream, inlet):
        inlet.holding = True
        server.set("m1.a", 1.0, time=BEGIN)
        wait_for(lambda: inlet.held)
        server.set("m1.a", 2.0, time=BEGIN + timedelta(seconds=1))
        wait_for(lambda: server.unacknowledged() == before + 1)
        assert (stream.state.kept, len(inlet.held)) == (0, 1)  # and the next is not even asked for
        inlet.release()
        wait_for(lambda: stream.state.kept == 2)
        wait_for(lambda: server.unacknowledged() == before)

    assert [each[2] for each in rows(store)] == [1.0, 2.0]


def test_a_full_intake_makes_the_server_wait(server: OpcuaServer, intake: Intake, store: Store) -> None:
    stream, inlet = stream_of(plant_at(server.url)), HeldInlet(intake)
    with listening(stream, inlet) as errors:
        inlet.full = True
        for part in range(20):
            server.set_all([("m1.a", 1.0, BEGIN + timedelta(seconds=10 * part + each), 0) for each in range(5)])
        assert stream.state.received == 0
        inlet.full = False
        wait_for(lambda: stream.state.kept == 100)
        assert not errors

    assert len(rows(store)) == 100


def test_what_a_failing_store_did_not_keep_is_not_acknowledged(
    server: OpcuaServer, intake: Intake, store: Store
) -> None:
    stream, inlet = stream_of(plant_at(server.url)), HeldInlet(intake)
    with listening(stream, inlet) as errors:
        inlet.holding = True
        server.set("m1.a", 1.0, time=BEGIN)
        wait_for(lambda: inlet.held)
        inlet.held[0][1].set_exception(StoreError("the disk is full"))
        wait_for(lambda: errors)
    assert stream.state.why == "the disk is full"
    assert stream.state.kept == 0

    with listening(stream, intake):
        wait_for(lambda: stream.state.kept == 1)
    assert rows(store) == [("m1", BEGIN, 1.0, None)]


def test_a_server_that_is_away_or_is_none_is_said(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opcua_connection, "ANSWER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with listening(stream_of(plant_at(f"opc.tcp://127.0.0.1:{port}")), intake) as errors:
            pass
    assert str(errors[0]) == f"opc.tcp://127.0.0.1:{port}: the server does not answer"

    with listening(stream_of(plant_at(f"opc.tcp://127.0.0.1:{port}")), intake) as errors:
        pass
    assert isinstance(errors[0], SourceError)
    assert "no server answers" in str(errors[0])


def test_our_code_knows_no_way_to_write_or_call() -> None:
    changing = {
        *("write", "write_value", "write_values", "set_value", "set_writable", "write_attribute", "write_attributes"),
        *("write_params", "write_attribute_value", "call", "call_method", "add_nodes", "add_node", "delete_nodes"),
        *("delete", "add_variable", "add_object", "add_folder", "add_property", "add_references", "import_xml"),
        *("history_update", "register_server", "modify_monitored_items", "write_user_write_mask"),
    }
    simulation = ROOT / "ingest" / "simulation"  # there we are the server
    ours = [
        path
        for package in ("ingest", "features", "models", "service")
        for path in (ROOT / package).rglob("*.py")
        if "asyncua" in path.read_text(encoding="utf-8") and simulation not in path.parents
    ]
    assert [each.name for each in sorted(ours)] == [
        "opcua.py",
        "opcua_browse.py",
        "opcua_connection.py",
        "opcua_security.py",
    ]
    for path in ours:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)}
        assert not used & changing, path


def test_a_server_that_starts_anew_is_read_again_by_the_supervisor(intake: Intake, store: Store) -> None:
    with running_server(*VALUES) as server:
        streams = Streams([stream_of(plant_at(server.url))], intake, first_pause=0.05)
        streams.start()
        try:
            wait_for(lambda: streams.states()["line"].connected)
            server.set("m1.a", 1.0, time=BEGIN)
            wait_for(lambda: streams.states()["line"].kept == 1)
            server.stop()
            wait_for(lambda: not streams.states()["line"].connected)
            assert server.url in streams.states()["line"].why
            server.start()
            server.set("m1.a", 2.0, time=BEGIN + timedelta(seconds=1))
            wait_for(lambda: streams.states()["line"].kept == 2)
        finally:
            streams.stop()

    assert [each[2] for each in rows(store)] == [1.0, 2.0]


def test_users_and_encryption_are_as_the_plant_file_says(
    tmp_path: Path, intake: Intake, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("andon", "server"):
        certificate(tmp_path, name)

    async def secure(server: Server) -> None:
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        await server.set_application_uri("urn:andon:server")
        await server.load_certificate(str(tmp_path / "server.pem"))
        await server.load_private_key(tmp_path / "server.key", format="pem")

    more = {
        "security": "sign_and_encrypt",
        "certificate_file": str(tmp_path / "andon.pem"),
        "key_file": str(tmp_path / "andon.key"),
        "user_variable": "PLC_USER",
        "password_variable": "PLC_PASSWORD",
    }
    with running_server(*VALUES, users=Anna(), secure=secure) as server:
        server.set("m1.a", 1.0, time=BEGIN)
        pinned = {**more, "server_certificate_file": str(tmp_path / "server.pem")}
        for plant in (plant_at(server.url, **more), plant_at(server.url, **pinned)):
            stream = stream_of(plant, PLC_USER="anna", PLC_PASSWORD="geheim")  # noqa: S106
            with listening(stream, intake) as errors:
                wait_for(lambda stream=stream, errors=errors: stream.state.kept == 1 or errors)  # type: ignore[misc]
            assert errors == []
        monkeypatch.setattr(opcua_connection, "ANSWER_SECONDS", 1.5)
        other = {**more, "server_certificate_file": str(tmp_path / "andon.pem")}
        for wrong, environment, why in (
            (more, {"PLC_USER": "anna", "PLC_PASSWORD": "x"}, "the server refuses: BadUserAccessDenied"),
            (more, {"PLC_USER": "anna"}, "the environment has no PLC_PASSWORD, which password_variable names"),
            (other, {"PLC_USER": "anna", "PLC_PASSWORD": "geheim"}, "server"),
            ({}, {}, "no session with the server"),
        ):
            with listening(stream_of(plant_at(server.url, **wrong), **environment), intake) as errors:
                pass
            assert isinstance(errors[0], SourceError)
            assert why in str(errors[0])

    assert rows(store) == [("m1", BEGIN, 1.0, None)]


class Anna(UserManager):
    """Lets one person in."""

    def get_user(
        self, iserver: object, username: str | None = None, password: str | None = None, certificate: object = None
    ) -> User | None:
        return User(role=UserRole.User) if (username, password) == ("anna", "geheim") else None


def certificate(folder: Path, name: str) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=URI:urn:andon:{name},DNS:localhost", "-addext",
         "keyUsage=digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyCertSign",
         "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")],
        check=True, capture_output=True,
    )  # fmt: skip


def sent(number: int, *handles: int) -> ua.PublishResult:
    """Return what a server sends: a value for each handle."""
    items = [ua.MonitoredItemNotification(each, ua.DataValue(ua.Variant(1.0))) for each in handles]
    message = ua.NotificationMessage(number, NotificationData=[ua.DataChangeNotification(items)])
    return ua.PublishResult(NotificationMessage=message)


def test_a_message_that_cannot_be_read_is_noticed_and_one_of_nonsense_is_not_acknowledged() -> None:
    taken: list[Came] = []

    async def take(came: Came) -> None:
        taken.append(came)

    async def hear() -> str:
        stream = plant_at("opc.tcp://127.0.0.1:4840").opcua[0]
        connection = Connection(stream, Path(), None, None, lambda: datetime.now(UTC))
        connection._take, connection._nodes = take, ["i=1"]
        two_parts = sent(1, 0)
        two_parts.NotificationMessage.NotificationData *= 2
        await connection._came(two_parts)
        await connection._came(sent(3, 0))
        nonsense = asyncio.create_task(connection._came(sent(4, 99)))
        try:
            return await connection.lost(5.0)
        finally:
            assert not nonsense.done()  # it would be acknowledged when it is
            nonsense.cancel()

    with pytest.raises(IndexError):
        asyncio.run(hear())
    assert [each.missing for each in taken] == [[], [], ["nodes in 1 messages that cannot be read"]]
