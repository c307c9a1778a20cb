"""The Kafka clusters that a plant listens to: the ``[[kafka]]`` tables of the plant file."""

from typing import Literal

from pydantic import Field

from ingest.part import Columns, Name, Part, ZoneName


class KafkaTopic(Part):
    """A topic, and how its messages become rows of machine, time and values."""

    topic: Name = Field(description="Name of the topic.")
    format: Literal["json", "csv", "line_protocol", "arrow"] = Field(
        "json",
        description="json: a row, a list of rows, or an object of columns. csv: lines. line_protocol: that of "
        "InfluxDB. arrow: one IPC stream. Each message stands alone.",
    )
    machine: Columns = Field(
        ["machine"],
        description="Key or column (or several, joined by '/') that names the machine; in line protocol, the tag.",
    )
    machine_is: str = Field(
        "",
        description="The machine, where it does not stand in the message: a machine's name, or a text with `{key}`, "
        "the message's key.",
    )
    time: Name = Field(
        "time", description="Key or column of the event time; rows without one are of the message's own time."
    )
    time_format: str = Field("iso", description="As in `[[sources]]`; line protocol counts `ns` when left out.")
    time_zone: ZoneName | None = Field(None, description="Zone of times that name none; the plant's when left out.")
    signals: dict[str, str] | None = Field(
        None,
        description="Key or column of each signal, as signal = name; others are passed over. When left out: named as "
        "the signals.",
    )
    units: dict[str, str] = Field({}, description="As in `[[sources]]`.")
    signal_column: str | None = Field(None, description="One signal a row: key or column that names the signal.")
    value_column: str | None = Field(None, description="One signal a row: key or column that holds the value.")
    other_machines: Literal["reject", "ignore"] = Field(
        "reject", description="Rows of machines that the plant file does not name: keep as dead letters, or ignore."
    )
    columns: list[Name] = Field([], description="CSV: names of the columns, if messages have no header line.")
    delimiter: str = Field(",", description="CSV: between two columns.")
    decimal: Literal[".", ","] = Field(".", description="Decimal mark of numbers that come as text.")


class Kafka(Part):
    """A Kafka cluster and the topics that are read there, as a member of a consumer group."""

    name: Name = Field(description="Name of the stream, unique among sources and streams.")
    servers: list[Name] = Field(min_length=1, description='Some brokers of the cluster, as `"host:9092"`.')
    group: str = Field(
        "",
        max_length=200,
        description="Consumer group; members of one group share its messages. Made of plant and name when left out.",
    )
    start: Literal["earliest", "latest"] = Field(
        "earliest", description="Where to begin in topics that were never read: at their first message, or their end."
    )
    user_variable: str = Field("", description="Environment variable that holds the user's name (SASL).")
    password_variable: str = Field("", description="Environment variable that holds the password.")
    sasl: Literal["plain", "scram-sha-256", "scram-sha-512"] = Field(
        "scram-sha-512", description="How user and password are proven."
    )
    tls: bool = Field(False, description="Whether the connection is encrypted.")
    ca_file: str = Field(
        "",
        description="PEM file of the authorities to trust, relative to the plant file; the computer's own if left out.",
    )
    topics: list[KafkaTopic] = Field(min_length=1, description="Topics to read.")
