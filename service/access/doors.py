"""The doors: how people and programs are let in, as the application was told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from service.access.password import Passwords
from service.access.sessions import Lifetime


@dataclass(frozen=True, slots=True)
class Doors:
    """What letting in rests on.

    Attributes
    ----------
    clock : the real time, also where the plant's clock replays the past
    """

    clock: Callable[[], datetime]
    lifetime: Lifetime = field(default_factory=Lifetime)
    passwords: Passwords = field(default_factory=Passwords)
