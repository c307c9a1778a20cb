"""The payload of Sparkplug B, described field by field as its public specification numbers them.

No generated code: the description becomes a message class when it is first needed, so that any release of
``protobuf`` will do. Of fields with the same fourth word a message holds one. Fields that hold no single
value (data sets, templates) are passed over.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from ingest.errors import SourceError

_PACKAGE = "andon.sparkplug"
_MESSAGES: dict[str, tuple[str, ...]] = {
    "PropertyValue": ("1 type uint32", "2 is_null bool", "3 int_value uint32", "4 long_value uint64"),
    "PropertySet": ("1 keys string*", "2 values PropertyValue*"),
    "Metric": (
        "1 name string",
        "2 alias uint64",
        "3 timestamp uint64",
        "4 datatype uint32",
        "5 is_historical bool",
        "6 is_transient bool",
        "7 is_null bool",
        "9 properties PropertySet",
        "10 int_value uint32 value",
        "11 long_value uint64 value",
        "12 float_value float value",
        "13 double_value double value",
        "14 boolean_value bool value",
        "15 string_value string value",
    ),
    "Payload": ("1 timestamp uint64", "2 metrics Metric*", "3 seq uint64", "4 uuid string", "5 body bytes"),
}
MOST_METRICS = 100_000
"""Of one payload: to look at each takes microseconds, and an empty one has two bytes."""
_SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
_BOOLEAN = 11
_GOOD_QUALITY = 192


class Metric(NamedTuple):
    """One metric of a payload.

    Attributes
    ----------
    name : empty where only its alias is given
    alias, time : ``None`` where they are not given; the time in milliseconds since 1970
    kind : number of its data type; 0 where it is not given
    value : ``None`` if there is none, or none that is good
    """

    name: str
    alias: int | None
    time: int | None
    kind: int
    value: float | str | None


class Payload(NamedTuple):
    """A payload: its number in the sequence of its edge node, and its metrics."""

    sequence: int | None
    metrics: Sequence[Metric]


def read_payload(body: bytes) -> Payload:
    """Read a payload.

    Raises
    ------
    SourceError
        When it is none, or ``protobuf`` is not installed.
    """
    read = message_class("Payload")()
    from google.protobuf.message import DecodeError

    try:
        read.ParseFromString(body)
        if len(read.metrics) > MOST_METRICS:
            raise SourceError(f"its payload has more than {MOST_METRICS:,} metrics; send them in several")
        time = read.timestamp if read.HasField("timestamp") else None
        return Payload(read.seq if read.HasField("seq") else None, [_metric(each, time) for each in read.metrics])
    except (DecodeError, UnicodeDecodeError) as error:
        raise SourceError("its payload is not one of Sparkplug B") from error


def signed(value: float | str | None, kind: int) -> float | str | None:
    """Return a value as its data type means it: small and negative integers travel as unsigned ones.

    Examples
    --------
    >>> signed(4294967254, 3)
    -42
    """
    bits = _SIGNED_BITS.get(kind)
    if bits is None or not isinstance(value, int):
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def rebirth_command(time: int) -> bytes:
    """Return the payload that asks an edge node to say again all that it has.

    Parameters
    ----------
    time : milliseconds since 1970
    """
    payload = message_class("Payload")(timestamp=time)
    payload.metrics.add(name="Node Control/Rebirth", timestamp=time, datatype=_BOOLEAN, boolean_value=True)
    return payload.SerializeToString()


def require_protobuf() -> None:
    """Raise ``SourceError`` if ``protobuf`` is not installed."""
    message_class("Payload")


@cache
def message_class(name: str) -> Any:
    """Return the class of a message: ``Payload`` or a part of it.

    Raises
    ------
    SourceError
        When ``protobuf`` is not installed.
    """
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError as error:
        raise SourceError("Sparkplug needs a package that is not installed; run: pip install 'andon[mqtt]'") from error
    file = descriptor_pb2.FileDescriptorProto(name="andon/sparkplug.proto", package=_PACKAGE, syntax="proto2")
    kinds = descriptor_pb2.FieldDescriptorProto
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        choices: list[str] = []
        for number, field, kind, *choice in (each.split() for each in fields):
            plain = kind.removesuffix("*")
            made = described.field.add(name=field, number=int(number), label=kinds.LABEL_OPTIONAL)
            if choice:
                if choice[0] not in choices:
                    choices.append(choice[0])
                    described.oneof_decl.add(name=choice[0])
                made.oneof_index = choices.index(choice[0])
            if kind != plain:
                made.label = kinds.LABEL_REPEATED
            if plain in _MESSAGES:
                made.type, made.type_name = kinds.TYPE_MESSAGE, f".{_PACKAGE}.{plain}"
            else:
                made.type = getattr(kinds, f"TYPE_{plain.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


def _metric(read: Any, time: int | None) -> Metric:
    value: float | str | None = None
    if not read.is_null and _good(read) and (field := read.WhichOneof("value")):
        value = getattr(read, field)
    return Metric(
        _text(read.name),
        read.alias if read.HasField("alias") else None,
        read.timestamp if read.HasField("timestamp") else time,
        read.datatype,
        float(value) if isinstance(value, bool) else _text(value) if isinstance(value, (str, bytes)) else value,
    )


def _text(text: str | bytes) -> str:
    """Return a text of a payload; one that is not UTF-8 comes as bytes."""
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


def _good(read: Any) -> bool:
    if not read.HasField("properties"):
        return True
    keys, values = list(read.properties.keys), read.properties.values
    if "Quality" not in keys:
        return True
    if keys.index("Quality") >= len(values):
        return True
    quality = values[keys.index("Quality")]
    return bool(quality.int_value == _GOOD_QUALITY or not quality.HasField("int_value"))
