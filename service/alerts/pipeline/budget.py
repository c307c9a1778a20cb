"""Budget: so many new calls a week on each route and no more, for the alerts that are worth most.

A call takes a token when it is worth more than the token is expected to bring later in the week; what is held back is
in the digest, and is asked again while it lasts. What is critical is always told, and takes no token.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.alerts.pipeline.call import Call, Held, Reason, Sieved
from service.alerts.pipeline.purse import Purse
from service.alerts.pipeline.scene import Scene
from service.alerts.severity import Severity

LOOK_AGAIN = timedelta(hours=6)
"""How often a call that was worth too little is asked again: the price falls as the week goes by."""


def budget(calls: Sequence[Call], scene: Scene) -> Sieved:
    """Let the best calls pass that there are tokens for."""
    sieved = Sieved()
    left = {route: purse.left for route, purse in scene.purses.items()}
    for each in sorted(calls, key=lambda call: (-call.worth.value, call.alert.number)):
        if not needs_token(each):
            sieved.passed.append(each)
            continue
        purse = scene.purses[each.route.name]
        own = left[each.route.name]
        held = _refused(each, purse, own, scene.now)
        if held is None:
            left[each.route.name] = own - 1
            sieved.passed.append(each)
        else:
            sieved.held.append(held)
    return sieved


def needs_token(call: Call) -> bool:
    """Return whether a call takes a token: not one of an alert that people know already, nor a critical one."""
    return call.kept.first is None and call.worth.severity is not Severity.CRITICAL


def _refused(call: Call, purse: Purse, left: int, now: datetime) -> Held | None:
    moments = [purse.ends] if call.worth.critical_from is None else [purse.ends, call.worth.critical_from]
    if left <= 0:
        words = f"all {purse.budget} calls of the week are spent; {call.worth.words}"
        return Held(call, Reason.BUDGET_SPENT, words, min(moments))
    price = purse.price(left)
    if call.worth.value >= price:
        return None
    words = (
        f"{call.worth.words}, and each of the {left} calls that are left this week is expected to save {price:,.0f}: "
        f"about {purse.expected:.0f} more alerts will ask"
    )
    return Held(call, Reason.LESS_WORTH, words, min(*moments, now + LOOK_AGAIN))
