"""What the card of a model says of how it tells remaining lives."""

from collections.abc import Mapping
from typing import Any

from models.sentence import number


def life_lines(life: Mapping[str, Any] | None) -> list[str]:
    """Say how far lives are told, how that was chosen, and what the intervals rest on.

    Examples
    --------
    >>> life = {"reach": 125.0, "tried": [80.0, 125.0], "errors": [0.24, 0.18], "lives": 100, "ended": 90}
    >>> told, rests = life_lines(life)
    >>> told.split(", ", 1)[0], told.split("; ")[1]
    ('- Lives are told up to 125 h', 'tried: 80 h (24 %), 125 h (18 %).')
    >>> rests.split("; ")[0]
    '- Intervals rest on the errors made on 100 lives that were held out'
    """
    if life is None:
        return []
    reach = f"{number(life['reach'])} h"
    tried = zip(life["tried"], life["errors"], strict=False)
    told = [(f"{number(hours)} h", f"{100 * share:.0f} %", hours == life["reach"]) for hours, share in tried]
    best = next((share for _, share, chosen in told if chosen), "")
    why = f", where the error on machines held out was least, {best} of the life left" if best else ""
    all_tried = f"; tried: {', '.join(f'{hours} ({share})' for hours, share, _ in told)}" if told else ""
    rest = "no life could be held out, so the intervals are guesses"
    if life["lives"]:
        rest = (
            f"Intervals rest on the errors made on {life['lives']} lives that were held out; {life['ended']} of all"
            ' lives ended, the others only say "longer than"'
        )
    return [f"- Lives are told up to {reach}{why}{all_tried}.", f"- {rest[0].upper()}{rest[1:]}."]
