"""The key figures of a report, each with its interval."""

from collections.abc import Mapping
from html import escape
from typing import Any

from models.baselines.table import WORDS
from models.report.axis import number
from models.report.spans import span_text

Share = Mapping[str, Any]
Figure = tuple[str, str, str]
"""What it is, how much it is, and a note."""


def share(interval: Share | None) -> str:
    """Write a share with its interval.

    Examples
    --------
    >>> share({"value": 0.8, "low": 0.548, "high": 0.9295})
    '80 % [55–93 %]'
    >>> share({"value": None, "low": 0.0, "high": 1.0}), share(None)
    ('not known', 'not known')
    """
    if interval is None or interval.get("value") is None:
        return "not known"
    return f"{100 * interval['value']:.0f} % [{100 * interval['low']:.0f}–{100 * interval['high']:.0f} %]"


def rate(interval: Share | None) -> str:
    """Write a rate with its interval.

    Examples
    --------
    >>> rate({"value": 0.1, "low": 0.01, "high": None})
    '0.1 [0.01–∞]'
    """
    if interval is None or interval.get("value") is None:
        return "not known"
    top = "∞" if interval["high"] is None else number(interval["high"], 2)
    return f"{number(interval['value'], 2)} [{number(interval['low'], 2)}–{top}]"


def amount(interval: Share | None, currency: str) -> str:
    r"""Write an amount of money with its interval.

    Examples
    --------
    >>> amount({"value": 5000.0, "low": -200.0, "high": 9000.0}, "EUR")
    '5\u202f000 EUR [−200 to 9\u202f000]'
    """
    if interval is None or interval.get("value") is None:
        return "not known"
    low, high = (number(round(interval[key]), 9) for key in ("low", "high"))
    return f"{number(round(interval['value']), 9)} {currency} [{low} to {high}]"


def figures(report: Mapping[str, Any]) -> str:
    """Return the key figures as a list of definitions; those that nobody worked out are left out."""
    cells = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(value)}<span>{escape(note)}</span></dd></div>"
        for what, value, note in (*_events(report), *_leads(report), *_savings(report))
    )
    return f'<dl class="figures">{cells}</dl>' if cells else ""


def _events(report: Mapping[str, Any]) -> list[Figure]:
    if "found" not in report:
        return []
    rows = [
        ("Events found in time", f"{report['found']} of {report['events']}", share(report["recall"])),
        (
            "False alarms per machine-week",
            rate(report["false_alarms_per_machine_week"]),
            f"{report.get('false_alarms', '–')} in {report['machine_weeks']:.1f} machine-weeks",
        ),
        ("Alerts that were right, once an event", _record(report), share(report["precision"])),
        *_real(report.get("real_rate")),
    ]
    if report.get("late"):
        rows.append(("Found too late", str(report["late"]), "with an alert later than the needed lead"))
    return rows


def _leads(report: Mapping[str, Any]) -> list[Figure]:
    lead, bounds = report.get("lead_hours") or {}, report.get("lead_intervals") or {}
    names = {"median": "Lead, median", "p10": "Lead, nine in ten longer than"}
    return [
        (name, span_text(lead[key]), _between(bounds.get(key)))
        for key, name in names.items()
        if lead.get(key) is not None
    ]


def _savings(report: Mapping[str, Any]) -> list[Figure]:
    saved, currency = report.get("saved") or {}, str(report.get("currency", ""))
    rows = [("Saved against doing nothing", *_split(amount(saved["do_nothing"], currency)))] if saved else []
    return [*rows, *_best(report, saved, currency), *_possible(report)]


def _record(report: Mapping[str, Any]) -> str:
    record = report.get("track_record") or {}
    right = record.get("right", report.get("right_once"))
    alerts = record.get("alerts", None if right is None else right + report.get("false_alarms", 0))
    return "–" if right is None else f"{right} of {alerts}"


def _real(real: Mapping[str, Any] | None) -> list[Figure]:
    if not real or real["events_per_machine_year"]["value"] is None:
        return []
    often = number(real["events_per_machine_year"]["value"], 2)
    whence = "as the plant file says" if real["stated"] else "as in the whole history"
    said = share(real["precision"])
    value, _, interval = said.partition(" [")
    note = f"[{interval} " if interval else ""
    return [("Right alerts at the real base rate", value, f"{note}with {often} events per machine-year, {whence}")]


def _best(report: Mapping[str, Any], saved: Mapping[str, Any], currency: str) -> list[Figure]:
    others = {way: cost for way, cost in (report.get("money") or {}).items() if way != "model" and cost is not None}
    best = min(others, key=lambda way: others[way], default="do_nothing")
    if best == "do_nothing" or best not in saved:
        return []
    return [(f"Saved against {WORDS.get(best, best)}, the best without it", *_split(amount(saved[best], currency)))]


def _possible(report: Mapping[str, Any]) -> list[Figure]:
    part = report.get("share_of_possible_saving")
    if part is None:
        return []
    return [("Of the saving that was possible", f"{100 * part:.0f} %", "had every event been known beforehand")]


def _split(text: str) -> tuple[str, str]:
    value, _, interval = text.partition(" [")
    return value, f"[{interval}" if interval else ""


def _between(interval: Share | None) -> str:
    if not interval or interval.get("value") is None:
        return ""
    return f"[{span_text(interval['low'])} to {span_text(interval['high'])}]"
