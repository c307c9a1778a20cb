"""A message as Alertmanager's webhook has it (version 4), so that whatever takes those takes ours.

Labels name the matter and never change over its life; what changes is an annotation. The fingerprint is that of
Prometheus: FNV-1a over the labels in order.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from service.delivery.body import FIRING, RESOLVED, headline, moment
from service.delivery.notice import Notice

_LABELS = ("plant", "site", "line", "machine", "cause", "severity")
_ANNOTATIONS = ("state", "level", "act_before", "acknowledged_by", "text")
_NEVER = "0001-01-01T00:00:00Z"
"""How Go writes no time at all: the end of what goes on."""


class Linked(Protocol):
    """Knows where the dashboard is."""

    @property
    def public_address(self) -> str:
        """Address of the dashboard; empty if nobody said."""

    def link(self, notice: Notice) -> str:
        """Page of a notice."""


def alertmanager_body(notice: Notice, around: Linked) -> dict[str, Any]:
    """Return what Alertmanager would post of this message; each is a group of one alert."""
    body = notice.body
    labels = {"alertname": str(body.get("kind") or notice.kind.value.capitalize())}
    labels |= {name: str(body[name]) for name in _LABELS if body.get(name)}
    annotations = {"summary": headline(body), "description": str(body.get("sentence") or headline(body))}
    annotations |= {name: str(body[name]) for name in _ANNOTATIONS if body.get(name) not in (None, "")}
    status = RESOLVED if body.get("status") == RESOLVED else FIRING
    begin, end = moment(body, "begin") or notice.at, moment(body, "end") or notice.at
    group = {name: labels[name] for name in ("alertname", "machine", "cause") if name in labels}
    alert = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": _written(begin),
        "endsAt": _written(end) if status == RESOLVED else _NEVER,
        "generatorURL": around.link(notice),
        "fingerprint": fingerprint(labels),
    }
    return {
        "version": "4",
        "groupKey": f"{{}}:{{{', '.join(f'{name}={_quoted(value)}' for name, value in sorted(group.items()))}}}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": notice.target,
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": around.public_address,
        "alerts": [alert],
    }


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return the fingerprint of labels as Prometheus computes it.

    Examples
    --------
    >>> fingerprint({})
    'cbf29ce484222325'
    """
    found = 0xCBF29CE484222325
    for name in sorted(labels):
        for byte in (*name.encode(), 0xFF, *labels[name].encode(), 0xFF):
            found = ((found ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{found:016x}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
