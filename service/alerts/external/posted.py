"""◆ Posted: what another system says of one of its alerts, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from ingest.errors import PostedAlertError
from ingest.keepable import why_unkeepable
from ingest.plant import Plant
from ingest.plant_words import nearest
from ingest.year import FIRST_YEAR, LAST_YEAR, is_within_reach
from service.alerts.labels import Labels, written
from service.alerts.matcher import is_label_name

MACHINE = "machine"
"""The label that says which machine of the plant an alert is about."""
NAME = "alertname"
MOST_LABELS, LONGEST_LABEL = 64, 1000
MOST_ANNOTATIONS, LONGEST_ANNOTATION = 64, 10_000
LONGEST_CAUSE = 300
_SAYING = ("summary", "description", "message")
_LONGEST_SENTENCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One alert as it was posted.

    Attributes
    ----------
    labels : name it; without those that are empty
    starts_at : since when its condition holds
    ends_at : when it is over; later than now: unless it is posted again until then
    """

    labels: Labels
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    generator_url: str = ""

    @property
    def machine(self) -> str:
        """The machine that it is about; empty for the plant as a whole."""
        return self.labels.get(MACHINE, "")

    @property
    def cause(self) -> str:
        """What it is about: one text for each set of labels, and none that another set has.

        It ends with a brace, as no component and no failure mode of a plant does, so none of ours is it.
        """
        name = self.labels.get(NAME, "")
        others = {label: value for label, value in self.labels.items() if label not in (NAME, MACHINE)}
        whole = f"{name}{written(others)}"
        if len(whole) <= LONGEST_CAUSE:
            return whole
        digest = sha256(whole.encode()).hexdigest()[:32]
        return f"{name[: LONGEST_CAUSE - 60]}{{… #{digest}}}"

    @property
    def sentence(self) -> str:
        """One sentence for people: what the other system says, or its labels."""
        said = next((text for name in _SAYING if (text := self.annotations.get(name, "").strip())), "")
        said = " ".join(said.split())[:_LONGEST_SENTENCE] or self.cause
        return f"{self.machine}: {said}" if self.machine and self.machine not in said else said


def posted(
    labels: Labels,
    annotations: Mapping[str, str],
    *,
    starts_at: datetime | None,
    ends_at: datetime | None,
    generator_url: str,
    plant: Plant,
    now: datetime,
    whole: bool = True,
) -> Posted:
    """Return what was posted, checked.

    Parameters
    ----------
    starts_at : now, or the end where that lies behind, when left out
    ends_at : ``resolve_after`` of the plant from now when left out
    plant : machines that whoever posts it reaches
    whole : whether that is the whole plant

    Raises
    ------
    PostedAlertError
        That says what is wrong, and of which alert.
    """
    named = {name: value for name, value in labels.items() if value}
    what = f"alert {written(dict(list(named.items())[:5]))[:200]}"
    if not named:
        raise PostedAlertError("at least one label pair required")
    _refuse_texts(named, annotations, generator_url, what)
    _refuse_machine(named.get(MACHINE), plant, what, whole=whole)
    for moment in filter(None, (starts_at, ends_at)):
        if not is_within_reach(moment):
            raise PostedAlertError(
                f"{what}: {moment.isoformat()} is not between the years {FIRST_YEAR} and {LAST_YEAR}"
            )
    end = now + plant.alerts.resolve_after if ends_at is None else ends_at
    begin = min(now, end) if starts_at is None else starts_at
    if begin > end:
        raise PostedAlertError(f"{what}: start time must be before end time")
    return Posted(
        labels=named, annotations=dict(annotations), starts_at=begin, ends_at=end, generator_url=generator_url
    )


def _refuse_texts(labels: Labels, annotations: Mapping[str, str], generator_url: str, what: str) -> None:
    for kind, texts, most, longest in (
        ("label", labels, MOST_LABELS, LONGEST_LABEL),
        ("annotation", annotations, MOST_ANNOTATIONS, LONGEST_ANNOTATION),
    ):
        if len(texts) > most:
            raise PostedAlertError(f"{what}: {len(texts)} {kind}s; {most} are taken at most")
        for name, text in texts.items():
            if not is_label_name(name):
                raise PostedAlertError(f"{what}: invalid {kind} set: invalid name {name[:200]!r}")
            if len(name) > LONGEST_LABEL or len(text) > longest:
                raise PostedAlertError(f"{what}: {kind} {name[:50]!r} has more than {longest} characters")
            if reason := why_unkeepable(text):
                raise PostedAlertError(f"{what}: {kind} {name!r}: {reason}")
    if len(generator_url) > LONGEST_ANNOTATION or why_unkeepable(generator_url):
        raise PostedAlertError(f"{what}: its generatorURL is too long, or no text that can be kept")


def _refuse_machine(machine: str | None, plant: Plant, what: str, *, whole: bool) -> None:
    if machine is None:
        if not whole:
            raise PostedAlertError(
                f"{what} has no label {MACHINE!r}, so it is of the whole plant, which is beyond your part of it"
            )
        return
    names = [each.name for each in plant.machines]
    if machine not in names:
        raise PostedAlertError(
            f"{what}: no machine {machine[:200]!r}; {nearest(machine[:200], names)}. Leave the label out if it is of "
            "the plant as a whole, or rename it if it means something else"
        )
