"""A message as Alertmanager's webhook has it (version 4), so that whatever takes those takes ours.

Labels name the matter and never change over its life; what changes is an annotation. The fingerprint is that of
Prometheus: FNV-1a over the labels in order. Several alerts of one message are a group, which is firing while one is.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from service.alerts.labels import fingerprint, own_labels, quoted
from service.delivery.body import FIRING, RESOLVED, headline, moment, told_in
from service.delivery.notice import Notice

_PLACES = ("plant", "site", "line")
_ANNOTATIONS = ("severity", "state", "level", "act_before", "acknowledged_by", "text")
_NEVER = "0001-01-01T00:00:00Z"
"""How Go writes no time at all: the end of what goes on."""


class Linked(Protocol):
    """Knows where the dashboard is."""

    @property
    def public_address(self) -> str:
        """Address of the dashboard; empty if nobody said."""

    def link(self, notice: Notice, alert: int | None = None) -> str:
        """Page of an alert, or of what a notice tells of."""


def alertmanager_body(notice: Notice, around: Linked) -> dict[str, Any]:
    """Return what Alertmanager would post of this message."""
    alerts = [_alert(each, notice, around) for each in told_in(notice.body)]
    common = _common([each["labels"] for each in alerts])
    group = {name: common[name] for name in ("alertname", "machine", "cause") if name in common}
    return {
        "version": "4",
        "groupKey": f"{{}}:{{{', '.join(f'{name}={quoted(value)}' for name, value in sorted(group.items()))}}}",
        "truncatedAlerts": len(notice.body.get("more", ())),
        "status": FIRING if any(each["status"] == FIRING for each in alerts) else RESOLVED,
        "receiver": notice.target,
        "groupLabels": group,
        "commonLabels": common,
        "commonAnnotations": _common([each["annotations"] for each in alerts]),
        "externalURL": around.public_address,
        "alerts": alerts,
    }


def _alert(body: Mapping[str, Any], notice: Notice, around: Linked) -> dict[str, Any]:
    labels = labels_in(body, notice.kind.value.capitalize())
    status = RESOLVED if body.get("status") == RESOLVED else FIRING
    begin, end = moment(body, "begin") or notice.at, moment(body, "end") or notice.at
    return {
        "status": status,
        "labels": labels,
        "annotations": annotations_in(body),
        "startsAt": _written(begin),
        "endsAt": _written(end) if status == RESOLVED else _NEVER,
        "generatorURL": around.link(notice, body.get("alert")),
        "fingerprint": fingerprint(labels),
    }


def labels_in(body: Mapping[str, Any], name: str = "") -> dict[str, str]:
    """Return the labels of the alert that a body tells of: its own, or those that another system gave it.

    Parameters
    ----------
    name : what it is called where it is of no kind
    """
    if body.get("labels"):
        return dict(body["labels"])
    places = {place: str(body.get(place) or "") for place in _PLACES}
    return own_labels(
        str(body.get("kind") or name), str(body.get("machine") or ""), str(body.get("cause") or ""), places
    )


def annotations_in(body: Mapping[str, Any]) -> dict[str, str]:
    """Return what changes of the alert that a body tells of."""
    annotations = {"summary": headline(body), "description": str(body.get("sentence") or headline(body))}
    return annotations | {name: str(body[name]) for name in _ANNOTATIONS if body.get(name) not in (None, "")}


def _common(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return what all have and say alike."""
    first, *others = each
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
