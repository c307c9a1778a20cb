"""Settings of the installation: where the plant file lies, where to listen, how often to wake.

What belongs to the plant stands in the plant file; what belongs to the computer stands here.
Only the command line and the wiring read settings; everything else gets values as arguments.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints
from urllib.parse import urlsplit

from ingest.duration import format_duration, parse_duration
from ingest.errors import SettingError
from ingest.spool import WhenFull
from service.delivery.allowed import Allowed, read_allowed

PREFIX = "ANDON_"
_NAME = re.compile(r"[\w.-]+", re.ASCII)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 <= int(text) <= 65535:
        raise ValueError(f"{text!r} is not a port; write a number from 0 to 65535")
    return int(text)


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither 'yes' nor 'no'")
    return text.lower() == "yes"


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{text!r} is not a count; write a whole number from 1 on")
    return int(text)


def _watts(text: str) -> float:
    try:
        watts = float(text)
    except ValueError:
        watts = -1.0
    if not 0 <= watts < math.inf:
        raise ValueError(f"{text!r} is no power in watts; write a number such as 10")
    return watts


def _when_full(text: str) -> WhenFull:
    for each in get_args(WhenFull):
        if text == each:
            return each
    raise ValueError(f"{text!r} is neither " + " nor ".join(map(repr, get_args(WhenFull))))


def _engine(text: str) -> str:
    from models.engine.named import understood

    return understood(text)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name of a computer; write it without scheme, port and path: andon.example"
            )
    return names


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is no address of a dashboard; write one such as https://andon.example")
    return text.rstrip("/")


def _issuer(text: str) -> str:
    from service.access.address import is_safe

    if not is_safe(text) or urlsplit(text).query:
        raise ValueError(f"{text!r} is no address of an issuer; write one such as https://id.example/realms/plant")
    return text


def _claim(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{text!r} is no claim; write one such as preferred_username or email")
    return text


def _public_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip().lower() for key in text.split(",") if key.strip())
    for key in keys:
        if not re.fullmatch(r"[0-9a-f]{64}", key):
            raise ValueError(
                f"{key!r} is no public key of 64 hexadecimal digits; 'andon models key' says it where it is"
            )
    return keys


def _types(text: str) -> tuple[str, ...]:
    types = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in types:
        if "." not in name or not all(part.isidentifier() for part in name.split(".")):
            raise ValueError(f"{name!r} is no type; write it with its module: my_package.MyClassifier")
    return types


def _some_time(text: str) -> timedelta:
    span = parse_duration(text)
    if span <= timedelta(0):
        raise ValueError(f"{text!r} is no time at all; write a span longer than zero")
    return span


@dataclass(frozen=True, slots=True)
class Setting:
    """How one setting is read from text, and what it is for."""

    read: Callable[[str], object]
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of one installation; each has an environment variable named ``ANDON_`` and its name."""

    plant: Annotated[Path, Setting(Path, "The plant file.")] = Path("plant.toml")
    host: Annotated[str, Setting(str, "Address to listen on; `0.0.0.0` is every network.")] = "127.0.0.1"
    hosts: Annotated[
        tuple[str, ...], Setting(_names, "Further names that browsers call this computer by, with commas between.")
    ] = ()
    port: Annotated[int, Setting(_port, "Port to listen on; `0` takes a free one.")] = 8420
    open: Annotated[
        bool, Setting(_yes_or_no, "Whether everybody on the network may do everything while there is no user.")
    ] = False
    tls_certificate: Annotated[
        Path | None, Setting(Path, "Certificate to serve https with, PEM; plain http, as behind a proxy, without.")
    ] = None
    tls_key: Annotated[Path | None, Setting(Path, "Private key of that certificate, PEM.")] = None
    session_idle: Annotated[timedelta, Setting(_some_time, "A session without a request for this long is over.")] = (
        timedelta(hours=12)
    )
    session_longest: Annotated[
        timedelta, Setting(_some_time, "A session is over after this long, however busy it is.")
    ] = timedelta(days=7)
    oidc_issuer: Annotated[
        str,
        Setting(
            _issuer,
            "Issuer of [single sign-on](access.md#single-sign-on), `https://id.example/realms/plant`; none without.",
        ),
    ] = ""
    oidc_client: Annotated[str, Setting(str, "What Andon is called there.")] = ""
    oidc_secret: Annotated[
        str, Setting(str, "What Andon proves there that it is Andon with; a public client has none.")
    ] = ""
    oidc_claim: Annotated[
        str,
        Setting(_claim, "What the issuer says that is the name of a user here; `email` counts if it verified it."),
    ] = "preferred_username"
    changes_per_minute: Annotated[
        int,
        Setting(_count, "Requests that change something, from one user, key or address; pushes of readings are free."),
    ] = 600
    jobs: Annotated[bool, Setting(_yes_or_no, "Whether `andon serve` also runs the plant's jobs.")] = True
    tick: Annotated[timedelta, Setting(_some_time, "Time between two looks at the ledger for due jobs.")] = timedelta(
        seconds=5
    )
    lease: Annotated[
        timedelta, Setting(_some_time, "A run whose worker is silent for this long is taken over by another one.")
    ] = timedelta(minutes=5)
    core_watts: Annotated[
        float,
        Setting(
            _watts, "What one busy core draws, with its share of memory and cooling: the ledger's energy rests on it."
        ),
    ] = 10.0
    database: Annotated[
        str, Setting(str, "A PostgreSQL database in place of files, `postgresql://user@host/name`; one for each plant.")
    ] = ""
    lake: Annotated[
        str,
        Setting(
            str, "An S3 bucket in place of the folder of sealed readings, `s3://bucket/folder?endpoint=http://host`."
        ),
    ] = ""
    engine: Annotated[
        str,
        Setting(
            _engine,
            "Where machines are worked on: `here`, in `processes` of this computer (`processes:4` for four), or on the"
            " Dask cluster whose scheduler has this address, `tcp://host:8786`; see [engine](engine.md).",
        ),
    ] = "here"
    keep_runs: Annotated[
        timedelta,
        Setting(
            _some_time,
            "A job with action `clean` removes runs that ended, and messages that were sent, longer ago than this.",
        ),
    ] = timedelta(days=90)
    keep_assessments: Annotated[
        timedelta, Setting(_some_time, "A job with action `clean` removes assessments older than this.")
    ] = timedelta(days=400)
    keep_versions: Annotated[
        int,
        Setting(
            _count,
            "Training keeps so many newest versions of a model, and all that were ever live or an open alert names.",
        ),
    ] = 20
    signing_key: Annotated[
        Path | None,
        Setting(Path, "Private key that signs model versions, PEM; `models.key` in the data folder when left out."),
    ] = None
    trusted_keys: Annotated[
        tuple[str, ...],
        Setting(_public_keys, "Public keys whose signatures on models count beside our own, with commas between."),
    ] = ()
    trusted_types: Annotated[
        tuple[str, ...],
        Setting(_types, "Types beside ours that a model may be made of, such as `my_package.MyClassifier`."),
    ] = ()
    deliver: Annotated[
        bool, Setting(_yes_or_no, "Whether `andon serve` also brings messages about alerts to the plant's targets.")
    ] = True
    webhooks_to: Annotated[
        tuple[Allowed, ...],
        Setting(
            read_allowed,
            "Where webhooks may go, with commas between: computers with their ports, `mes.example:8080`, and networks,"
            " `10.1.0.0/16`.",
        ),
    ] = ()
    public_address: Annotated[
        str, Setting(_web_address, "Where people reach the dashboard, for links in messages: `https://andon.example`.")
    ] = ""
    forward_to: Annotated[str, Setting(str, "Address of the centre that `andon forward` sends to.")] = ""
    forward_ca_file: Annotated[
        Path | None, Setting(Path, "Authorities that may vouch for the centre; those of the system when left out.")
    ] = None
    forward_token: Annotated[
        str,
        Setting(
            str, "Sent to the centre as `Authorization: Bearer …`: a [key](access.md) of it, or for a proxy before it."
        ),
    ] = ""
    spool: Annotated[
        Path | None, Setting(Path, "Folder of the spool of `andon forward`; `spool` in the data folder when left out.")
    ] = None
    spool_megabytes: Annotated[int, Setting(_count, "Room on disk for what is not sent yet.")] = 1024
    spool_when_full: Annotated[
        WhenFull,
        Setting(_when_full, "`refuse`: sources keep what is new; `drop oldest`: the oldest is lost, and counted."),
    ] = "refuse"


def _settings() -> dict[str, Setting]:
    hints = get_type_hints(Settings, include_extras=True)
    return {name: setting for name, hint in hints.items() for setting in hint.__metadata__}


def read_settings(environment: Mapping[str, str], **arguments: object) -> Settings:
    """Return settings: an argument first, then the environment, then the default.

    Parameters
    ----------
    arguments : values of settings by name, such as from the command line; ``None`` means not given

    Raises
    ------
    SettingError
        With one line for each variable that cannot be read, or that names no setting.

    Examples
    --------
    >>> read_settings({"ANDON_PORT": "9000"}, host=None).port
    9000
    """
    known = _settings()
    values: dict[str, Any] = {}
    problems: list[str] = []
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = (
                f"did you mean {PREFIX}{near[0].upper()}?"
                if near
                else "there are " + ", ".join(PREFIX + each.upper() for each in known)
            )
            problems.append(f"{variable}: no such setting; {hint}")
            continue
        try:
            values[name] = known[name].read(text)
        except ValueError as error:
            problems.append(f"{variable}: {error}")
    if problems:
        raise SettingError("\n".join(problems))
    values |= {name: value for name, value in arguments.items() if value is not None}
    return Settings(**values)


def settings_table() -> str:
    """Return all settings as the Markdown table that stands in ``docs/settings.md``."""
    known = _settings()
    lines = ["| Setting | Variable | Default | Meaning |", "|---|---|---|---|"]
    for each in fields(Settings):
        variable = PREFIX + each.name.upper()
        default = f"`{written}`" if (written := _written(each.default)) else ""
        lines.append(f"| {each.name} | `{variable}` | {default} | {known[each.name].description} |")
    return "\n".join(lines)


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, float):
        return f"{value:g}"
        return ", ".join(map(str, value))
    return format_duration(value) if isinstance(value, timedelta) else str(value)
