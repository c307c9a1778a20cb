"""Where messages about alerts go: the ``[[targets]]`` tables of the plant file."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from ingest.duration import Duration
from ingest.part import Name, Part


class MessageTarget(Part):
    """Somebody who is told of alerts, and how they are reached."""

    name: Name = Field(description="Name of the target, unique in the plant.")
    kind: Literal["webhook", "alertmanager", "email", "mqtt", "apprise"] = Field(
        description="webhook: a signed POST after Standard Webhooks. alertmanager: the same with the body of "
        "Alertmanager's webhook. email: by SMTP. mqtt: the state of each machine, retained. apprise: Slack, Teams and "
        "the rest, by the URL of Apprise that the secret holds."
    )
    address: str = Field(
        "",
        description="`https://host/path` or `http://…` of a webhook, which `ANDON_WEBHOOKS_TO` must allow; "
        "`smtp://host:25`, `smtp+starttls://host:587` or `smtps://host:465`; `mqtt://host:1883` or "
        "`mqtts://host:8883`; nothing for apprise.",
    )
    to: list[Name] = Field([], description="E-mail: who gets it.")
    sender: str = Field("", max_length=200, description="E-mail: whom it comes from.")
    topic: str = Field(
        "",
        description="MQTT: topic with `{machine}`, and `{plant}`, `{site}`, `{line}` where wanted; `andon/{machine}` "
        "when left out.",
    )
    user: str = Field("", max_length=200, description="E-mail, MQTT: name of the user; the secret is the password.")
    secret_variable: str = Field(
        "",
        description="Environment variable that holds the secret: what a webhook is signed with (`whsec_…`; several "
        "with blanks between while a new one takes over), a password, or the URL of Apprise.",
    )
    secret_file: str = Field("", description="Or the file that holds it, relative to the plant file.")
    ca_file: str = Field(
        "",
        description="PEM file of the authorities to trust, relative to the plant file; the computer's own if left out.",
    )
    per_minute: int | None = Field(None, ge=1, description="At most so many messages a minute; no limit if left out.")
    at_once: int = Field(4, ge=1, le=64, description="At most so many messages under way; MQTT has one.")
    timeout: Duration = Field(timedelta(seconds=15), description="A try that takes longer has failed.")
