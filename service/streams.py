"""The streams of a plant: each runs in a thread of its own, and is started again when it is lost."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from random import Random
from threading import Event, Thread
from time import monotonic

import structlog

from ingest.errors import AndonError
from ingest.intake import Inlet
from ingest.plant import Plant
from ingest.sources.kafka import KafkaStream
from ingest.sources.mqtt import MqttStream
from ingest.sources.opcua import OpcuaStream
from ingest.sources.stream import Stream, StreamState
from ingest.sources.turn import Turn

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
_LOOK_SECONDS = 0.5

_log = structlog.get_logger()


def streams_of(plant: Plant, clock: Callable[[], datetime]) -> list[Stream]:
    """Return the streams that a plant file names; nothing is connected yet."""
    return [
        *(
            MqttStream(each, plant, clock=clock, environment=os.environ, turn=Turn(plant.data_folder, each.name))
            for each in plant.mqtt
        ),
        *(KafkaStream(each, plant, clock=clock, environment=os.environ) for each in plant.kafka),
        *(OpcuaStream(each, plant, clock=clock, environment=os.environ) for each in plant.opcua),
    ]


class Streams:
    """Runs streams until it is stopped; one that fails is tried again, ever less often, and stops nothing else.

    Parameters
    ----------
    inlet : where they put what they receive
    random : spreads the tries, so that many plants do not all knock at once when a broker is back
    first_pause : seconds before the first new try; it doubles until one lasts longer than its pause
    """

    def __init__(
        self,
        streams: Sequence[Stream],
        inlet: Inlet,
        *,
        random: Random | None = None,
        first_pause: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._streams, self._inlet = streams, inlet
        self._random = random or Random()  # noqa: S311 - nothing secret
        self._first_pause = first_pause
        self._stop = Event()
        self._threads = [
            Thread(target=self._run, args=(each,), name=f"stream {each.name}", daemon=True) for each in streams
        ]
        if streams:
            self._threads.append(Thread(target=self._tell, name="andon-streams", daemon=True))

    def start(self) -> None:
        """Begin; returns at once, whether or not anybody answers."""
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """End; what was taken is made durable and acknowledged first."""
        self._stop.set()
        for each in self._threads:
            if each.is_alive():
                each.join()

    def states(self) -> Mapping[str, StreamState]:
        """Return how each stream is, by its name."""
        return {each.name: each.state for each in self._streams}

    def _run(self, stream: Stream) -> None:
        pause = self._first_pause
        while not self._stop.is_set():
            begun = monotonic()
            try:
                stream.run(self._inlet, self._stop)
            except AndonError:
                pass  # its state says why
            except Exception:  # a mistake of ours in one stream must not stop the others
                _log.exception("a stream failed", stream=stream.name)
            pause = self._first_pause if monotonic() - begun > pause else min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._stop.wait(pause * self._random.uniform(0.5, 1.5))

    def _tell(self) -> None:
        """Log each change of a stream once, however often it is tried."""
        told: dict[str, tuple[bool, str]] = {}
        noticed: dict[str, str] = {}
        while True:
            for name, state in self.states().items():
                now = (state.connected, state.why)
                if state.since is not None and told.get(name) != now:
                    told[name] = now
                    say = _log.info if state.connected or state.why == "stopped" else _log.warning
                    say("stream", stream=name, connected=state.connected, why=state.why, messages=state.received)
                if state.notice and noticed.get(name) != state.notice:
                    noticed[name] = state.notice
                    _log.warning("stream notice", stream=name, notice=state.notice)
            if self._stop.wait(_LOOK_SECONDS):
                return
