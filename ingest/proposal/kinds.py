"""Words of the plant, English and German, that tell what happened, and when it began and ended."""

import re

from ingest.event import EventKind

_Row = tuple[str, EventKind, float]

KINDS: tuple[_Row, ...] = (
    (r"(maint|repair|service|work|wartung|instandh|reparatur|arbeit).{0,12}(order|auftr)", "maintenance", 0.8),
    (r"fail|break.?down|mal.?function|ausf(?:a|ä|ae)ll|defekt|versag", "failure", 0.9),
    (r"maint|repair|service|wartung|instand|reparatur|replace|overhaul", "maintenance", 0.9),
    (r"inspect|inspektion", "inspection", 0.9),
    (r"stop|down.?time|stand.?still|stillst", "stop", 0.9),
    (r"err|alarm|warn", "error", 0.9),
    (r"fehler", "error", 0.6),
    (r"fault|st(?:ö|oe)r", "error", 0.4),
    (r"order|auftrag|job", "order", 0.9),
    (r"shift|schicht", "shift", 0.9),
    (r"count|piece|scrap", "count", 0.9),
    (r"state|status|mode", "state", 0.9),
)
"""Pattern, kind, and how sure it is: a fault may be a failure, a stop or only a message."""

FLAGS: tuple[_Row, ...] = (
    (r"anomal|outlier|label|attack|target|change.?point", "state", 0.9),
    (r"broken|defect", "failure", 0.9),
    (r"fault", "failure", 0.5),
    *(row for row in KINDS if row[1] in ("failure", "maintenance", "error", "stop")),
    (r"down", "stop", 0.7),
)
"""The same for columns that are 1 while something lasts."""

_BEGIN = r"begin|start|anfang|onset|since|seit|occurr|raised|(^|[_ .-])(from|von)([_ .-]|$)"
_END = (
    r"end(e|ed|zeit|datum|time|date)?([_ .-]|$)|finish|until|complet|clear|resolved|closed|behoben"
    r"|(^|[_ .-])(to|bis)([_ .-]|$)"
)


def kind_of(*words: str) -> tuple[EventKind, float]:
    """Guess the kind of events from names, the most telling first; half sure at most where they disagree.

    Examples
    --------
    >>> kind_of("PdM_failures", "failure")
    ('failure', 0.9)
    >>> kind_of("log", "text")
    ('state', 0.3)
    >>> kind_of("Ausfälle"), kind_of("ausfaelle")
    (('failure', 0.9), ('failure', 0.9))
    >>> kind_of("Störbeginn"), kind_of("Instandhaltungsauftrag"), kind_of("downtime start")
    (('error', 0.4), ('maintenance', 0.8), ('stop', 0.9))
    >>> kind_of("service", "alarm")
    ('maintenance', 0.5)
    """
    found = [row for word in words if (row := first_row(KINDS, word)) is not None]
    if not found:
        return "state", 0.3
    _, kind, sure = found[0]
    return kind, sure if all(each[1] == kind for each in found) else min(sure, 0.5)


def first_row(rows: tuple[_Row, ...], word: str) -> _Row | None:
    """Return the first row whose pattern stands in a word."""
    return next((row for row in rows if re.search(row[0], word, re.IGNORECASE)), None)


def names_begin(name: str) -> bool:
    """Whether a column is named as the begin of something."""
    return re.search(_BEGIN, name, re.IGNORECASE) is not None


def names_end(name: str) -> bool:
    """Whether a column is named as the end of something.

    Examples
    --------
    >>> [name for name in ("Störende", "end_time", "Bis", "calendar day", "total") if names_end(name)]
    ['Störende', 'end_time', 'Bis']
    """
    return re.search(_END, name, re.IGNORECASE) is not None
