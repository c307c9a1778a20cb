"""Every protocol by which a made-up plant can be played."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ingest.errors import TargetError
from ingest.simulation.scenario import Scenario
from ingest.simulation.targets.http import HttpTarget
from ingest.simulation.targets.mqtt import MqttTarget
from ingest.simulation.targets.opcua import OpcuaTarget
from ingest.simulation.targets.target import Opener, Target

TARGETS: Mapping[str, Opener] = {
    "http": HttpTarget,
    "https": HttpTarget,
    "mqtt": MqttTarget,
    "opc.tcp": OpcuaTarget,
}
"""What an address begins with, and what it leads to."""


def target_at(url: str, scenario: Scenario) -> Target:
    """Return the target of an address such as ``mqtt://127.0.0.1:1883``.

    Raises
    ------
    TargetError
        When the address leads nowhere.
    """
    try:
        address = urlsplit(url)
    except ValueError as error:
        raise TargetError(f"{url}: {error}") from error
    if address.scheme not in TARGETS:
        known = ", ".join(f"{each}://" for each in TARGETS)
        raise TargetError(f"{url}: nothing can be played there; addresses begin with {known}")
    return TARGETS[address.scheme](address, scenario)
