"""The deliverer: brings the messages of a plant to its targets in a thread of this process, until it is stopped."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Event, Thread

from ingest.errors import DeliveryError, UnknownNameError
from ingest.plant_target import MessageTarget
from service.alerts.alert import Alert
from service.alerts.book import list_alerts
from service.control_room import ControlRoom
from service.delivery.channels.catalogue import open_channel
from service.delivery.channels.channel import Channel, Surroundings
from service.delivery.dispatcher import Dispatcher


def surroundings_of(room: ControlRoom, environment: Mapping[str, str] = os.environ) -> Surroundings:
    """Return what the channels of a plant know."""

    def live_alerts(machine: str) -> Sequence[Alert]:
        with room.state.read() as connection:
            return list_alerts(connection, machine=machine)

    return Surroundings(
        plant=room.plant,
        environment=environment,
        allowed=room.settings.webhooks_to,
        public_address=room.settings.public_address,
        live_alerts=live_alerts,
    )


def dispatcher_of(room: ControlRoom, clock: Callable[[], datetime]) -> Dispatcher:
    """Return what delivers the messages of a plant."""
    around = surroundings_of(room)
    return Dispatcher(
        room.state, room.plant.targets, open_channel=lambda target: open_channel(target, around), clock=clock
    )


def channel_named(room: ControlRoom, name: str) -> tuple[MessageTarget, Channel]:
    """Return a target of the plant file and its channel.

    Raises
    ------
    UnknownNameError
        If there is no such target.
    DeliveryError
        If it needs a package that is not installed.
    """
    for each in room.plant.targets:
        if each.name == name:
            return each, open_channel(each, surroundings_of(room))
    names = ", ".join(each.name for each in room.plant.targets) or "none"
    raise UnknownNameError(f"no target {name!r} in the plant file; there are: {names}")


def unreachable_targets(room: ControlRoom) -> list[str]:
    """Return a line for each target that has no secret or cannot be reached; nothing is sent."""
    around = surroundings_of(room)
    found = []
    for each in room.plant.targets:
        try:
            channel = open_channel(each, around)
            try:
                why = channel.check()
            finally:
                channel.close()
        except DeliveryError as error:
            found.append(str(error) if repr(each.name) in str(error) else f"target {each.name!r}: {error}")
        else:
            found += [f"target {each.name!r}: {why}"] if why else []
    return found


class Deliverer:
    """Runs a dispatcher until it is stopped; nothing runs where the plant file names no target."""

    def __init__(self, room: ControlRoom, clock: Callable[[], datetime]) -> None:
        self._stop = Event()
        self._dispatcher = dispatcher_of(room, clock)
        self._thread = Thread(target=self._dispatcher.run, args=(self._stop,), name="andon-delivery", daemon=True)
        self._needed = bool(room.plant.targets)

    def start(self) -> None:
        """Begin."""
        if self._needed:
            self._thread.start()

    def stop(self) -> None:
        """End; what is under way is completed first."""
        self._stop.set()
        self._dispatcher.wake()
        if self._thread.is_alive():
            self._thread.join()
