"""The model card: what a model is, what it learnt from and how it was judged, as JSON and as a page."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.column import span_text
from features.recipe import Recipe
from features.table import FeatureTable
from ingest.plant import ModelEntry, Plant
from models.assessment import not_assessed
from models.baselines.table import WORDS
from models.judging.reliability import reliability_line
from models.judging.threshold import Choice
from models.learner import Learner
from models.life.card import life_lines
from models.life.life import tells_life
from models.registry.learnt_from import digest_of
from models.registry.watermark import marked
from models.risk.diagnosis import Diagnosis
from models.risk.horizons import horizons_in_words
from models.tasks.table import TASKS

_LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas", "skops")


def card_of(
    entry: ModelEntry,
    plant: Plant,
    recipe: Recipe,
    *,
    table: FeatureTable,
    reasons: Mapping[str, int],
    labels: NDArray[np.int8],
    targets: pd.DataFrame,
    learner: Learner,
    diagnosis: Diagnosis | None,
    context: Mapping[str, Any] | None = None,
    horizons: Mapping[str, Any] | None = None,
    choice: Choice,
) -> dict[str, Any]:
    """Return the part of a card that is known when a model has been fitted, JSON values only.

    Nothing in it depends on when or where the model was fitted, so that the same data and seed give
    the same card.
    """
    machines = sorted(set(map(str, table.machine)))
    return {
        "model": entry.name,
        "task": entry.task,
        "machine_class": entry.machine_class,
        "plant": plant.name,
        "currency": plant.currency,
        "costs": plant.costs.model_dump(mode="json"),
        "target": {"kind": entry.target.kind, "component": entry.target.component, "code": entry.target.code},
        "horizon": span_text(entry.horizon),
        "needed_lead": span_text(entry.needed_lead),
        "recipe": {
            "hash": recipe.hash,
            "signals": [*recipe.signals, *(each.signal for each in recipe.waveforms)],
            "windows": [span_text(window) for window in recipe.windows],
            "stride": span_text(recipe.stride),
            "features": len(recipe.names),
            "running": None if recipe.running is None else recipe.running.to_dict(),
        },
        "data": {
            "from": _moment(table.time.min()) if len(table) else None,
            "to": _moment(table.time.max()) if len(table) else None,
            "rows": len(table),
            "digest": digest_of(table, labels, targets),
            "reasons": dict(reasons),
            "rows_before_events": int((labels == 1).sum()),
            "rows_held_out": int(np.isfinite(learner.held_out).sum()),
            "machines": machines,
            "events": len(targets),
            "machines_with_events": int(targets["machine"].nunique()),
        },
        "components": dict(zip(diagnosis.components, diagnosis.failures, strict=True)) if diagnosis else {},
        **({} if context is None else {"context": _json(context)}),
        **({"life": _json(learner.card())} if tells_life(learner) else {}),
        **({} if horizons is None else {"horizons": _json(horizons)}),
        "threshold": _json(choice.to_dict()),
        "judged": None,
        "limits": list(TASKS[entry.task].limits),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def judged_of(report: Mapping[str, Any], *, right: int, alerts: int) -> dict[str, Any]:
    """Return the part of a card that a backtest gives; how long the backtest took is no part of it."""
    figures = {key: _json(value) for key, value in report.items() if key not in ("seconds", "model")}
    return {**figures, "track_record": {"right": right, "alerts": alerts}}


def page(card: Mapping[str, Any]) -> str:
    """Return a card as a page in Markdown, in plain words."""
    task = TASKS[card["task"]]
    data, recipe, choice = card["data"], card["recipe"], card["threshold"]
    target = " ".join(filter(None, (card["target"]["component"], card["target"]["kind"], card["target"]["code"])))
    lines = [
        f"# Model card: {card['model']}",
        "",
        *([f"**{marked(card['watermark'])}**", ""] if card.get("watermark") else []),
        f"{task.words.capitalize()} for machines of class {card['machine_class']} of {card['plant']}.",
        task.judged_by(card["horizon"], card["needed_lead"], target),
        "",
        "## What it learnt from",
        "",
        f"- {_plural(data['rows'], 'assessment')} of {_plural(len(data['machines']), 'machine')},"
        f" {data['from']} to {data['to']}.",
        *([f"- {unsaid}"] if (unsaid := not_assessed(data.get("reasons", {}))) else []),
        f"- {_plural(data['events'], 'event')} to foresee, on {_plural(data['machines_with_events'], 'machine')}.",
        f"- Signals: {', '.join(recipe['signals'])}; windows of {', '.join(recipe['windows'])},"
        f" every {recipe['stride']}; {recipe['features']} features, recipe {recipe['hash'][:12]}.",
        *([_components(card["components"])] if card["components"] else []),
        *_context_lines(card.get("context")),
        *life_lines(card.get("life")),
        *([f"- {horizons_in_words(card['horizons'])}"] if "horizons" in card else []),
        *([f"- {card['claim']}"] if card.get("claim") else []),
        "",
        *_leak_lines(card),
        "## When it speaks",
        "",
        f"From a level of {_level(choice['value'])} on: {choice['why'].rstrip('.')}.",
        "",
        "## How it was judged",
        "",
        *(_pieces_lines(card["conditions"]) if card.get("conditions") else _judged_lines(card)),
        "",
        "## Known limits",
        "",
        *(f"- {limit}" for limit in card["limits"]),
        "",
        "## Made with",
        "",
        ", ".join(f"{name} {number}" for name, number in sorted(card["libraries"].items())),
    ]
    return "\n".join(lines) + "\n"


def _judged_lines(card: Mapping[str, Any]) -> list[str]:
    judged = card["judged"]
    if not judged:
        return ["It has not been judged on unseen time: there was too little of it. Treat it as a trial."]
    record, lead = judged["track_record"], judged["lead_hours"]
    rows = [
        ("Events found", f"{judged['found']} of {judged['events']}, {_interval(judged['recall'], 100, ' %')}"),
        (
            "Alerts that were right, once an event",
            f"{record['right']} of {record['alerts']}, {_interval(judged['precision'], 100, ' %')}",
        ),
        ("Warning before the event, median", _known(lead["median"], "{:.3g} h")),
        ("Warning, nine in ten longer than", _known(lead["p10"], "{:.3g} h")),
        ("False alarms per machine and week", _interval(judged["false_alarms_per_machine_week"], 1, "")),
        ("Judged on", f"{judged['machine_weeks']:.1f} machine-weeks that it had not seen"),
    ]
    rows += [
        (f"Cost {name}", _known(judged["money"].get(key), "{:,.0f} " + str(card["currency"])))
        for key, name in WORDS.items()
        if key in judged["money"]
    ]
    told = [f"- Probability {reliability_line(each)}." for each in judged.get("reliability", ())]
    table = ["| what | how much |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows)]
    return [*table, *(["", *told] if told else [])]


def _pieces_lines(conditions: Mapping[str, Any]) -> list[str]:
    """Say how a model of conditions was judged."""
    judged = conditions["judged"]
    if not judged:
        return ["It has not been judged on unseen pieces: there were too few. Treat it as a trial."]
    rows = [
        ("Right", f"{_interval(judged['accuracy'], 100, ' %')} of {judged['judged']:,} pieces that it had not seen"),
        ("Saying the same of all would be right", f"{100 * judged['usual_accuracy']:.3g} %"),
        *((f"Found of {code}", _interval(each, 100, " %")) for code, each in judged["recall"].items()),
        ("ROC-AUC of not good", _interval(judged["roc_auc"], 1, "")),
        ("PR-AUC of not good", f"{_interval(judged['pr_auc'], 1, '')}; by chance {judged['base_rate']:.3g}"),
        ("Levels off by, on average", f"{100 * judged['reliability_error']:.2g} points"),
        ("Mistakes cost a piece", _interval(judged["cost_per_piece"], 1, "")),
        ("Saying the same of all would cost", f"{judged['usual_cost_per_piece']:.3g}"),
    ]
    table = ["| what | how much |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows)]
    return [f"Split {judged['split']}.", "", *table]


def _leak_lines(card: Mapping[str, Any]) -> list[str]:
    """Say what the search for leaks found; a card from before there was one says nothing."""
    leaks = card.get("leaks")
    if leaks is None:
        return []
    found = [f"- {leak['column'] or 'the split'}: {leak['kind']} ({leak['evidence']})." for leak in leaks["found"]]
    none = f"None of {_plural(leaks['columns'], 'feature')} was found to know the outcome beforehand."
    why = [f"Trained in spite of it: {leaks['accepted']}", ""] if leaks["accepted"] else []
    return ["## What may know too much", "", *([*found, ""] if found else [none, ""]), *why]


def _context_lines(context: Mapping[str, Any] | None) -> list[str]:
    """Say in which regimes machines ran, and what their signals were expected from."""
    if context is None:
        return []
    told = regimes_in_words(context)
    others = ", ".join(context["expected_from"])
    return [*([f"- {told}"] if told else []), *([f"- Expected values from: {others}."] if others else [])]


def regimes_in_words(context: Mapping[str, Any]) -> str:
    """Say which regimes a model knows and how much of the time each holds; empty where there are none."""
    if not context.get("regimes"):
        return ""
    known = [_regime(each) for each in context["regimes"] if each["known"]]
    few = [each for each in context["regimes"] if not each["known"] and each["windows"]]
    said = [f"Regimes: {', '.join(known)}."] if known else ["No regime holds long enough to be learnt."]
    if few:
        names = ", ".join(f"{each['name']} ({_plural(each['windows'], 'window')})" for each in few)
        said.append(f"Too little to know them, so out of domain: {names}.")
    return " ".join(said)


def _regime(regime: Mapping[str, Any]) -> str:
    where = ", ".join(
        " ".join(filter(None, (each["signal"], f"{each['mean']:.4g}", each["unit"]))) for each in regime.get("at", ())
    )
    return f"{regime['name']}{f' ({where})' if where else ''} {regime['share']:.0%}"


def _components(components: Mapping[str, int]) -> str:
    named = [f"{name} ({_plural(count, 'failure')})" for name, count in sorted(components.items()) if name]
    return f"- Can name: {', '.join(named)}."


def _level(value: float) -> str:
    """Write a level with the digits that tell it from 1."""
    return f"{value:.8f}".rstrip("0") if 0.999 < value < 1 else f"{value:.3g}"


def _interval(interval: Mapping[str, float | None], factor: float, unit: str) -> str:
    if interval["value"] is None:
        return "not known"
    low, high = interval["low"] or 0.0, interval["high"]
    top = "∞" if high is None else f"{factor * high:.3g}"
    return f"{factor * interval['value']:.3g}{unit} [{factor * low:.3g}–{top}{unit}]"


def _known(value: object, pattern: str) -> str:
    return pattern.format(value) if isinstance(value, int | float) else "not known"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _moment(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, unit='s')}Z"


def _json(value: Any) -> Any:
    """Return a value as JSON knows it: no NaN, no infinity, no numpy."""
    if isinstance(value, Mapping):
        return {str(key): _json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
