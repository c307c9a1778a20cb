"""The OPC UA servers that a plant listens to: the ``[[opcua]]`` tables of the plant file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ingest.decode.topic import filled
from ingest.duration import Duration
from ingest.part import Name, Part

if TYPE_CHECKING:
    from ingest.plant import Machine

WORDS = ("machine", "signal", "site", "area", "line")
"""What a node id may take from the plant file."""


class OpcuaNodes(Part):
    """Nodes whose ids are built in one way, a node for each machine and signal."""

    node: Name = Field(
        "{signal}",
        description="Node id, such as `ns=2;s={line}/{machine}/{signal}`, or `nsu=http://maker.example/;i=1001` where "
        "the server numbers its namespaces anew. `{machine}`, `{signal}`, `{site}`, `{area}` and `{line}` are put in.",
    )
    machine: str = Field("", description="The only machine; needed if the node id has no `{machine}`.")
    machine_class: str = Field(
        "", alias="class", description="Only machines of this class; all machines when left out."
    )
    machines: dict[str, str] | None = Field(
        None, description="Word of each machine in node ids, as machine = word; its name when left out."
    )
    signals: dict[str, str] | None = Field(
        None,
        description="Word of each signal in node ids, as signal = word; others are passed over. When left out: "
        "all signals, by their names.",
    )


class Opcua(Part):
    """An OPC UA server and the nodes whose values are read there; nothing is ever written or called."""

    name: Name = Field(description="Name of the stream, unique among sources and streams.")
    url: Name = Field(description="Address of the server, such as `opc.tcp://plc.plant.example:4840`.")
    security: Literal["none", "sign", "sign_and_encrypt"] = Field(
        "none", description="What is done with each message, by the policy Basic256Sha256."
    )
    certificate_file: str = Field("", description="Our certificate, PEM or DER, relative to the plant file.")
    key_file: str = Field("", description="Its private key, PEM, relative to the plant file.")
    server_certificate_file: str = Field(
        "", description="The server's certificate; the one that it shows is taken when left out."
    )
    user_variable: str = Field("", description="Environment variable that holds the user's name.")
    password_variable: str = Field("", description="Environment variable that holds the password.")
    publishing_interval: Duration = Field(
        "1 s", validate_default=True, description="How often the server sends what is new."
    )
    sampling_interval: Duration | None = Field(
        None, description="How often the server looks at a value; as often as it sends when left out."
    )
    queue_size: int = Field(
        100, ge=1, le=100_000, description="Values of a node that the server keeps until they are sent."
    )
    changes_only: bool = Field(
        False, description="Whether a value that is read anew but has not changed is left out by the server."
    )
    uncertain: Literal["reject", "keep"] = Field(
        "reject", description="Values of uncertain quality: dead letters, or readings like all others."
    )
    nodes: list[OpcuaNodes] = Field([], description="Nodes to read.")


def node_ids(
    nodes: OpcuaNodes, machines: "Iterable[Machine]", signals: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str, str]]:
    """Give (node id, machine, signal) of each node.

    Parameters
    ----------
    signals : names of the signals of each class
    """
    for machine in machines:
        if not _is_meant(nodes, machine):
            continue
        place = {"site": machine.site, "area": machine.area, "line": machine.line}
        word = machine.name if nodes.machines is None else nodes.machines[machine.name]
        for signal in signals.get(machine.machine_class, []):
            if nodes.signals is None or signal in nodes.signals:
                own = signal if nodes.signals is None else nodes.signals[signal]
                yield filled(nodes.node, {**place, "machine": word, "signal": own}), machine.name, signal


def _is_meant(nodes: OpcuaNodes, machine: "Machine") -> bool:
    if nodes.machine and machine.name != nodes.machine:
        return False
    if nodes.machine_class and machine.machine_class != nodes.machine_class:
        return False
    return nodes.machines is None or machine.name in nodes.machines
