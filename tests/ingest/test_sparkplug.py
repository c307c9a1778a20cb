"""Sparkplug B: births, aliases, data, deaths, and what is asked for when something is missing."""

import struct
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import paho.mqtt.client as paho
import pytest

from ingest.catalogue import to_microseconds
from ingest.decode.mqtt import Message
from ingest.decode.sparkplug_payload import message_class, read_payload, rebirth_command, signed
from ingest.delivery import Delivery
from ingest.errors import SourceError
from ingest.intake import Intake
from ingest.plant import Machine, MachineClass, Plant, Signal
from ingest.plant_mqtt import Mqtt, Sparkplug
from ingest.replay import replay
from ingest.sources.sparkplug_host import Heard, SparkplugHost
from ingest.store import Store
from tests.broker import running_broker
from tests.ingest.mqtt_plant import listening, stream_of, wait_for

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 6, 1, tzinfo=UTC)
MS = to_microseconds(NOW) // 1000
FLOAT, INT32 = 9, 3


def plant(port: int = 1883, machines: Sequence[str] = ("press-7", "press-8"), **config: Any) -> Plant:
    press = MachineClass(name="press", signals=[Signal(name="temperature"), Signal(name="count")])
    return Plant(
        name="Works",
        classes=[press],
        machines=[Machine(name=each, machine_class="press") for each in machines],
        mqtt=[Mqtt(name="spb", host="127.0.0.1", port=port, sparkplug=Sparkplug(**config))],
    )


def payload(sequence: int | None, *metrics: dict[str, Any], time: int = MS) -> bytes:
    made = message_class("Payload")(timestamp=time)
    if sequence is not None:
        made.seq = sequence
    for each in metrics:
        quality = each.pop("quality", None)
        metric = made.metrics.add(**each)
        if quality is not None:
            metric.properties.keys.append("Quality")
            metric.properties.values.add(int_value=quality)
    return made.SerializeToString()


def node_birth(session: int = 0) -> bytes:
    return payload(
        0, {"name": "bdSeq", "long_value": session}, {"name": "Node Control/Rebirth", "boolean_value": False}
    )


def device_birth(sequence: int = 1) -> bytes:
    return payload(
        sequence,
        {"name": "temperature", "alias": 1, "datatype": FLOAT, "float_value": 20.0},
        {"name": "count", "alias": 2, "datatype": INT32, "int_value": 2**32 - 5},
        {"name": "Properties/Maker", "string_value": "ACME"},
    )


class Floor:
    """A host that hears messages one after the other."""

    def __init__(self, known: Plant | None = None, **config: Any) -> None:
        self.plant = known or plant(**config)
        self.host = SparkplugHost(self.plant.mqtt[0], self.plant, {})
        self.count = 0

    def hear(self, *messages: tuple[str, bytes], later: timedelta = timedelta(0)) -> Heard:
        came = []
        for topic, body in messages:
            self.count += 1
            stamp = to_microseconds(NOW + later) + self.count
            came.append(Message(f"spBv1.0/{topic}".encode(), body, stamp))
        return self.host.hear(came, NOW + later + timedelta(seconds=1))


BORN = (("ulm/NBIRTH/edge", node_birth()), ("ulm/DBIRTH/edge/press-7", device_birth()))


def cells(heard: Heard) -> list[tuple[str, datetime, str, float]]:
    return sorted(
        (row["machine"], row["time"], name, row[name])
        for each in heard.readings
        for row in each.table.to_pylist()
        for name in each.signals
        if row[name] is not None
    )


def test_the_payload_is_read_as_the_specification_numbers_its_fields() -> None:
    metric = b"\x0a\x01t" + b"\x10\x07" + b"\x18\x05" + b"\x20\x09" + b"\x65" + struct.pack("<f", 1.5)
    unknown = b"\x8a\x01\x00"  # a data set, which is passed over
    body = b"\x08\x2a" + b"\x12" + bytes([len(metric + unknown)]) + metric + unknown + b"\x18\x03"

    read = read_payload(body)

    assert read.sequence == 3
    assert read.metrics == [("t", 7, 5, 9, 1.5)]
    with pytest.raises(SourceError, match="not one of Sparkplug B"):
        read_payload(b"21.5")


@pytest.mark.parametrize(
    ("value", "kind", "meant"),
    [(255, 1, -1), (2**32 - 1, 1, -1), (65_535, 2, -1), (5, 3, 5), (2**64 - 3, 4, -3), (255, 5, 255), (1.5, 9, 1.5)],
)
def test_negative_integers_travel_as_large_ones(value: float, kind: int, meant: float) -> None:
    assert signed(value, kind) == meant


def test_births_and_data_by_alias_become_readings_at_their_own_times() -> None:
    floor = Floor()
    heard = floor.hear(
        *BORN,
        ("ulm/DDATA/edge/press-7", payload(2, {"alias": 1, "timestamp": MS + 500, "float_value": 21.5})),
        ("ulm/DDATA/edge/press-7", payload(3, {"alias": 2, "int_value": 2**32 - 1}, time=MS + 700)),
    )

    assert cells(heard) == [
        ("press-7", NOW, "count", -5.0),
        ("press-7", NOW, "temperature", 20.0),
        ("press-7", NOW + timedelta(milliseconds=500), "temperature", 21.5),
        ("press-7", NOW + timedelta(milliseconds=700), "count", -1.0),
    ]
    assert (heard.letters, heard.commands, heard.events) == ([], [], [])


def test_what_is_null_or_of_bad_quality_is_no_reading_and_what_is_historical_is() -> None:
    day = MS - 86_400_000
    heard = Floor().hear(
        ("ulm/NBIRTH/edge", node_birth()),
        (
            "ulm/DBIRTH/edge/press-7",
            payload(
                1,
                {"name": "temperature", "is_null": True},
                {"name": "count", "int_value": 1, "quality": 500},
                {"name": "temperature", "float_value": 3.0, "timestamp": day, "is_historical": True, "quality": 192},
            ),
        ),
    )

    assert cells(heard) == [("press-7", NOW - timedelta(days=1), "temperature", 3.0)]
    assert heard.letters == []


def test_a_gap_in_the_sequence_asks_the_node_for_a_rebirth_once() -> None:
    floor = Floor()
    data = {"alias": 1, "float_value": 22.0}
    heard = floor.hear(
        *BORN, ("ulm/DDATA/edge/press-7", payload(4, data)), ("ulm/DDATA/edge/press-7", payload(9, data))
    )

    ((topic, body),) = heard.commands
    assert topic == "spBv1.0/ulm/NCMD/edge"
    assert read_payload(body).metrics[0][::4] == ("Node Control/Rebirth", 1.0)
    assert ("press-7", NOW, "temperature", 22.0) in cells(heard)
    assert floor.hear(("ulm/DDATA/edge/press-7", payload(9, data)), later=timedelta(seconds=11)).commands
    born = floor.hear(*BORN, ("ulm/DDATA/edge/press-7", payload(2, data)), later=timedelta(seconds=30))
    assert born.commands == []


def test_an_alias_means_what_the_newest_birth_says_and_no_earlier_one() -> None:
    floor = Floor()
    floor.hear(*BORN)
    fewer = payload(2, {"name": "temperature", "alias": 2, "datatype": FLOAT, "float_value": 20.0})
    heard = floor.hear(
        ("ulm/DBIRTH/edge/press-7", fewer),
        ("ulm/DDATA/edge/press-7", payload(3, {"alias": 1, "float_value": 900.0}, {"alias": 2, "float_value": 21.0})),
    )

    assert [each[2:] for each in cells(heard)] == [("temperature", 21.0)]
    assert [each.reason for each in heard.letters] == [
        "no birth named the aliases [1]; ulm/edge was asked for a rebirth"
    ]


def test_births_that_were_missed_while_away_from_the_broker_give_no_alias_another_meaning() -> None:
    floor = Floor()
    floor.hear(*BORN, ("ulm/DDATA/edge/press-7", payload(2, {"alias": 1, "float_value": 21.0})))
    floor.host.connected()
    whole = floor.hear(("ulm/DDATA/edge/press-7", payload(3, {"alias": 1, "float_value": 22.0})))
    assert [each[2:] for each in cells(whole)] == [("temperature", 22.0)]

    floor.host.connected()
    missed = floor.hear(("ulm/DDATA/edge/press-7", payload(2, {"alias": 1, "float_value": 900.0})))
    assert cells(missed) == []
    assert len(missed.letters) == len(missed.commands) == 1
    again = floor.hear(("ulm/DDATA/edge/press-7", payload(3, {"alias": 1, "float_value": 901.0})))
    assert cells(again) == []
    born = floor.hear(*BORN, ("ulm/DDATA/edge/press-7", payload(2, {"alias": 1, "float_value": 23.0})))
    assert ("press-7", NOW, "temperature", 23.0) in cells(born)


def test_data_of_a_device_that_is_not_born_asks_for_a_rebirth() -> None:
    floor = Floor()
    floor.hear(*BORN, ("ulm/DDEATH/edge/press-7", payload(2)))
    heard = floor.hear(("ulm/DDATA/edge/press-7", payload(3, {"name": "temperature", "float_value": 21.0})))

    assert [each[2:] for each in cells(heard)] == [("temperature", 21.0)]
    assert [topic for topic, _ in heard.commands] == ["spBv1.0/ulm/NCMD/edge"]


def test_the_sequence_goes_on_with_0_after_255() -> None:
    floor = Floor()
    floor.hear(*BORN)
    data = [("ulm/DDATA/edge/press-7", payload(each % 256, {"alias": 1, "float_value": 1.0})) for each in range(2, 600)]

    assert floor.hear(*data).commands == []


def test_data_before_a_birth_is_kept_where_it_has_names_and_is_a_letter_where_not() -> None:
    heard = Floor().hear(
        (
            "ulm/DDATA/edge/press-7",
            payload(7, {"name": "temperature", "float_value": 1.0}, {"alias": 2, "int_value": 3}),
        )
    )

    assert [each[2:] for each in cells(heard)] == [("temperature", 1.0)]
    assert [each.reason for each in heard.letters] == [
        "no birth named the aliases [2]; ulm/edge was asked for a rebirth"
    ]
    assert len(heard.commands) == 1


def test_a_death_makes_its_machines_offline_from_then_on_and_a_birth_online() -> None:
    floor = Floor()
    floor.hear(*BORN, ("ulm/DBIRTH/edge/press-8", device_birth(2)))

    one = floor.hear(("ulm/DDEATH/edge/press-8", payload(3)))
    assert [(each.machine, each.kind, each.code, each.note) for each in one.events] == [
        ("press-8", "state", "offline", "Sparkplug DDEATH")
    ]
    old = floor.hear(("ulm/NDEATH/edge", payload(None, {"name": "bdSeq", "long_value": 9})))
    assert old.events == []
    node = floor.hear(("ulm/NDEATH/edge", payload(None, {"name": "bdSeq", "long_value": 0})))
    assert [(each.machine, each.code) for each in node.events] == [("press-7", "offline")]

    restarted = SparkplugHost(floor.plant.mqtt[0], floor.plant, node.notes)
    floor.host = restarted
    back = floor.hear(*BORN, later=timedelta(minutes=1))
    assert [(each.machine, each.code) for each in back.events] == [("press-7", "online")]
    assert floor.hear(*BORN, later=timedelta(minutes=2)).events == []


def test_metrics_and_machines_may_be_named_otherwise() -> None:
    floor = Floor(machine="press-{device}", node_machine="press-8", signals={"temperature": "Oil/Temp"})
    heard = floor.hear(
        ("ulm/NBIRTH/edge", payload(0, {"name": "Oil/Temp", "double_value": 5.0})),
        ("ulm/DBIRTH/edge/7", payload(1, {"name": "Oil/Temp", "double_value": 6.0}, {"name": "count", "int_value": 1})),
    )

    assert [(each[0], *each[2:]) for each in cells(heard)] == [
        ("press-7", "temperature", 6.0),
        ("press-8", "temperature", 5.0),
    ]


def test_an_unknown_machine_is_a_letter_that_is_understood_once_the_plant_has_it(store: Store) -> None:
    heard = Floor().hear(("ulm/NBIRTH/edge", node_birth()), ("ulm/DBIRTH/edge/press-9", device_birth()))
    assert [each.reason for each in heard.letters] == [
        "machine: the plant has no machine 'press-9'; did you mean 'press-8'?"
    ]
    store.deliver([Delivery(source="spb", dead_letters=tuple(heard.letters))])

    report = replay(store, plant(machines=["press-9"]))

    assert (report.understood, report.readings, report.staying) == (1, 2, 0)
    assert store.read("press").table["time"].to_pylist() == [NOW]


def test_what_is_no_payload_spoils_no_other_message() -> None:
    heard = Floor().hear(BORN[0], ("ulm/DDATA/edge/press-7", b"21.5"), ("STATE/host", b"{}"), BORN[1])

    assert len(cells(heard)) == 2
    assert [each.reason for each in heard.letters] == ["its payload is not one of Sparkplug B"]


class EdgeNode:
    """An edge node as another client would be: it is born when it is told to."""

    def __init__(self, port: int) -> None:
        self.births = 0
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.will_set("spBv1.0/ulm/NDEATH/edge", payload(None, {"name": "bdSeq", "long_value": 0}), qos=1)
        self.client.on_message = self._told
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("spBv1.0/ulm/NCMD/edge", 1)
        self.client.loop_start()

    def _told(self, client: object, data: object, message: Any) -> None:
        if read_payload(message.payload).metrics[0].name == "Node Control/Rebirth":
            self.births += 1
            now = int(datetime.now(UTC).timestamp() * 1000)
            self.say("NBIRTH/edge", payload(0, {"name": "bdSeq", "long_value": 0}, time=now))
            metric = {"name": "temperature", "alias": 1, "datatype": FLOAT, "float_value": 20.0}
            self.say("DBIRTH/edge/press-7", payload(1, metric, time=now))

    def say(self, topic: str, body: bytes) -> None:
        self.client.publish(f"spBv1.0/ulm/{topic}", body, qos=0)

    def die(self) -> None:
        self.client.loop_stop()
        self.client.socket().close()  # type: ignore[union-attr]


def test_at_a_real_broker_a_node_is_asked_is_born_speaks_and_dies(tmp_path: Path, store: Store) -> None:
    with running_broker(tmp_path / "broker") as broker, Intake(store) as intake:
        stream = stream_of(plant(broker.port))
        with listening(stream, intake) as errors:
            node = EdgeNode(broker.port)
            now = int(datetime.now(UTC).timestamp() * 1000)
            node.say("DDATA/edge/press-7", payload(5, {"alias": 1, "float_value": 1.0}, time=now))
            wait_for(lambda: store.counts().readings == 1 or errors)
            node.say("DDATA/edge/press-7", payload(2, {"alias": 1, "float_value": 21.0}, time=now + 50))
            wait_for(lambda: store.counts().readings == 2 or errors)
            killer = Thread(target=node.die)
            killer.start()
            wait_for(lambda: len(store.events()) == 1 or errors)
            killer.join()
            assert not errors

    assert node.births == 1
    assert sorted(store.read("press", signals=["temperature"]).table["temperature"].to_pylist()) == [20.0, 21.0]
    event = store.events().iloc[0]
    assert (event["machine"], event["kind"], event["code"]) == ("press-7", "state", "offline")
    assert [each.letter.kind for each in store.dead_letters()] == ["sparkplug"]


def test_a_rebirth_command_is_a_payload_like_any_other() -> None:
    assert read_payload(rebirth_command(5)).metrics == [("Node Control/Rebirth", None, 5, 11, 1.0)]


def test_without_protobuf_one_line_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['google.protobuf'] = None\n"
        "from ingest.plant import Plant\n"
        "from ingest.sources.check import check_sources\n"
        "plant = Plant.model_validate({'classes': [{'name': 'c', 'signals': [{'name': 's'}]}],"
        " 'machines': [{'name': 'm', 'class': 'c'}], 'mqtt': [{'name': 'x', 'host': 'h', 'sparkplug': {}}]})\n"
        "print(check_sources(plant))"
    )

    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.stdout == "[\"Sparkplug needs a package that is not installed; run: pip install 'andon[mqtt]'\"]\n"
