"""Train a model of the plant file: judge it on the past, fit it to all of it, register it."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from features.leaks.leak import Leak, told
from ingest.errors import NotEnoughDataError
from ingest.history import History
from ingest.plant import ModelEntry, Plant
from models.anywhere.table import table_anywhere
from models.assessment import not_assessed
from models.bundle import Bundle
from models.engine.engine import HERE, Engine
from models.fit import fit_bundle
from models.judging.backtest import backtest, recipe_until, split_of
from models.judging.backtest_report import BacktestReport
from models.judging.judged import PIECE_BY_PIECE, Verdicts, dealt_at_random
from models.judging.known_history import KnownHistory
from models.judging.sufficiency import Sufficiency, sufficiency
from models.labels.check import check_labels
from models.labels.label import target_events
from models.leak_check import accepted, check_leaks, leaks_card
from models.own_estimator import require_allowed
from models.registry.card import judged_of, regimes_in_words
from models.registry.promotion import hindrance
from models.registry.registry import Registry

Progress = Callable[[str, int, int], None]

BY = "andon train"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """What training made.

    Attributes
    ----------
    version : name of the registered version
    live : whether it is the one in use now
    known : whether the registry held the same content before
    reasons : how many window ends it could learn from (ok), and why the others were left out
    labels : what is suspicious about the recorded failures, one line each
    evidence : what may be claimed on the events that it learnt from
    judged : the backtest; ``None`` when there was too little to judge on, and then ``not_judged`` says why
    hindrance : why it cannot be promoted unless it is forced; empty when nothing stands against it
    leaks : features that know more than they could have known
    accepted : why it was trained in spite of those that are refused; empty when there are none
    context : which regimes it knows, as its card says it; ``None`` where the plant file says nothing of them
    """

    model: str
    version: str
    live: bool
    known: bool
    reasons: Mapping[str, int]
    labels: tuple[str, ...]
    evidence: Sufficiency
    judged: Verdicts | None
    not_judged: str = ""
    hindrance: str = ""
    leaks: tuple[Leak, ...] = ()
    accepted: str = ""
    context: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        return {
            "model": self.model,
            "version": self.version,
            "live": self.live,
            "known": self.known,
            "reasons": dict(self.reasons),
            "labels": list(self.labels),
            "enough_evidence": self.evidence.enough,
            "evidence": self.evidence.claim,
            "judged": self.judged.to_dict() if self.judged else None,
            "not_judged": self.not_judged,
            "hindrance": self.hindrance,
            "leaks": [leak.to_dict() for leak in self.leaks],
            "leaks_accepted": self.accepted,
            "context": self.context,
        }

    @property
    def state(self) -> str:
        """Whether it is live, and if not, why or what to do."""
        if self.live:
            return "it is live."
        promote = f"andon models promote {shlex.quote(self.model)} {self.version}"
        if self.hindrance:
            return f"not live: {self.hindrance}; to use it all the same: {promote} --force --why '…'"
        return f"a candidate, not live; to use it: {promote}"

    def summary(self) -> str:
        """Say in a few plain lines what was trained, how it was judged and what to do next."""
        again = " Nothing new was learnt: this content was there before." if self.known else ""
        judged = self.judged.summary() if self.judged else f"Not judged: {self.not_judged}"
        left_out = [f"To learn from: {said[0].lower()}{said[1:]}"] if (said := not_assessed(self.reasons)) else []
        return "\n".join(
            [
                f"{self.model} {self.version}: {self.state}{again}",
                self.evidence.claim,
                *self.labels,
                *(f"May know too much: {said}." for said in told(self.leaks)),
                *([f"Trained in spite of it: {self.accepted}"] if self.accepted else []),
                *left_out,
                *([told_regimes] if (told_regimes := regimes_in_words(self.context or {})) else []),
                judged,
            ]
        )


def train(
    plant: Plant,
    history: History,
    entry: ModelEntry,
    registry: Registry,
    *,
    now: datetime,
    until: datetime | None = None,
    progress: Progress | None = None,
    accept_leaks: str = "",
    engine: Engine = HERE,
    random_split: bool = False,
) -> TrainReport:
    """Judge a model on the past, fit it to the whole past, and save it.

    It becomes live if no version is, the evidence suffices, it could be judged and beats the calendar;
    otherwise it stays a candidate, and the report says how to promote it, or why it cannot be. The same
    history gives the same version.

    Before anything is learnt, the features are searched for leaks. Where one knows the outcome, nothing is
    trained unless a person says why it may; such a version stays a candidate until a person promotes it.

    Parameters
    ----------
    now : written down as the time of saving, nothing else
    until : nothing after it is looked at; the newest reading when left out
    progress : called with a phase, how many of its steps are done, and how many there are
    accept_leaks : why leaks may be learnt from, kept in the version's card; nobody says so when empty
    engine : where features are made
    random_split : judge it on windows drawn at random; that flatters, and its card is marked and not promoted

    Raises
    ------
    NotEnoughDataError
        When there is nothing to learn from.
    LeakError
        When features know the outcome and nobody said why they may.
    PlantFileError
        When the entry names an estimator that nobody allowed, or that cannot be used.
    RegistryError
        When the version cannot be saved.
    """
    require_allowed(entry, registry.types)
    if entry.task in PIECE_BY_PIECE:
        asked = dealt_at_random(entry) if random_split else entry
        return _trained_on_pieces(plant, history, asked, registry, now=now, until=until, progress=progress)
    history = history if until is None else KnownHistory(history, until)
    spans = history.spans(entry.machine_class)
    machines = [machine for machine in plant.teachers_of(entry.machine_class) if machine in spans]
    if not machines:
        when = "" if until is None else f" before {until:%Y-%m-%d %H:%M}"
        raise NotEnoughDataError(
            f"model '{entry.name}': no readings of class '{entry.machine_class}'{when}; ingest its files first"
        )
    end = until or max(spans[machine][1] for machine in machines)
    events = history.events(machines=machines, end=end)
    evidence = sufficiency(entry, target_events(events, entry.target), spans, end)
    step = progress or _silent
    step("features", 0, 2)
    chosen = entry.model_copy(update={"split": split_of(plant, entry)})
    recipe = recipe_until(plant, history, chosen, end)
    first = min(spans[machine][0] for machine in machines) - timedelta(microseconds=1)
    machine_class = plant.class_named(entry.machine_class)
    table = table_anywhere(engine, recipe, machine_class, history, machines, first, end).table
    step("features", 1, 2)
    leaks = check_leaks(chosen, recipe, table, events, end)
    reason = accepted(entry, leaks, accept_leaks, registry.live_card(entry.name))
    step("features", 2, 2)
    judged, why_not = _judged(plant, history, entry, progress, engine, random_split=random_split)
    step("fitting to the whole past", 0, 3)
    bundle = fit_bundle(chosen, plant, recipe, table, events, end)
    bundle = replace(bundle, card={**bundle.card, "leaks": leaks_card(len(recipe.names), leaks, reason)})
    step("fitting to the whole past", 2, 3)
    enough = evidence.enough and judged is not None and judged.enough and not reason
    report = _registered(_with_verdict(bundle, evidence, judged), registry, evidence, enough=enough, now=now)
    step("fitting to the whole past", 3, 3)
    labels = tuple(each.sentence for each in check_labels(plant, history, machine_class))
    return replace(report, judged=judged, not_judged=why_not, labels=labels, leaks=leaks, accepted=reason)


def _trained_on_pieces(
    plant: Plant,
    history: History,
    entry: ModelEntry,
    registry: Registry,
    *,
    now: datetime,
    until: datetime | None,
    progress: Progress | None,
) -> TrainReport:
    """Do the same with a model that learns from inspected pieces: judge, fit to all of them, save."""
    from models.conditions.judge import judge
    from models.conditions.train import Shop, condition_bundle, evidence_of, judging

    step = progress or _silent
    step("features", 0, 1)
    shop = Shop.of(plant, history, entry, until)
    step("features", 1, 1)
    evidence = evidence_of(entry, shop.pieces)
    found, why_not = None, ""
    try:
        found = judge(entry, plant, shop.table, shop.pieces, judging(progress))
    except NotEnoughDataError as error:
        why_not = str(error)
    step("fitting to all pieces", 0, 1)
    bundle = condition_bundle(entry, plant, shop, found)
    bundle = replace(bundle, card={**bundle.card, "claim": evidence.claim, "enough_evidence": evidence.enough})
    enough = evidence.enough and found is not None and found.enough
    report = _registered(bundle, registry, evidence, enough=enough, now=now)
    step("fitting to all pieces", 1, 1)
    return replace(report, judged=found, not_judged=why_not)


def _judged(
    plant: Plant,
    history: History,
    entry: ModelEntry,
    progress: Progress | None,
    engine: Engine,
    *,
    random_split: bool,
) -> tuple[BacktestReport | None, str]:
    try:
        return backtest(plant, history, entry, progress=progress, random_split=random_split, engine=engine), ""
    except NotEnoughDataError as error:
        return None, str(error)


def _with_verdict(bundle: Bundle, evidence: Sufficiency, judged: BacktestReport | None) -> Bundle:
    card = {**bundle.card, "claim": evidence.claim, "enough_evidence": evidence.enough}
    if judged is not None:
        verdict = judged.verdict
        if judged.watermark:
            card["watermark"] = judged.watermark
        card["judged"] = judged_of(
            judged.to_dict(), right=verdict.right_once, alerts=verdict.right_once + verdict.false
        )
    return replace(bundle, card=card)


def _registered(
    bundle: Bundle, registry: Registry, evidence: Sufficiency, *, enough: bool, now: datetime
) -> TrainReport:
    model = bundle.entry.name
    before = set(registry.names(model))
    saved = registry.save(bundle, created=now)
    live = registry.live_card(model) if registry.live(model) != saved.version else None
    why_not = hindrance(bundle.card, live)
    if registry.live(model) is None and enough and not why_not:
        saved = registry.promote(model, saved.version, at=now, by=BY, why="first version with enough evidence")
    known = saved.version in before
    return TrainReport(
        model=model,
        version=saved.version,
        live=saved.live,
        known=known,
        reasons=bundle.card["data"]["reasons"],
        labels=(),
        evidence=evidence,
        judged=None,
        hindrance=why_not,
        context=bundle.card.get("context"),
    )


def _silent(phase: str, done: int, total: int) -> None:
    del phase, done, total
