"""Whether the ``[[targets]]`` tables of a plant file can be delivered to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from string import Formatter
from urllib.parse import urlsplit

from ingest.plant_draft import Draft
from ingest.plant_problem import Problem
from ingest.plant_target import MessageTarget
from ingest.plant_words import Location, either, nearest

TOPIC_WORDS = ("machine", "plant", "site", "line")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a kind of target needs, and what means something to it besides.

    Attributes
    ----------
    schemes : of its address; none where it has no address
    """

    schemes: tuple[str, ...]
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


_WEB = ("http", "https")
_KINDS: Mapping[str, _Kind] = {
    "webhook": _Kind(_WEB, ("secret",), ("ca_file",)),
    "alertmanager": _Kind(_WEB, (), ("secret", "ca_file")),
    "email": _Kind(("smtp", "smtp+starttls", "smtps"), ("to", "sender"), ("user", "secret", "ca_file")),
    "mqtt": _Kind(("mqtt", "mqtts"), (), ("topic", "user", "secret", "ca_file")),
    "apprise": _Kind((), ("secret",)),
}
_OWN = ("to", "sender", "topic", "user", "secret", "ca_file")
"""Keys that mean nothing to some kinds."""

_WHAT = {"to": 'whom it goes to, such as ["shift@plant.example"]', "sender": "whom it comes from"}


def check_targets(draft: Draft) -> Iterator[Problem]:
    """Give what is wrong, target by target."""
    for index, target in draft.targets.items():
        at: Location = ("targets", index)
        yield from _keys(at, target)
        yield from _address((*at, "address"), target)
        yield from _topic((*at, "topic"), target.topic)
        if target.timeout <= timedelta(0):
            yield Problem((*at, "timeout"), "is not above zero; write a duration such as '15 s'")


def _keys(at: Location, target: MessageTarget) -> Iterator[Problem]:
    kind = _KINDS[target.kind]
    if target.secret_variable and target.secret_file:
        yield Problem((*at, "secret_file"), "stands beside 'secret_variable'; keep one of the two")
    given = {name: getattr(target, name, None) for name in _OWN}
    given["secret"] = target.secret_variable or target.secret_file
    for name in _OWN:
        key = ("secret_file" if target.secret_file else "secret_variable") if name == "secret" else name
        if given[name] and name not in (*kind.needs, *kind.may):
            yield Problem((*at, key), f"means nothing to a target of kind {target.kind!r}; leave it out")
        if not given[name] and name in kind.needs:
            what = _WHAT.get(name, "the environment variable that holds the secret, or secret_file")
            absent = _absent(target, key)
            yield Problem((*at, key), f"{absent}; a target of kind {target.kind!r} needs it: write {what}")
    if given["user"] and not given["secret"] and "user" in kind.may:
        yield Problem((*at, "secret_variable"), "is missing; a user needs a password")
    if target.kind in ("email", "mqtt") and given["secret"] and not given["user"]:
        yield Problem((*at, "user"), "is missing; a password needs a user")


def _absent(target: MessageTarget, key: str) -> str:
    return "is empty" if key in target.model_fields_set else "is missing"


def _address(at: Location, target: MessageTarget) -> Iterator[Problem]:
    schemes = _KINDS[target.kind].schemes
    if not schemes:
        if target.address:
            yield Problem(at, "means nothing here: the secret is the whole URL; leave it out")
        return
    example = f"write one such as '{schemes[-1]}://host{'/path' if schemes == _WEB else ''}'"
    if not target.address:
        yield Problem(at, f"{_absent(target, 'address')}; {example}")
        return
    try:
        parts = urlsplit(target.address)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0) and target.address.isprintable()
        (parts.hostname or "").encode("idna")
    except ValueError:
        usable = False
    if not usable or " " in target.address:
        yield Problem(at, f"{target.address!r} is no address; {example}")
    elif parts.scheme not in schemes:
        yield Problem(at, f"begins with {parts.scheme!r}; a target of kind {target.kind!r} has {either(schemes)}")
    elif parts.username is not None or parts.password is not None:
        yield Problem(at, "holds a user or a password; they do not belong into the plant file, name secret_variable")


def _topic(at: Location, topic: str) -> Iterator[Problem]:
    try:
        words = [word for _, word, _, _ in Formatter().parse(topic) if word is not None]
    except ValueError:
        yield Problem(at, f"{topic!r} has a brace too many; write one such as 'andon/{{machine}}'")
        return
    for word in words:
        if word not in TOPIC_WORDS:
            yield Problem(at, f"there is no word {{{word}}}; {nearest(word, TOPIC_WORDS)}")
    if topic and "machine" not in words:
        yield Problem(at, "has no {machine}; machines would overwrite each other, write one such as 'andon/{machine}'")
    if set(topic) & set("+#\0"):
        yield Problem(at, "has '+' or '#', which stand for other topics; nothing can be sent to them")
