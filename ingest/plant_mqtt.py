"""The brokers that a plant listens to: the ``[[mqtt]]`` tables of the plant file."""

from typing import Literal

from pydantic import Field

from ingest.duration import Duration
from ingest.part import Name, Part, ZoneName


class MqttTopic(Part):
    """Messages of one shape: which topics they have, and how machine, signal, time and value are read."""

    template: Name = Field(
        description="Topics, such as `plant/{line}/{machine}/{signal}`: a word in braces stands for one level and "
        "gives it a name, `+` for any level, `#` at the end for all that follow."
    )
    payload: Literal["number", "json"] = Field(
        "number", description="number: one value as text. json: a value, an object, or a list of objects."
    )
    machine: Name = Field("{machine}", description="The machine, with words of the template in braces.")
    signal: Name = Field(
        "{signal}",
        description="The signal, in the same way. When left out and the template has no such word, a JSON object "
        "has one key for each signal.",
    )
    value: Name = Field("value", description="JSON of one signal: key of the value.")
    time: Name = Field("time", description="JSON: key of the event time; without it, the time of arrival is meant.")
    time_format: str = Field("iso", description="As in `[[sources]]`.")
    time_zone: ZoneName | None = Field(None, description="Zone of times that name none; the plant's when left out.")
    decimal: Literal[".", ","] = Field(".", description="Decimal mark of numbers that come as text.")
    signals: dict[str, str] | None = Field(
        None,
        description="Name of each signal in topics or keys, as signal = name; others are passed over. When left out: "
        "named as the signals.",
    )
    units: dict[str, str] = Field({}, description="As in `[[sources]]`.")


class Sparkplug(Part):
    """Edge nodes that speak Sparkplug B."""

    groups: list[Name] = Field([], description="Groups to listen to; all when left out.")
    machine: Name = Field(
        "{device}", description="Machine of a device: a text with `{group}`, `{node}` and `{device}`."
    )
    node_machine: Name = Field(
        "{node}", description="Machine of a node's own metrics; they are passed over if there is no such machine."
    )
    signals: dict[str, str] | None = Field(
        None, description="Metric of each signal, as signal = metric; when left out: metrics named as the signals."
    )
    units: dict[str, str] = Field({}, description="As in `[[sources]]`.")


class Mqtt(Part):
    """An MQTT broker and the topics that are listened to there, with quality of service 1."""

    name: Name = Field(description="Name of the stream, unique among sources and streams.")
    host: Name = Field(description="Host name or address of the broker.")
    port: int | None = Field(None, ge=1, le=65535, description="Port; 1883, or 8883 with `tls`, when left out.")
    protocol: Literal["5", "3.1.1"] = Field("5", description="Version of MQTT that the broker speaks.")
    client_id: str = Field(
        "",
        max_length=200,
        description="Name of the session at the broker, used by nobody else; made of plant and name.",
    )
    user_variable: str = Field("", description="Environment variable that holds the user's name.")
    password_variable: str = Field("", description="Environment variable that holds the password.")
    tls: bool = Field(False, description="Whether the connection is encrypted.")
    ca_file: str = Field(
        "",
        description="PEM file of the authorities to trust, relative to the plant file; the computer's own if left out.",
    )
    session_expiry: Duration = Field(
        "7 d", validate_default=True, description="How long the broker keeps messages while Andon is away (MQTT 5)."
    )
    topics: list[MqttTopic] = Field(
        [], description="Topics to listen to; the first template that fits a message counts."
    )
    sparkplug: Sparkplug | None = Field(None, description="Listen to Sparkplug B; `sparkplug = {}` where all fits.")
