"""How a command that goes on is stopped."""

import signal
from threading import Event, Thread


def stopped_by_signals() -> Event:
    """Return an event that Ctrl-C and a service manager set."""
    stop = Event()

    def set_it(*_: object) -> None:
        # Not in this thread: it may be inside the event's own lock at this moment.
        Thread(target=stop.set).start()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, set_it)
    return stop
