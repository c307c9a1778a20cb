"""Object storage as the place of the lake: what is asked for, what is said when it fails, whose it is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import object_store
from ingest.delivery import Delivery
from ingest.errors import DamagedError, IntakeFullError, StoreError
from ingest.intake import Intake
from ingest.object_address import read_address
from ingest.object_store import ObjectStore
from ingest.store import Store
from tests.ingest.conftest import MakeReadings, put_content
from tests.object_server import KEY, SECRET, ObjectServer, object_server

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server() -> Iterator[ObjectServer]:
    with object_server() as server:
        yield server


def filled(folder: Path, server: ObjectServer, make_readings: MakeReadings, name: str = "hall") -> Store:
    store = Store(folder, lake=server.address(name))
    store.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="1")
    store.seal()
    return store


def test_nothing_of_the_lake_is_left_on_this_computer(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings
) -> None:
    filled(tmp_path, server, make_readings).close()

    assert len(server.names()) == 1
    assert list(tmp_path.rglob("*.parquet")) == []


def test_a_machine_is_read_with_few_requests_and_its_own_part_of_a_file_only(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "TAIL_BYTES", 1000)
    store = Store(tmp_path, lake=server.address())
    rows = [
        (f"m{machine}", float(minute), {"a": (machine + minute) ** 0.5, "b": minute**0.5})
        for machine in range(20)
        for minute in range(4100)
    ]
    store.append(make_readings(rows), source="s", position="1")
    store.seal()
    server.asked.clear()
    server.sent = 0

    assert store.read("press", machines=["m3"]).table.num_rows == 4100
    cold = server.asked.total()
    assert store.read("press", machines=["m3"], signals=["a"]).table.num_rows == 4100

    size = sum(len(server.objects[name]) for name in server.names())
    segments = len(server.names())
    # The end of each file, and the rest of what it says about itself; then the parts of the machine in it.
    assert cold <= 3 * segments
    assert server.asked.total() - cold <= segments
    assert server.sent < size / 4
    store.close()


def test_an_object_that_was_cut_off_after_its_end_was_read_is_damaged(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "TAIL_BYTES", 8)
    store = filled(tmp_path, server, make_readings)
    assert store.read("press").table.num_rows == 1
    (name,) = server.names()
    server.objects[name] = server.objects[name][:4]

    with pytest.raises(DamagedError, match="damaged"):
        store.read("press")
    store.close()


def test_an_object_that_is_gone_is_asked_for_twice_only(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings
) -> None:
    filled(tmp_path, server, make_readings).close()
    store = Store(tmp_path, lake=server.address())
    (name,) = server.names()
    del server.objects[name]
    server.asked.clear()

    with pytest.raises(StoreError, match="in the catalogue but not there"):
        store.read("press")
    # The second time might have found another file in its place.
    assert server.asked["GET", name] <= 2
    store.close()


def test_a_list_of_several_pages_is_read_to_its_end(tmp_path: Path, server: ObjectServer) -> None:
    server.page = 3
    server.objects |= {f"hall/lake/press/{number}.parquet": b"x" for number in range(8)}
    server.objects["hall-2/lake/press/other.parquet"] = b"x"

    place = ObjectStore(server.address(), outbox=tmp_path)

    assert place.paths() == [f"press/{number}.parquet" for number in range(8)]


def test_while_nobody_answers_readings_are_taken_and_sealed_later(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings
) -> None:
    filled(tmp_path, server, make_readings).close()
    server.stop()
    store = Store(tmp_path, lake=server.address())

    assert store.append(make_readings([("m2", 1, {"a": 2.0})]), source="s", position="2")
    with pytest.raises(StoreError, match=r"s3://lake/hall at http\S+: cannot be used .* is it running"):
        store.seal()
    with pytest.raises(StoreError, match="cannot be used"):
        store.read("press")
    assert store.waiting() > 0

    server.start()
    store.seal()
    assert store.waiting() == 0
    assert store.read("press").table["machine"].to_pylist() == ["m1", "m2"]
    store.close()


def test_the_intake_goes_on_until_the_log_is_full_and_then_says_why(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings
) -> None:
    store = filled(tmp_path, server, make_readings)
    server.stop()
    taken: list[int] = []

    def put(intake: Intake, wait: float) -> None:
        readings = make_readings([("m2", len(taken), {"a": 1.0})])
        intake.put(Delivery(source="s", readings=(readings,)), wait=wait).result(timeout=10)
        taken.append(1)

    def fill(intake: Intake) -> None:
        while True:
            put(intake, wait=0.0)

    told: list[str | None] = []
    with Intake(
        store, cells_in_the_log=10_000, seal_seconds=0.01, tell=lambda work, failed: told.append(failed)
    ) as intake:
        while "sealing" not in intake.failed:
            put(intake, wait=0.0)
        with pytest.raises(IntakeFullError, match=r"log is full .*s3://lake/hall at \S+: cannot be used"):
            fill(intake)
        server.start()
        put(intake, wait=20.0)
    assert len([each for each in told if each]) == 1
    assert told[-1] is None
    assert store.read("press", machines=["m2"]).table.num_rows == len(taken) > 1000
    store.close()


@pytest.mark.parametrize(
    ("status", "said"), [(403, "refuses us"), (401, "refuses us"), (500, "500 Internal Server Error"), (503, "503")]
)
def test_what_the_server_says_is_one_line(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings, status: int, said: str
) -> None:
    store = filled(tmp_path, server, make_readings)
    store.close()
    again = Store(tmp_path, lake=server.address())
    server.fails = lambda method, name: status

    for use in (again.seal, lambda: again.read("press"), again.find_damage):
        with pytest.raises(StoreError, match=said) as raised:
            use()
        assert "\n" not in str(raised.value)
    again.close()


def test_a_bucket_that_is_not_there_is_said(tmp_path: Path, server: ObjectServer, make_readings: MakeReadings) -> None:
    store = Store(tmp_path, lake=server.address(bucket="none"))
    store.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="1")
    with pytest.raises(StoreError, match="there is no such bucket"):
        store.seal()
    store.close()


def test_a_wrong_key_is_said_and_no_secret_is_ever_shown(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings
) -> None:
    address = server.address().replace(KEY, "other-key")
    store = Store(tmp_path, lake=address)
    store.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="1")

    with pytest.raises(StoreError, match="refuses us") as raised:
        store.seal()
    error: BaseException | None = raised.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__ or error.__context__
    assert SECRET not in repr(read_address(address))
    store.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense", "is no address"),
        ("http://host/bucket", "is no address"),
        ("s3://", "is no address"),
        ("s3://key:secret@", "is no address"),
        ("s3://[secret", "is no address"),
        ("s3://key:secret@bucket?end=http://host", "option 'end'; there are endpoint and region"),
        ("s3://key:secret@bucket?endpoint=host:9000", "endpoint without http"),
        ("s3://bucket?endpoint=http://key:secret@host", "key in its endpoint"),
        ("s3://key@bucket", "key without a secret"),
        ("s3://bucket?endpoint=http://host", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_an_address_that_cannot_be_used_is_said_without_being_shown(
    tmp_path: Path, address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(StoreError, match=said) as raised:
        Store(tmp_path / "data", lake=address)
    assert str(raised.value).startswith("ANDON_LAKE")
    assert "secret@" not in str(raised.value).replace("s3://key:secret@bucket,", "")
    assert not (tmp_path / "data").exists()


def test_key_and_secret_may_come_from_the_environment(
    tmp_path: Path, server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    place = ObjectStore(server.address().replace(f"{KEY}:{SECRET}@", ""), outbox=tmp_path)

    assert place.paths() == []


def test_a_secret_may_have_any_character() -> None:
    address = read_address("s3://key:a%2Fb%40c%3Ad%25@bucket/a/b/?region=plant&endpoint=https://host:1/")

    assert (address.key, address.secret) == ("key", "a/b@c:d%")
    assert (address.bucket, address.folder, address.region) == ("bucket", "a/b", "plant")
    assert address.name == "s3://bucket/a/b at https://host:1"


def test_two_catalogues_do_not_share_a_place(tmp_path: Path, server: ObjectServer, make_readings: MakeReadings) -> None:
    filled(tmp_path / "one", server, make_readings).close()
    other = Store(tmp_path / "other", lake=server.address())
    other.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="1")

    for change in (other.seal, other.find_damage):
        with pytest.raises(StoreError, match="holds the readings of another catalogue"):
            change()
    assert len(server.names()) == 1
    other.close()
    assert filled(tmp_path / "third", server, make_readings, "apart").read("press").table.num_rows == 1


def test_files_do_not_move_because_a_setting_changed(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings
) -> None:
    filled(tmp_path / "objects", server, make_readings).close()
    with pytest.raises(StoreError, match=r"lie in s3://lake/hall at \S+; set ANDON_LAKE"):
        Store(tmp_path / "objects")

    folder = Store(tmp_path / "folder")
    folder.append(make_readings([("m1", 0, {"a": 1.0})]), source="s", position="1")
    folder.seal()
    folder.close()
    with pytest.raises(StoreError, match="lie in a folder, and nothing is moved"):
        Store(tmp_path / "folder", lake=server.address("new"))

    elsewhere = Store(tmp_path / "objects", lake=server.address("elsewhere"))
    with pytest.raises(StoreError, match="is not where the sealed readings of"):
        elsewhere.seal()
    elsewhere.close()


def test_the_same_files_may_come_to_have_another_address(
    tmp_path: Path, server: ObjectServer, make_readings: MakeReadings
) -> None:
    filled(tmp_path, server, make_readings).close()
    server.objects |= {name.replace("hall/", "moved/", 1): body for name, body in server.objects.items()}

    store = Store(tmp_path, lake=server.address("moved"))
    store.append(make_readings([("m2", 0, {"a": 1.0})]), source="s", position="2")
    store.seal()

    assert store.read("press").table.num_rows == 2
    store.close()


def test_without_the_package_the_message_names_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['obstore'] = None\n"
        "from pathlib import Path\n"
        "from ingest.errors import StoreError\n"
        "from ingest.store import Store\n"
        "try:\n"
        "    Store(Path(sys.argv[1]), lake='s3://k:s@bucket')\n"
        "except StoreError as error:\n"
        "    print(error)\n"
        "Store(Path(sys.argv[1])).close()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == "Object storage needs a package that is not installed; run: pip install 'andon[objects]'\n"


def test_an_upload_that_breaks_off_leaves_neither_an_object_nor_parts_of_one(
    tmp_path: Path, server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_store, "CHUNK_BYTES", 5 << 20)
    place = ObjectStore(server.address(), outbox=tmp_path)
    puts: list[str] = []

    def third(method: str, name: str) -> int | None:
        if method == "PUT":
            puts.append(name)
        return 403 if len(puts) == 3 and method == "PUT" else None

    server.fails = third
    with pytest.raises(StoreError, match="refuses us"):
        put_content(place, "press/a.parquet", bytes(21 << 20))

    assert (len(puts) >= 3, server.objects, server.uploads) == (True, {}, {})
    assert list(tmp_path.iterdir()) == []
