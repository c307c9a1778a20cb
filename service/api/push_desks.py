"""Who takes whose readings: for a sender who reaches a part of the plant only, there are no other machines."""

import json
from collections.abc import Collection
from threading import Lock

from ingest.decode.again import WITHIN
from ingest.decode.clean.decoder import BodyDecoder
from ingest.intake import Inlet
from service.api.push import Pushes
from service.control_room import ControlRoom
from service.metrics import Metrics


class PushDesks:
    """One desk for the whole plant, and one for each part of it that somebody sends from.

    Parameters
    ----------
    room : of the whole plant
    """

    def __init__(self, room: ControlRoom, intake: Inlet, metrics: Metrics) -> None:
        self._intake, self._metrics = intake, metrics
        self._whole = Pushes(BodyDecoder(room.plant), intake, metrics)
        self._parts: dict[Collection[str], Pushes] = {}
        self._lock = Lock()

    def of(self, room: ControlRoom) -> Pushes:
        """Return the desk of whoever sees this room."""
        if room.shown is None:
            return self._whole
        shown = frozenset(room.shown)
        with self._lock:
            if shown not in self._parts:
                self._parts[shown] = Pushes(BodyDecoder(room.plant), self._intake, self._metrics)
            return self._parts[shown]

    def close(self) -> None:
        """Hand over to the intake what came; nothing may be taken after that."""
        for each in (self._whole, *self._parts.values()):
            each.close()


def head_of(room: ControlRoom, head: dict[str, str]) -> dict[str, str]:
    """Return what is kept beside the bytes of somebody's body, with the machines that they reach.

    What cannot be understood is read again later, by somebody else: it may give no more then than now.
    """
    return head if room.shown is None else head | {WITHIN: json.dumps(room.shown)}
