"""One page on one judged model that stands alone: no script, no other file, fit for print and for a strict policy."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from models.registry.watermark import marked
from models.report.calibration import calibration_pictures
from models.report.lead_time import lead_picture
from models.report.money import money_picture
from models.report.risk import MOST, risk_pictures
from models.report.tables import by_mode, leaks, missed, more, ways
from models.report.words import figures

_STYLE = Path(__file__).with_name("style.css")


def report_page(
    report: Mapping[str, Any], traces: Sequence[Mapping[str, Any]] = (), *, said: str = "", stylesheet: str = ""
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    report : figures of ``BacktestReport.to_dict``, or the judged part of a card with ``model`` added
    traces : levels before each event, as ``Trace.to_dict`` gives them; a card holds none
    said : the same in a few sentences
    stylesheet : address of the style where a server gives it; it is in the page when left out
    """
    title = f"{report['model']}: how it was judged"
    horizon = float(report.get("horizon_hours") or 0.0)
    body = [
        f"<h1>{escape(str(report['model']))}</h1>",
        f'<p class="lead">{escape(_span(report))}</p>',
        _mark(report),
        f'<p class="said">{escape(said)}</p>' if said else "",
        figures(report),
        _risk(traces, horizon),
        _leads_and_calibration(report, horizon),
        _money(report),
        missed(report),
        ways(report),
        by_mode(report),
        leaks(report),
        more(report),
    ]
    return document(title, "\n".join(part for part in body if part), stylesheet)


def document(title: str, body: str, stylesheet: str = "") -> str:
    """Return a whole page; unless its style lies elsewhere it is in the page, which forbids itself everything else."""
    own = f'<meta http-equiv="Content-Security-Policy" content="{policy()}">\n<style>{style()}</style>'
    look = f'<link rel="stylesheet" href="{escape(stylesheet)}">' if stylesheet else own
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n{look}\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def policy() -> str:
    """Return the content security policy that the page holds by: nothing but its own style, by its hash."""
    digest = b64encode(sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def style() -> str:
    """Return the style sheet."""
    return _STYLE.read_text(encoding="utf-8")


def _span(report: Mapping[str, Any]) -> str:
    between = report.get("span") or {}
    first, last = (str(between.get(key, "?"))[:10] for key in ("start", "end"))
    how = {
        "time": "by a model that knew nothing after the begin of that span",
        "machine": "each machine by a model that had never seen it",
        "random": "by models that had learnt from the windows beside the judged ones",
    }.get(str(report.get("split")), "on what it had not learnt from")
    return (
        f"{first} to {last}, judged {how}; {float(report.get('machine_weeks') or 0):.1f} machine-weeks."
        " In brackets: the interval that holds the true value in 95 of 100 such judgements."
    )


def _mark(report: Mapping[str, Any]) -> str:
    refused = any(leak.get("refused") for leak in report.get("leaks", ()))
    lines = [marked(str(report.get("watermark") or ""))]
    if refused:
        lines.append("NOT TO BE RELIED ON: features know the outcome beforehand, see below.")
    if not report.get("enough", True):
        lines.append("Almost nothing was judged: less than one horizon. The figures say nothing.")
    return "".join(f'<p class="mark" role="note">{escape(line)}</p>' for line in lines if line)


def _risk(traces: Sequence[Mapping[str, Any]], horizon: float) -> str:
    pictures = risk_pictures(traces, horizon)
    if not pictures:
        return ""
    left_out = f" The first {MOST} of {len(traces)} are shown." if len(traces) > MOST else ""
    shown = "".join(
        f'<figure class="{escape(verdict.replace(" ", "-"))}"><figcaption>{escape(caption)}: <b>{escape(verdict)}</b>'
        f"</figcaption>{svg}</figure>"
        for caption, verdict, svg in pictures
    )
    return (
        "<h2>What it said before each event</h2>"
        '<p class="small soft">Shaded: where an alert is right, from the horizon to the needed lead. Dashed: the level'
        f" from which an alert is raised. Upright: an alert. Events that were missed come first.{left_out}</p>"
        f'<div class="many">{shown}</div>'
    )


def _leads_and_calibration(report: Mapping[str, Any], horizon: float) -> str:
    parts = []
    if lead := lead_picture(report.get("event_list", ()), horizon):
        parts.append(
            "<figure><figcaption><b>How long before</b>: the share of events that were found with at least so much"
            f" time to spare. The line starts at the share that was found at all.</figcaption>{lead}</figure>"
        )
    parts += [
        f"<figure><figcaption><b>Do its probabilities hold?</b> {escape(caption)} On the dotted line they"
        f" do.</figcaption>{svg}</figure>"
        for caption, svg in calibration_pictures(report.get("reliability") or ())
    ]
    return f'<h2>Lead time and calibration</h2><div class="two">{"".join(parts)}</div>' if parts else ""


def _money(report: Mapping[str, Any]) -> str:
    picture = money_picture(report)
    if not picture:
        return ""
    return (
        "<h2>Money over the threshold</h2>"
        '<figure class="broad"><figcaption>What the judged time would have cost at every threshold. The upright line is'
        " the one that was chosen on training data, the circle the cheapest with hindsight, which nobody can choose"
        f" beforehand.</figcaption>{picture}</figure>"
    )
