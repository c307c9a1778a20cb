"""The tables of a report: what was missed, the ways without a model, failure modes, leaks, and all the rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from models.assessment import not_assessed
from models.baselines.table import WORDS
from models.report.axis import number
from models.report.spans import span_text
from models.report.words import amount, rate, share

_TOLD = frozenset(
    [
        "model",
        "events",
        "found",
        "recall",
        "lead_hours",
        "lead_intervals",
        "early_enough",
        "false_alarms_per_machine_week",
        "precision",
        "money",
        "machine_weeks",
        "seconds",
        "enough",
        "watermark",
        "saved",
        "share_of_possible_saving",
        "real_rate",
        "by_mode",
        "missed",
        "money_curve",
        "horizon_hours",
        "late",
        "right_alerts",
        "right_once",
        "false_alarms",
        "leaks",
        "span",
        "split",
        "baselines",
        "alerts_without_model",
        "currency",
        "alerts",
        "event_list",
        "track_record",
        "reliability",
        "reasons",
        "threshold",
        "evidence",
        "not_judged",
        "open_alerts",
        "base_rate",
        "early_alerts",
        "unshown_alerts",
    ]
)
"""What has a place of its own on the page; everything else that a card holds is listed at its end."""


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
    brief: Sequence[int] = (),
    own: int = -1,
) -> str:
    """Return a table; every text is escaped.

    Parameters
    ----------
    numbers, brief : columns that hold numbers, and words that must not be broken
    own : row to set apart
    """
    kind = dict.fromkeys(numbers, ' class="number"')
    top = "".join(f'<th scope="col"{kind.get(place, "")}>{escape(text)}</th>' for place, text in enumerate(head))
    body = "".join(_row(row, kind, own=number == own) for number, row in enumerate(rows))
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(row: Sequence[str], kind: Mapping[int, str], *, own: bool) -> str:
    cells = [f'<th scope="row"{kind.get(0, "")}>{escape(row[0])}</th>']
    cells += [f"<td{kind.get(place, '')}>{escape(cell)}</td>" for place, cell in enumerate(row[1:], 1)]
    return f"<tr{' class=own' if own else ''}>{''.join(cells)}</tr>"


def missed(report: Mapping[str, Any]) -> str:
    """Return what was missed and why; empty where nobody looked."""
    misses = report.get("missed")
    if misses is None:
        return ""
    if not misses:
        return "<h2>What was missed, and why</h2><p>Nothing.</p>"
    counts = Counter(str(each["why"]) for each in misses)
    said = ", ".join(f"{count} × {why}" for why, count in counts.most_common())
    rows = [
        (str(each["begin"])[:16].replace("T", " "), each["machine"], each["mode"] or "–", each["why"], each["sentence"])
        for each in misses
    ]
    return (
        f"<h2>What was missed, and why</h2><p>{escape(said)}.</p>"
        f"{table(('Event', 'Machine', 'What failed', 'Why', 'More exactly'), rows)}"
    )


def ways(report: Mapping[str, Any]) -> str:
    """Return what every way to run the plant would have cost; empty where nobody worked it out."""
    if not report.get("money"):
        return ""
    currency, saved = str(report.get("currency", "")), report.get("saved") or {}
    alerts, rules = report.get("alerts_without_model") or {}, report.get("baselines") or {}
    rows = []
    for way, cost in report["money"].items():
        said = report if way == "model" else alerts.get(way, {})
        rows.append(
            (
                WORDS.get(way, way.replace("_", " ")),
                "–" if cost is None else f"{number(round(cost), 9)} {currency}",
                "" if way == "model" else amount(saved.get(way), currency),
                f"{said['found']} of {said['events']}" if said else "–",
                rate(said.get("false_alarms_per_machine_week")) if said else "–",
                "; ".join(rules.get(way, ())),
            )
        )
    head = ("Way", "Cost", "Saved by the model", "Events found", "False alarms per machine-week", "Rule")
    note = "Every rule was chosen on the same training data as the model, and judged on the same events."
    return (
        f'<h2>Beside the ways without it</h2><p class="small soft">{note}</p>{table(head, rows, numbers=(1, 2), own=0)}'
    )


def by_mode(report: Mapping[str, Any]) -> str:
    """Return how events of each failure mode were found; empty where there is one mode only."""
    modes = report.get("by_mode") or []
    if len(modes) < 2:
        return ""
    rows = [
        (
            each["mode"] or "not named",
            f"{each['found']} of {each['events']}",
            share(each["recall"]),
            str(each["late"]),
            span_text(each["needed_hours"]),
            span_text(each["median_lead_hours"]),
        )
        for each in modes
    ]
    head = ("What failed", "Found", "Share", "Too late", "Needed lead", "Median lead")
    return f"<h2>By what failed</h2>{table(head, rows)}"


def leaks(report: Mapping[str, Any]) -> str:
    """Return what may know the outcome beforehand."""
    found = report.get("leaks")
    if found is None:
        return ""
    if not found:
        return "<h2>What may know too much</h2><p>No feature was found to know the outcome beforehand.</p>"
    rows = [
        (
            leak["column"] or "the split",
            f"{leak['kind']}{' (refused)' if leak.get('refused') else ''}",
            leak["evidence"],
            leak.get("advice", ""),
        )
        for leak in found
    ]
    return f"<h2>What may know too much</h2>{table(('Feature', 'What', 'Seen', 'What to do'), rows)}"


def more(report: Mapping[str, Any]) -> str:
    """Return how it was judged, and whatever else the report holds."""
    rest = {
        "Split": _split(report),
        "Thresholds": ", ".join(_level(each) for each in report.get("threshold") or ()),
        "Claim": str(report.get("evidence") or ""),
        "Not assessed": not_assessed(report.get("reasons") or {}),
        "Not judged": _if(report.get("not_judged"), "events of machines that were not assessed before them"),
        "Alerts too recent to judge": _if(report.get("open_alerts"), ""),
        "Alerts that nobody would have seen": _if(report.get("unshown_alerts"), "came and went between two rounds"),
        "Assessments with an event ahead": _percent(report.get("base_rate")),
        "Early alerts": _early(report.get("early_alerts")),
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rest.items() if text)
    others = "".join(
        f"<dt>{escape(_words(key))}</dt><dd>{_tree(value)}</dd>"
        for key, value in report.items()
        if key not in _TOLD and value not in (None, "", [], {})
    )
    return f'<h2>How it was judged</h2><dl class="rest">{rows}{others}</dl>'


def _split(report: Mapping[str, Any]) -> str:
    return {
        "time": "by time, with a gap of one horizon; every choice was made on the part before",
        "machine": "by whole machines; every choice was made on the other machines",
        "random": "at random: flatters",
    }.get(str(report.get("split", "")), str(report.get("split", "")))


def _if(count: object, what: str) -> str:
    return f"{count} {what}".rstrip() if count else ""


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2g} %"


def _early(early: Mapping[str, Any] | None) -> str:
    if not early or not early["count"]:
        return ""
    return (
        f"{early['count']} false alarms began before an event but earlier than the horizon, up to"
        f" {span_text(early['longest_hours'])}; {number(early['by_chance'], 2)} would by chance"
    )


def _level(value: float) -> str:
    return f"{value:.8f}".rstrip("0") if 0.999 < value < 1 else f"{value:.3g}"


def _words(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _tree(value: object) -> str:
    if isinstance(value, Mapping):
        if {"value", "low", "high"} <= set(value):
            return escape(rate(value))
        rows = "".join(f"<dt>{escape(_words(str(key)))}</dt><dd>{_tree(each)}</dd>" for key, each in value.items())
        return f'<dl class="rest">{rows}</dl>'
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return escape(number(float(value), 4))
    if isinstance(value, Sequence):
        if value and all(isinstance(each, Mapping) for each in value):
            heads = list(dict.fromkeys(str(key) for each in value for key in each))
            cells = [[_plain(each.get(head)) for head in heads] for each in value[:100]]
            return table([_words(head) for head in heads], cells)
        return ", ".join(_tree(each) for each in value)
    return "–" if value is None else escape(str(value))


def _plain(value: object) -> str:
    if isinstance(value, Mapping) and {"value", "low", "high"} <= set(value):
        return rate(value)
    if isinstance(value, float):
        return number(value, 4)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_plain(each) for each in value)
    return "–" if value is None else str(value)
