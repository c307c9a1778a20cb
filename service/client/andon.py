"""An Andon elsewhere: what it knows as DataFrames, what you know sent to it, and alerts that you deal with."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from service.client.connection import Connection, Query, Sent
from service.client.frames import (
    EVENTS_AT_ONCE,
    documents_frame,
    event_rows,
    name_of,
    readings_bodies,
    readings_frame,
)

_ARROW, _JSON = "application/vnd.apache.arrow.stream", "application/json"
Moment = datetime | str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of what was sent.

    Attributes
    ----------
    kept : readings or events that are on disk at the server now
    repeated : of readings the batches that it knew already, of events the events
    rejected : rows and cells, or events, that were turned away
    faults : pairs of place and reason, for the first that were turned away
    """

    kept: int = 0
    repeated: int = 0
    rejected: int = 0
    faults: tuple[tuple[str, str], ...] = ()

    def __add__(self, other: "Receipt") -> "Receipt":
        return Receipt(
            self.kept + other.kept,
            self.repeated + other.repeated,
            self.rejected + other.rejected,
            self.faults + other.faults,
        )


class Andon:
    """One Andon over HTTP.

    Asking, and sending readings and events, is tried again while the server is busy or away: a body has its own hash as
    its key, so it counts once. What deals with alerts is sent once.

    Parameters
    ----------
    address : such as ``https://andon.example:8420``
    key : a key of yours (made on the page of your account) or of a program; empty where nobody signs in
    ca_file : whom to trust over https; the system's authorities when left out
    seconds : that one answer may take
    tries : how often a request is sent at most
    sleep : waits between tries

    Raises
    ------
    SettingError
        When the address or the key cannot be used.
    RemoteError
        From every method: the server refuses, with the reason that it gives, or does not answer.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8420",
        *,
        key: str = "",
        ca_file: Path | None = None,
        seconds: float = 30.0,
        tries: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = Connection(address, key=key, ca_file=ca_file, seconds=seconds, tries=tries, sleep=sleep)

    def __repr__(self) -> str:
        return f"Andon({self._connection.address!r})"

    def plant(self) -> dict[str, Any]:
        """Return the plant as the server describes it: classes with signals and units, machines, models."""
        found: dict[str, Any] = self.get("/api/v1/plant")
        return found

    def me(self) -> dict[str, Any]:
        """Return who you are to the server: name, rights, and the part of the plant that you reach."""
        found: dict[str, Any] = self.get("/api/v1/me")
        return found

    def machines(self) -> pd.DataFrame:
        """Return the machines that you reach, with their health, one row each."""
        return documents_frame(list(self.items("/api/v1/machines")), ["newest_reading"])

    def readings(
        self,
        machine: str,
        signals: str | Sequence[str] | None = None,
        *,
        start: Moment = None,
        end: Moment = None,
        points: int | None = None,
    ) -> pd.DataFrame:
        """Return readings of (start, end]: times (UTC) as index, a column for each signal, NaN where none was read.

        Parameters
        ----------
        signals : all of the machine's class when left out
        start, end : the last day when left out; a time without a zone is the plant's local time
        points : of a long span, about so many values a signal: lowest and highest of each part, so that spikes survive
        """
        query: Query = {
            "machine": machine,
            "signal": _several(signals),
            "start": _written(start),
            "end": _written(end),
            "points": points,
            "limit": 20_000,
        }
        return readings_frame(list(self.pages("/api/v1/readings", query)))

    def send_readings(self, frame: pd.DataFrame) -> Receipt:
        """Send readings, durable at the server when this returns; what it turns away is in the receipt.

        Parameters
        ----------
        frame : ``machine``, ``time`` with a time zone, and one column of numbers for each signal; NaN is no reading

        Raises
        ------
        SourceError
            When the frame is not so; nothing is sent then.
        """
        together = Receipt()
        for body in readings_bodies(frame):
            said = self._connection.post("/api/v1/readings", Sent(body, _ARROW, name_of(body)))
            together += Receipt(said["accepted"], int(said["repeated"]), said["rejected"], _faults(said))
        return together

    def events(
        self,
        machine: str | Sequence[str] | None = None,
        *,
        kind: str | Sequence[str] | None = None,
        start: Moment = None,
        end: Moment = None,
    ) -> pd.DataFrame:
        """Return what happened in (start, end], oldest first."""
        query: Query = {
            "machine": _several(machine),
            "kind": _several(kind),
            "start": _written(start),
            "end": _written(end),
            "limit": 1_000,
        }
        return documents_frame(list(self.items("/api/v1/events", query)), ["time", "end"])

    def send_events(self, frame: pd.DataFrame) -> Receipt:
        """Send events with ``machine``, ``kind`` and ``time``, and where there are: end, component, code, value, note.

        Raises
        ------
        SourceError
            When a column is missing or unknown; nothing is sent then.
        """
        rows, together = event_rows(frame), Receipt()
        for begin in range(0, len(rows), EVENTS_AT_ONCE):
            body = json.dumps(rows[begin : begin + EVENTS_AT_ONCE]).encode()
            said = self._connection.post("/api/v1/events", Sent(body, _JSON, name_of(body)))
            together += Receipt(said["added"], said["repeated"], said["rejected"], _faults(said))
        return together

    def alerts(self, *, state: str | Sequence[str] = "open", machine: str | None = None) -> pd.DataFrame:
        """Return alerts, the ones to look at first at the top; ``state="all"`` for those of before, too."""
        query: Query = {"state": _several(state), "machine": machine, "limit": 1_000}
        times = ["act_before", "raised_at", "condition_begin", "condition_end", "acknowledged_at", "closed_at"]
        return documents_frame(list(self.items("/api/v1/alerts", query)), times)

    def alert(self, number: int) -> dict[str, Any]:
        """Return one alert, with its evidence and its history."""
        found: dict[str, Any] = self.get(f"/api/v1/alerts/{number}")
        return found

    def acknowledge(self, number: int, *, by: str, note: str = "") -> dict[str, Any]:
        """Say that somebody has seen an alert and answers for it."""
        return self._deal(number, "acknowledge", {"by": by, "note": note})

    def close(self, number: int, verdict: str, *, by: str, note: str = "", **found: str) -> dict[str, Any]:
        """Say what an alert was: ``right``, ``prevented``, ``wrong`` or ``not inspected``.

        Parameters
        ----------
        found : ``mode``, ``mechanism``, ``root_cause`` and ``action``, as far as they are known
        """
        return self._deal(number, "close", {"verdict": verdict, "by": by, "note": note, **found})

    def get(self, path: str, **query: Any) -> Any:
        """Return the document at any path of the HTTP interface."""
        return self._connection.get(path, query)

    def pages(self, path: str, query: Query | None = None) -> Iterator[dict[str, Any]]:
        """Give the pages of a list, as they are asked for."""
        page = self._connection.get(path, query)
        yield page
        while page.get("next"):
            page = self._connection.get(page["next"])
            yield page

    def items(self, path: str, query: Query | None = None) -> Iterator[dict[str, Any]]:
        """Give the items of a list, whatever its pages."""
        for page in self.pages(path, query):
            yield from page["items"]

    def _deal(self, number: int, how: str, said: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(said).encode()
        done: dict[str, Any] = self._connection.post(f"/api/v1/alerts/{quote(str(number))}/{how}", Sent(body, _JSON))
        return done


def _several(names: str | Sequence[str] | None) -> Sequence[str] | None:
    return [names] if isinstance(names, str) else names


def _written(moment: Moment) -> str | None:
    return moment.isoformat() if isinstance(moment, datetime) else moment


def _faults(said: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((each["where"], each["reason"]) for each in said.get("errors", ()))
