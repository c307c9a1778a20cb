"""Each kind of target and the channel that reaches it."""

from collections.abc import Callable, Mapping

from ingest.plant_target import MessageTarget
from service.delivery.channels.apprise import AppriseChannel
from service.delivery.channels.channel import Channel, Surroundings
from service.delivery.channels.mail import MailChannel
from service.delivery.channels.mqtt import MqttChannel
from service.delivery.channels.webhook import WebhookChannel

MakeChannel = Callable[[MessageTarget, Surroundings], Channel]

CHANNELS: Mapping[str, MakeChannel] = {
    "webhook": WebhookChannel,
    "alertmanager": WebhookChannel.of_alertmanager,
    "email": MailChannel,
    "mqtt": MqttChannel,
    "apprise": AppriseChannel,
}


def open_channel(target: MessageTarget, around: Surroundings) -> Channel:
    """Make the channel of a target; nothing is connected yet.

    Raises
    ------
    DeliveryError
        If it needs a package that is not installed.
    """
    return CHANNELS[target.kind](target, around)
