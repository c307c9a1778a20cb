"""Forwarding: what the edge took is at the centre once and in order, whatever answers on the way."""

import json
import shutil
import ssl
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ingest.dead_letter import DeadLetter
from ingest.delivery import Delivery
from ingest.errors import SettingError
from ingest.event import Event as Happening
from ingest.event import events_table
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.reading import Readings, readings_schema
from ingest.replay import replay
from ingest.spool import Spool
from ingest.store import Store
from service.api.events import SHOWN
from service.edge.aside import Aside
from service.edge.centre import Answer, Centre, Outcome
from service.edge.forwarder import Forwarder, Pauses, _Tries
from service.edge.load import EVENTS_IN_A_LOAD
from service.edge.piece_size import FIRST_PATIENCE, PieceSize
from tests.centre import LOSE, Proxy, Reply, running_centre, running_proxy
from tests.ingest.mqtt_plant import wait_for

TAKEN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
PROBLEM = {"Content-Type": "application/problem+json"}
SOON = Pauses(first=0.02, longest=0.05, patient=0.02)
UNREADABLE = Reply(
    422,
    json.dumps({"type": "urn:andon:unreadable-source", "title": "no", "status": 422, "detail": "no stream"}).encode(),
    PROBLEM,
    path="/api/v1/readings",
)


def plant_of(*machines: str) -> Plant:
    classes = [
        MachineClass(name="press", signals=[Signal(name="a"), Signal(name="b")]),
        MachineClass(name="pump", signals=[Signal(name="flow")]),
    ]
    return Plant(
        name="Works",
        classes=classes,
        machines=[Machine(name=each, machine_class="pump" if each.startswith("p") else "press") for each in machines],
    )


PLANT = plant_of("m1", "m2", "p1")


def readings(machine: str, values: dict[int, float], *, signal: str = "a", after: int = 0) -> Readings:
    """Readings of seconds, all of which arrived ``after`` seconds behind the first."""
    table = pa.table(
        {
            "machine": [machine] * len(values),
            "time": [TAKEN + timedelta(seconds=each) for each in values],
            "arrived": [TAKEN + timedelta(seconds=after)] * len(values),
            signal: list(values.values()),
        },
        schema=readings_schema((signal,)),
    )
    return Readings("pump" if machine.startswith("p") else "press", table)


def put(spool: Spool, *some: Readings, **more: Any) -> None:
    assert spool.put(Delivery(source="hall", readings=some, **more)).result(10).fresh


def values(store: Store, machine: str = "m1", signal: str = "a", kind: str = "press") -> list[float]:
    table = store.read(kind, machines=[machine], signals=[signal]).table
    return [each for each in table[signal].to_pylist() if each is not None]


@pytest.fixture(scope="module")
def shared_centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Store]]:
    """One for all tests whose edge sends the same content, so that doubling it would show."""
    with running_centre(PLANT, tmp_path_factory.mktemp("centre")) as found:
        yield found


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[tuple[int, Store]]:
    with running_centre(PLANT, tmp_path / "centre") as found:
        yield found


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool") as found:
        yield found


@contextmanager
def forwarding(spool: Spool, address: str, *, pauses: Pauses = SOON, **more: Any) -> Iterator[Forwarder]:
    stop = Event()
    aside = more.pop("aside", Aside(spool.folder / "aside"))
    forwarder = Forwarder(
        spool,
        Centre(address, **more),
        aside,
        clock=lambda: datetime.now(UTC),
        random=Random(1),  # noqa: S311
        pauses=pauses,
    )
    thread = Thread(target=forwarder.run, args=(stop,))
    thread.start()
    try:
        yield forwarder
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def drained(spool: Spool) -> Callable[[], bool]:
    return lambda: spool.unsettled == 0


def test_readings_events_and_dead_letters_are_at_the_centre_as_the_edge_took_them(
    spool: Spool, centre: tuple[int, Store]
) -> None:
    port, store = centre
    happened = Happening(machine="m1", kind="stop", time=TAKEN, end=TAKEN + timedelta(hours=1), value=2.0, note="ü")
    letter = DeadLetter(kind="mqtt", body=b"\xff\x00", reason="no number", arrived=TAKEN, head={"topic": "a/b"})
    put(spool, readings("m1", {0: 1.0, 1: 2.0}), readings("p1", {0: 9.0}, signal="flow"))
    put(
        spool, readings("m1", {1: 3.0}, after=60), readings("m1", {1: 4.0}, signal="b"), events=events_table([happened])
    )
    put(spool, dead_letters=(letter,))

    with forwarding(spool, f"http://127.0.0.1:{port}") as forwarder:
        wait_for(drained(spool))

    table = store.read("press").table
    assert table["a"].to_pylist() == [1.0, 3.0]
    assert table["b"].to_pylist() == [None, 4.0]
    assert values(store, "p1", "flow", "pump") == [9.0]
    assert table["arrived"].to_pylist()[0] == TAKEN
    assert store.events().to_dict("records") == events_table([happened]).to_dict("records")
    (kept,) = store.dead_letters(limit=10)
    assert (kept.source, kept.letter) == ("hall", letter)
    assert (forwarder.progress.accepted, forwarder.progress.rejected, forwarder.progress.problem) == (8 - 1, 0, "")


def test_a_reading_that_arrived_at_the_edge_later_than_now_arrived_now(spool: Spool, centre: tuple[int, Store]) -> None:
    port, store = centre
    put(spool, readings("m1", {0: 1.0}, after=86_400))

    with forwarding(spool, f"http://127.0.0.1:{port}"):
        wait_for(drained(spool))

    (arrived,) = store.read("press").table["arrived"].to_pylist()
    assert abs(arrived - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_answer_that_is_lost_doubles_nothing_and_the_request_is_the_same(
    spool: Spool, centre: tuple[int, Store]
) -> None:
    port, store = centre
    letter = DeadLetter(kind="mqtt", body=b"?", reason="no number", arrived=TAKEN)
    event = events_table([Happening(machine="m1", kind="stop", time=TAKEN)])
    put(spool, readings("m1", {0: 1.0}), events=event, dead_letters=(letter,))

    with running_proxy(port) as proxy:
        proxy.replies += [LOSE, LOSE, LOSE, LOSE, LOSE, LOSE]
        with forwarding(spool, proxy.address):
            wait_for(drained(spool))

        assert len(proxy.asked) > 6
        assert len({(path, key) for path, key, *_ in proxy.asked}) == 3
    assert store.counts().readings == 1
    assert len(store.events()) == 1
    assert len(store.dead_letters(limit=10)) == 1


def test_after_a_crash_the_same_request_is_made_again(tmp_path: Path, centre: tuple[int, Store]) -> None:
    port, store = centre
    with running_proxy(port) as proxy:
        proxy.replies.append(Reply(503, for_ever=True))
        with Spool(tmp_path / "a") as spool:
            put(spool, readings("m1", {0: 1.0}))
            with forwarding(spool, proxy.address):
                wait_for(lambda: proxy.asked)
                put(spool, readings("m1", {1: 2.0}))
            shutil.copytree(tmp_path / "a", tmp_path / "b")  # as the disk is at this moment
        proxy.replies.clear()
        with Spool(tmp_path / "b") as spool, forwarding(spool, proxy.address):
            wait_for(drained(spool))

        first, *_, last = proxy.keys()
        assert first.endswith(":1-1:r0:0+1")
        assert set(proxy.keys()) == {first, last}
    assert values(store) == [1.0, 2.0]


def test_a_proxy_that_takes_little_gets_small_pieces_in_order(spool: Spool, centre: tuple[int, Store]) -> None:
    port, store = centre
    random = Random(1)  # noqa: S311
    many = {each: random.random() for each in range(2000)}
    put(spool, readings("m1", many), readings("m1", {0: 7.0, 1999: 8.0}, after=1))

    with running_proxy(port) as proxy:
        proxy.replies.append(Reply(413, over=6000, for_ever=True))
        with forwarding(spool, proxy.address):
            wait_for(drained(spool))
        sizes = [size for *_, size, _ in proxy.asked]
    assert [size > 6000 for size in sizes] == sorted((size > 6000 for size in sizes), reverse=True)
    assert len(sizes) < 20
    assert values(store) == [7.0, *list(many.values())[1:-1], 8.0]


def test_after_small_pieces_went_well_larger_ones_are_tried_again(spool: Spool, centre: tuple[int, Store]) -> None:
    port, store = centre
    with running_proxy(port) as proxy:
        proxy.replies.append(Reply(413))
        with forwarding(spool, proxy.address):
            for lap in range(FIRST_PATIENCE):
                put(spool, readings("m1", {8 * lap + each: float(each) for each in range(8)}))
                wait_for(drained(spool))
    sizes = [int(key.rpartition("+")[2]) for _, key, *_ in proxy.asked]
    assert (sizes[:3], sizes[-1]) == ([8, 4, 4], 8)
    assert len(values(store)) == 8 * FIRST_PATIENCE


def test_a_size_that_is_refused_again_is_tried_ever_less_often() -> None:
    size = PieceSize()
    sent = 0
    tries: list[int] = []
    while len(tries) < 5:
        sent += 1
        if (rows := size.most(1000)) > 600:
            size.too_large(rows)
            tries.append(sent)
        else:
            size.taken(rows)
    assert np.diff(tries).tolist() == [17, 33, 65, 129]


STRANGE = {
    "a redirect": Reply(302, headers={"Location": "https://elsewhere.example"}),
    "no rights": Reply(401),
    "another name": Reply(421, b'{"status": 421, "detail": "not called so"}', PROBLEM),
    "a page": Reply(200, b"<html>Please log in</html>", {"Content-Type": "text/html"}),
    "other JSON": Reply(200, b"[1, 2]", {"Content-Type": "application/json"}),
    "a refusal that is not ours": Reply(422, b'{"error": "blocked"}', {"Content-Type": "application/json"}),
    "nothing there": Reply(404),
    "too much at once": Reply(429, headers={"Retry-After": "0"}),
    "away": Reply(502),
    "a strange wait": Reply(503, headers={"Retry-After": "soon"}),
}


@pytest.mark.parametrize("reply", STRANGE.values(), ids=STRANGE)
def test_an_answer_that_is_no_receipt_is_said_and_settles_nothing(
    spool: Spool, shared_centre: tuple[int, Store], reply: Reply
) -> None:
    port, store = shared_centre
    put(spool, readings("m1", {0: 1.0, 1: 2.0}))
    with running_proxy(port) as proxy:
        proxy.replies += [reply] * 3
        proxy.replies.append(Reply(**{**vars(reply), "for_ever": True}))
        with forwarding(spool, proxy.address) as forwarder:
            wait_for(lambda: len(proxy.asked) > 4)
            assert spool.unsettled == 1
            assert f"answers {reply.status}" in forwarder.progress.problem
            assert forwarder.progress.waiting_since == TAKEN
            proxy.replies.clear()
            wait_for(drained(spool))
            assert forwarder.progress.problem == ""
    assert values(store) == [1.0, 2.0]
    assert not (spool.folder / "aside").exists()


def test_a_wait_that_the_centre_asks_for_is_kept(spool: Spool, shared_centre: tuple[int, Store]) -> None:
    port, _ = shared_centre
    put(spool, readings("m1", {0: 1.0, 1: 2.0}))
    with running_proxy(port) as proxy:
        proxy.replies.append(Reply(503, headers={"Retry-After": "1"}))
        with forwarding(spool, proxy.address):
            wait_for(drained(spool))
        (*_, first), (*_, second) = proxy.asked
    assert second - first >= 1.0


def test_tries_come_ever_less_often_and_never_sooner_than_asked() -> None:
    tries = _Tries(Pauses(first=1, longest=8, patient=60), Random(1))  # noqa: S311
    away = Answer(Outcome.BUSY)

    pauses = [tries.pause(away) for _ in range(8)]

    for pause, most in zip(pauses, [1, 2, 4, 8, 8, 8, 8, 8], strict=True):
        assert most / 2 <= pause <= most
    assert 20 <= tries.pause(Answer(Outcome.BUSY, wait=20)) <= 22
    assert tries.pause(Answer(Outcome.BUSY, wait=1e9)) <= 4000
    assert 60 <= tries.pause(Answer(Outcome.ASTRAY)) <= 90


def test_what_the_centre_refuses_as_a_whole_is_a_dead_letter_there_that_can_be_replayed(
    spool: Spool, centre: tuple[int, Store]
) -> None:
    port, store = centre
    put(spool, readings("m1", {0: 1.0, 1: 2.0}))
    put(spool, readings("m2", {0: 5.0}))
    with running_proxy(port) as proxy:
        proxy.replies.append(UNREADABLE)
        with forwarding(spool, proxy.address):
            wait_for(drained(spool))

    (kept,) = store.dead_letters(limit=10)
    assert "no stream" in kept.letter.reason
    assert values(store) == []
    assert replay(store, PLANT).understood == 1
    assert (values(store), values(store, "m2")) == ([1.0, 2.0], [5.0])


def test_what_the_centre_takes_in_no_form_is_put_aside_and_the_next_goes_on(
    spool: Spool, centre: tuple[int, Store]
) -> None:
    port, store = centre
    letter = DeadLetter(kind="mqtt", body=b"\xff" * 5000, reason="large", arrived=TAKEN)
    put(spool, dead_letters=(letter,))
    with running_proxy(port) as proxy:
        proxy.replies.append(Reply(413, over=4000, for_ever=True))
        with forwarding(spool, proxy.address):
            wait_for(drained(spool))
            put(spool, readings("m1", {0: 1.0}))
            wait_for(drained(spool))

    assert values(store) == [1.0]
    (path,) = (spool.folder / "aside").glob("*")
    found = json.loads(path.read_text())
    (inside,) = json.loads(b64decode(found["base64"]))["letters"]
    assert b64decode(inside["base64"]) == letter.body
    assert "413" in found["reason"]


def test_a_letter_that_the_centre_refuses_takes_no_other_with_it(spool: Spool, centre: tuple[int, Store]) -> None:
    port, store = centre
    heads = [{"topic": "a"}, {str(each): "" for each in range(101)}, {"topic": "b"}]
    letters = [
        DeadLetter(kind="mqtt", body=b"%d" % place, reason="?", arrived=TAKEN, head=head)
        for place, head in enumerate(heads)
    ]
    put(spool, dead_letters=tuple(letters))

    with forwarding(spool, f"http://127.0.0.1:{port}"):
        wait_for(drained(spool))

    assert [each.letter for each in store.dead_letters(limit=10)] == [letters[0], letters[2]]
    (path,) = (spool.folder / "aside").glob("*")
    assert "answers 422" in json.loads(path.read_text())["reason"]


def test_when_nothing_more_can_be_put_aside_nothing_is_sent_and_nothing_lost(
    spool: Spool, centre: tuple[int, Store]
) -> None:
    port, store = centre
    put(spool, dead_letters=(DeadLetter(kind="mqtt", body=b"\xff" * 5000, reason="large", arrived=TAKEN),))
    with running_proxy(port) as proxy:
        proxy.replies.append(Reply(413, over=4000, for_ever=True))
        aside = Aside(spool.folder / "aside", most_bytes=1000)
        with forwarding(spool, proxy.address, aside=aside) as forwarder:
            wait_for(lambda: "is full" in forwarder.progress.problem)
            assert spool.unsettled == 1
            proxy.replies.clear()
            wait_for(drained(spool))
    assert len(store.dead_letters(limit=10)) == 1


def test_rows_and_events_of_a_machine_that_the_centre_does_not_know_are_letters_there(
    spool: Spool, centre: tuple[int, Store]
) -> None:
    port, store = centre
    events = [Happening(machine=name, kind="stop", time=TAKEN) for name in ("m1", "m9", "m8")]
    put(spool, readings("m1", {0: 1.0}), readings("m9", {0: 5.0}), events=events_table(events))
    put(spool, readings("m9", {1: 6.0}), events=events_table(events[1:2]))

    with forwarding(spool, f"http://127.0.0.1:{port}") as forwarder:
        wait_for(drained(spool))

    assert values(store) == [1.0]
    assert list(store.events()["machine"]) == ["m1"]
    assert forwarder.progress.rejected >= 4
    letters = store.dead_letters(limit=10)
    told = sorted(json.loads(each.letter.body)["machine"] for each in letters if each.letter.kind == "event")
    assert told == ["m8", "m9"]  # the same event again is the same letter
    assert all("m8" in each.letter.reason or "m9" in each.letter.reason for each in letters)
    replay(store, plant_of("m1", "m9"))
    assert values(store, "m9") == [5.0, 6.0]
    assert store.read("press", machines=["m9"]).table["arrived"].to_pylist() == [TAKEN] * 2


def test_a_load_has_no_more_events_than_the_centre_lists_faults_of() -> None:
    assert EVENTS_IN_A_LOAD <= SHOWN


def test_a_key_that_is_known_with_other_bytes_has_been_kept(spool: Spool, centre: tuple[int, Store]) -> None:
    port, store = centre
    put(spool, readings("m1", {0: 1.0}))
    known = {"type": "urn:andon:other-content", "title": "known", "status": 422}
    with running_proxy(port) as proxy:
        proxy.replies.append(Reply(422, json.dumps(known).encode(), PROBLEM))
        with forwarding(spool, proxy.address):
            wait_for(drained(spool))
    assert store.dead_letters(limit=10) == []


def test_a_centre_that_is_away_is_waited_for(spool: Spool, tmp_path: Path) -> None:
    with Proxy(1) as closed:
        address = closed.address
    put(spool, readings("m1", {0: 1.0}))
    with forwarding(spool, address) as forwarder:
        wait_for(lambda: "refused" in forwarder.progress.problem)
        assert spool.unsettled == 1


def test_a_centre_is_trusted_through_the_authority_that_is_named_and_through_no_other(
    spool: Spool, shared_centre: tuple[int, Store], tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "ca.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    put(spool, readings("m1", {0: 1.0, 1: 2.0}))
    with running_proxy(shared_centre[0]) as proxy:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
        proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
        address = proxy.address.replace("http:", "https:")
        with forwarding(spool, address) as forwarder:
            wait_for(lambda: "not trusted" in forwarder.progress.problem)
            assert spool.unsettled == 1
        with forwarding(spool, address, ca_file=tmp_path / "ca.pem"):
            wait_for(drained(spool))


@pytest.mark.parametrize(
    "address",
    ["central:8420", "ftp://c", "http://", "http://c:port", "http://c/?q=1", "", "http://u:p@c", "http://a..b"],
)
def test_an_address_that_is_none_is_said(address: str) -> None:
    with pytest.raises(SettingError, match="no address of a centre"):
        Centre(address)


def test_a_file_of_authorities_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="authorities"):
        Centre("https://c", ca_file=tmp_path / "none.pem")


def test_a_token_that_no_header_may_have_is_said() -> None:
    for token in ("a\nb", "schlüssel"):
        with pytest.raises(SettingError, match="token"):
            Centre("https://c", token=token)
