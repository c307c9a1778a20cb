"""What mutes hold back; the stages that suppress and that shelve differ only in which mutes they look at."""

from collections.abc import Mapping, Sequence

from service.alerts.mute import MuteKind
from service.alerts.pipeline.call import Call, Held, Reason, Sieved


def held_by_mutes(calls: Sequence[Call], reasons: Mapping[MuteKind, Reason]) -> Sieved:
    """Hold back calls whose alerts are muted in one of these ways, until the last of those mutes is over."""
    sieved = Sieved()
    for each in calls:
        mutes = [mute for mute in each.alert.mutes if mute.kind in reasons]
        if not mutes:
            sieved.passed.append(each)
            continue
        last = max(mutes, key=lambda mute: mute.until)
        words = f"{last.name} by {last.by}: {last.why}"
        sieved.held.append(Held(each, reasons[last.kind], words, last.until))
    return sieved
