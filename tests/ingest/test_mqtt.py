"""A stream at a real broker: what was acknowledged is durable, once."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from time import sleep

import paho.mqtt.client as paho
import pytest

from ingest.errors import SourceError, StoreError
from ingest.intake import Intake
from ingest.plant_mqtt import MqttTopic
from ingest.replay import replay
from ingest.sources import mqtt_connection
from ingest.sources.turn import Turn
from ingest.store import Store
from tests.broker import Broker, Publisher, running_broker
from tests.ingest.held_inlet import HeldInlet
from tests.ingest.mqtt_plant import NUMBER, listening, plant_at, stream_of, wait_for

VERSIONS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    with Intake(store) as intake:
        yield intake


def send(broker: Broker, *messages: tuple[str, bytes], retain: bool = False) -> None:
    publisher = Publisher(broker.port)
    publisher.send(messages, retain=retain)
    publisher.close()


def values(store: Store, signal: str = "a") -> list[float]:
    return sorted(each for each in store.read("press", signals=[signal]).table[signal].to_pylist() if each is not None)


def times(store: Store) -> dict[datetime, float]:
    table = store.read("press", signals=["a"]).table
    return dict(zip(table["time"].to_pylist(), table["a"].to_pylist(), strict=True))


@VERSIONS
def test_numbers_and_json_become_readings(broker: Broker, intake: Intake, store: Store, protocol: str) -> None:
    stream = stream_of(plant_at(broker.port, protocol=protocol))
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=5 if protocol == "5" else 4)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()

    before = datetime.now(UTC)
    with listening(stream, intake):
        client.publish("plant/l1/m1/a", "21.5", qos=1).wait_for_publish(10)
        client.publish("wide/m2", json.dumps({"a": 1, "b": 2, "time": "2026-01-01T00:00:00Z"}), qos=1)
        client.publish("plant/l1/m2/b", "0.5", qos=0)
        wait_for(lambda: stream.state.kept == 3)
    client.disconnect()
    client.loop_stop()

    rows = store.read("press", signals=["a", "b"]).table.to_pylist()
    assert [(each["machine"], each["a"], each["b"]) for each in rows] == [
        ("m1", 21.5, None),
        ("m2", 1.0, 2.0),
        ("m2", None, 0.5),
    ]
    assert rows[1]["time"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert all(before <= each["time"] <= datetime.now(UTC) for each in (rows[0], rows[2]))
    assert (stream.state.connected, stream.state.why) == (False, "stopped")


@VERSIONS
def test_a_large_message_comes_in_many_pieces(broker: Broker, intake: Intake, store: Store, protocol: str) -> None:
    stream = stream_of(plant_at(broker.port, protocol=protocol))
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [{"a": each, "time": (begin + timedelta(seconds=each)).isoformat()} for each in range(20_000)]
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    with listening(stream, intake):
        client.publish("wide/m1", json.dumps(rows), qos=1)
        client.publish("plant/l/m2/b", "1", qos=1)
        wait_for(lambda: stream.state.kept == 2)
    client.disconnect()
    client.loop_stop()

    assert values(store) == [float(each) for each in range(20_000)]
    assert values(store, "b") == [1.0]


@VERSIONS
def test_nothing_is_acknowledged_before_it_is_durable(
    broker: Broker, intake: Intake, store: Store, protocol: str
) -> None:
    stream, inlet = stream_of(plant_at(broker.port, protocol=protocol)), HeldInlet(intake)
    with listening(stream, inlet):
        inlet.holding = True
        send(broker, *[("plant/l/m1/a", str(each).encode()) for each in range(10)])
        wait_for(lambda: inlet.held)
        assert stream.state.kept == 0
        broker.stop()  # what the broker wrote down as unacknowledged comes again
        wait_for(lambda: not stream.state.connected or inlet.held)
        inlet.release()
    broker.start()

    with listening(stream, intake):
        wait_for(lambda: stream.state.kept + stream.state.repeated >= 10)

    assert values(store) == [float(each) for each in range(10)]
    assert stream.state.repeated > 0


@VERSIONS
def test_what_came_while_away_is_there_after_coming_back(
    broker: Broker, intake: Intake, store: Store, protocol: str
) -> None:
    stream = stream_of(plant_at(broker.port, protocol=protocol))
    with listening(stream, intake):
        pass
    send(broker, *[("plant/l/m1/a", str(each).encode()) for each in range(3000)])
    broker.stop()
    broker.start()

    with listening(stream_of(plant_at(broker.port, protocol=protocol)), intake) as errors:
        wait_for(lambda: len(values(store)) == 3000 or errors)

    assert Counter(values(store)) == Counter(float(each) for each in range(3000))


def test_a_broker_that_goes_away_ends_the_run_and_says_so(broker: Broker, intake: Intake) -> None:
    stream = stream_of(plant_at(broker.port))
    with listening(stream, intake) as errors:
        broker.stop()
        wait_for(lambda: errors)
    assert isinstance(errors[0], SourceError)
    assert f"127.0.0.1:{broker.port}: the broker" in str(errors[0])
    assert stream.state.why == str(errors[0])

    with listening(stream, intake) as errors:
        pass
    assert "no broker answers (Connection refused)" in str(errors[0])
    broker.start()


@VERSIONS
def test_a_broker_that_hangs_is_noticed_and_misses_nothing(
    tmp_path: Path, broker: Broker, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_connection, "WAIT_SECONDS", 1.0)
    store = Store(tmp_path / "hanging")
    stream = stream_of(plant_at(broker.port, protocol=protocol), keep_alive=1)
    with Intake(store) as intake:
        with listening(stream, intake) as errors:
            send(broker, ("plant/l/m1/a", b"1"))
            wait_for(lambda: stream.state.kept == 1)
            sleep(2.2)  # longer than both silences: a broker that is merely quiet answers when it is asked
            assert stream.state.connected
            with broker.hanging():
                wait_for(lambda: errors, 10)
                assert "the broker is connected, but answers nothing any more" in stream.state.why
                with listening(stream, intake) as errors:
                    pass
                assert "answer" in str(errors[0])
        with listening(stream, intake):
            send(broker, ("plant/l/m1/a", b"2"))
            wait_for(lambda: stream.state.kept == 2)
    assert values(store) == [1.0, 2.0]
    store.close()


def test_a_session_that_the_broker_lost_makes_no_new_message_an_old_one(
    broker: Broker, intake: Intake, store: Store
) -> None:
    stream = stream_of(plant_at(broker.port))
    with listening(stream, intake):
        send(broker, ("plant/l/m1/a", b"1"))
        wait_for(lambda: stream.state.kept == 1)
    forget(broker, "andon-works-hall")

    inlet = HeldInlet(intake)
    with listening(stream, inlet):
        inlet.holding = True
        send(broker, ("plant/l/m1/a", b"1"))  # the same content, and the same number as before
        wait_for(lambda: inlet.held)
        inlet.held[0][1].set_exception(StoreError("the disk is full"))
    again = stream_of(plant_at(broker.port))
    with listening(again, intake):
        wait_for(lambda: again.state.received == 1)

    assert (again.state.kept, again.state.repeated) == (1, 0)
    assert values(store) == [1.0, 1.0]


def forget(broker: Broker, client_id: str) -> None:
    """Let the broker forget a session, as when it lost its store."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    wait_for(client.is_connected)
    client.disconnect()
    client.loop_stop()


def test_what_a_failing_store_did_not_keep_is_heard_anew(broker: Broker, intake: Intake, store: Store) -> None:
    stream = stream_of(plant_at(broker.port, sparkplug={"node_machine": "m1"}))
    inlet = HeldInlet(intake)
    with listening(stream, inlet) as errors:
        inlet.holding = True
        send(broker, ("spBv1.0/ulm/NDEATH/edge", b""), ("plant/l/m1/a", b"1"))
        wait_for(lambda: inlet.held)
        inlet.held[0][1].set_exception(StoreError("the disk is full"))
        wait_for(lambda: errors)
    assert stream.state.why == "the disk is full"

    with listening(stream, intake):
        wait_for(lambda: stream.state.kept == 2)

    assert store.events()["code"].tolist() == ["offline"]
    assert values(store) == [1.0]


def test_old_values_that_the_broker_kept_are_no_readings_of_now(broker: Broker, intake: Intake, store: Store) -> None:
    send(broker, ("plant/l/m1/a", b"1"), retain=True)
    send(broker, ("wide/m1", b'{"a": 2, "time": "2026-01-01T00:00:00Z"}'), retain=True)

    for protocol in ("5", "3.1.1"):
        stream = stream_of(plant_at(broker.port, protocol=protocol, client_id=protocol))
        with listening(stream, intake):
            wait_for(lambda stream=stream: stream.state.received == 2)  # type: ignore[misc]

    assert times(store) == {datetime(2026, 1, 1, tzinfo=UTC): 2.0}


def test_a_topic_that_left_the_plant_file_is_not_listened_to_any_more(
    broker: Broker, intake: Intake, store: Store
) -> None:
    with listening(stream_of(plant_at(broker.port)), intake):
        pass
    stream = stream_of(plant_at(broker.port, NUMBER))
    with listening(stream, intake):
        send(broker, ("wide/m1", b'{"a": 1}'), ("plant/l/m1/a", b"2"))
        wait_for(lambda: stream.state.kept == 1)
        sleep(0.1)

    assert values(store) == [2.0]
    assert store.dead_letters() == []


def test_what_is_not_understood_is_a_letter_holds_nothing_up_and_is_replayed(
    broker: Broker, intake: Intake, store: Store
) -> None:
    stream = stream_of(plant_at(broker.port))
    with listening(stream, intake):
        send(broker, ("plant/l/m9/a", b"7"), ("wide/m1", b"{nonsense"), ("plant/l/m1/a", b"1"))
        wait_for(lambda: stream.state.kept == 3)
    again = stream_of(plant_at(broker.port))
    with listening(again, intake):
        sleep(0.1)

    assert again.state.received == 0  # acknowledged: the broker does not send them for ever
    assert [each.source for each in store.dead_letters()] == ["hall", "hall"]
    assert stream.state.letters == 2
    report = replay(store, plant_at(broker.port, machines=("m1", "m9")))
    assert (report.understood, report.staying) == (1, 1)
    assert values(store) == [1.0, 7.0]


def test_a_message_that_breaks_the_decoder_is_a_letter_and_the_others_are_kept(
    broker: Broker, intake: Intake, store: Store
) -> None:
    stream = stream_of(plant_at(broker.port))

    def breaking(messages, now):  # type: ignore[no-untyped-def]
        if any(each.payload == b"13" for each in messages):
            raise MemoryError("unlucky")
        return decode(messages, now)

    with listening(stream, intake):
        decode = stream.hearing.decoder.decode
        stream.hearing.decoder.decode = breaking  # type: ignore[method-assign]
        send(broker, *[("plant/l/m1/a", str(each).encode()) for each in range(20)])
        wait_for(lambda: stream.state.kept == 20)

    assert values(store) == [float(each) for each in range(20) if each != 13]
    assert [each.letter.reason for each in store.dead_letters()] == ["it could not be read: MemoryError('unlucky')"]


def test_a_full_intake_makes_the_broker_wait(broker: Broker, intake: Intake, store: Store) -> None:
    stream, inlet = stream_of(plant_at(broker.port)), HeldInlet(intake)
    with listening(stream, inlet) as errors:
        inlet.full = True
        send(broker, *[("plant/l/m1/a", str(each).encode()) for each in range(9000)])
        sleep(0.3)
        assert stream.state.received == 0
        inlet.full = False
        wait_for(lambda: stream.state.kept == 9000)
        assert not errors
    assert Counter(values(store)) == Counter(float(each) for each in range(9000))


@pytest.mark.slow
@VERSIONS
def test_a_burst_of_ten_thousand_messages_a_second_is_counted_to_the_last(
    tmp_path: Path, intake: Intake, store: Store, protocol: str
) -> None:
    count = 10_000
    with running_broker(tmp_path / "broker", inflight=2000) as broker:
        stream = stream_of(plant_at(broker.port, protocol=protocol))
        with listening(stream, intake):
            send(broker, *[(f"plant/l/m{each % 2 + 1}/a", str(each).encode()) for each in range(count)])
            wait_for(lambda: stream.state.kept == count, 60)

    found = values(store)
    assert len(found) == count
    assert found == [float(each) for each in range(count)]


def test_user_and_password_come_from_the_environment(tmp_path: Path, intake: Intake) -> None:
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto_passwd is not here")
    secrets = tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(secrets), "anna", "geheim"], check=True, capture_output=True)
    more = f"password_file {secrets}\n"
    with running_broker(tmp_path / "broker", more=more, anonymous=False) as broker:
        plant = plant_at(broker.port, user_variable="MQTT_USER", password_variable="MQTT_PASSWORD")  # noqa: S106
        stream = stream_of(plant, MQTT_USER="anna", MQTT_PASSWORD="geheim")  # noqa: S106
        with listening(stream, intake) as errors:
            assert not errors
        with listening(stream_of(plant, MQTT_USER="anna", MQTT_PASSWORD="x"), intake) as errors:  # noqa: S106
            pass
        assert "the broker refuses: Not authorized" in str(errors[0])
        with listening(stream_of(plant, MQTT_USER="anna"), intake) as errors:
            pass
        assert "the environment has no MQTT_PASSWORD, which password_variable names" in str(errors[0])


def test_a_connection_may_be_encrypted(tmp_path: Path, intake: Intake, store: Store) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    certificate(tmp_path)
    more = f"cafile {tmp_path}/ca.pem\ncertfile {tmp_path}/ca.pem\nkeyfile {tmp_path}/key.pem\n"
    with running_broker(tmp_path / "broker", tls=more) as broker:
        stream = stream_of(plant_at(broker.tls_port, tls=True, ca_file=str(tmp_path / "ca.pem")))
        with listening(stream, intake) as errors:
            send(broker, *[("plant/l/m1/a", str(each).encode()) for each in range(5000)])
            wait_for(lambda: stream.state.kept == 5000 or errors)
        stranger = stream_of(plant_at(broker.tls_port, tls=True, client_id="stranger"))
        with listening(stranger, intake) as errors:
            pass

    assert len(values(store)) == 5000
    assert "no encrypted connection" in str(errors[0])


def certificate(folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")],
        check=True, capture_output=True,
    )  # fmt: skip


def test_without_the_library_the_state_says_what_to_install(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    stream = stream_of(plant_at(1))

    with pytest.raises(SourceError, match=r"pip install 'andon\[mqtt\]'"):
        stream.run(intake, Event())

    assert "andon[mqtt]" in stream.state.why


def test_another_client_with_the_same_name_is_named_as_the_cause(broker: Broker, intake: Intake) -> None:
    first, second = stream_of(plant_at(broker.port)), stream_of(plant_at(broker.port))
    with listening(first, intake) as errors, listening(second, intake):
        wait_for(lambda: errors)
    assert "client_id" in str(errors[0])


def test_subscriptions_follow_the_templates() -> None:
    narrow = MqttTopic(template="x/{machine}/oil", signal="b")
    wide = MqttTopic(template="x/{machine}/#", signal="a")
    plant = plant_at(1, narrow, wide, NUMBER, sparkplug={"groups": ["ulm"]})

    # What fits two templates would come twice, so the wider one is asked for alone.
    assert stream_of(plant).filters == ["x/+/#", "plant/+/+/+", "spBv1.0/ulm/#"]


def test_a_message_that_fits_two_templates_is_read_once_by_the_first(
    broker: Broker, intake: Intake, store: Store
) -> None:
    narrow = MqttTopic(template="x/{machine}/oil", signal="b")
    wide = MqttTopic(template="x/{machine}/#", signal="a")
    stream = stream_of(plant_at(broker.port, narrow, wide))
    with listening(stream, intake):
        send(broker, ("x/m1/oil", b"1"), ("x/m1/other", b"2"))
        wait_for(lambda: stream.state.received >= 2)
        sleep(0.1)

    assert (stream.state.received, values(store, "b"), values(store, "a")) == (2, [1.0], [2.0])


def test_two_processes_of_one_folder_take_turns_and_double_nothing(
    broker: Broker, intake: Intake, store: Store, tmp_path: Path
) -> None:
    plant = plant_at(broker.port)
    first, second = (stream_of(plant, turn=Turn(tmp_path / "data", "hall")) for _ in range(2))

    with listening(first, intake):
        send(broker, ("plant/l1/m1/a", b"1"))
        with listening(second, intake) as errors:
            assert "listens already" in str(errors[0])
            assert "listens already" in second.state.why
        send(broker, ("plant/l1/m1/a", b"2"))
        wait_for(lambda: first.state.kept == 2)
        assert first.state.connected
    with listening(second, intake):
        send(broker, ("plant/l1/m1/a", b"3"))
        wait_for(lambda: second.state.kept == 1)

    assert values(store) == [1.0, 2.0, 3.0]


def test_a_turn_that_cannot_be_taken_says_why(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(SourceError, match="data: cannot be locked: "):
        Turn(tmp_path / "data", "hall").take()
