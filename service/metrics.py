"""Metrics for Prometheus: what this process counted, and what store and state say when asked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from ingest.dead_letter import LetterCounts
from ingest.intake import Work
from ingest.late import LateCounts
from ingest.sources.stream import StreamState
from service.delivery.notice import TargetFigures

_WORK: Mapping[Work, str] = {
    "writing": "Whether the last readings that came could not be kept, so that they are refused",
    "sealing": "Whether the last sealing failed, so that readings pile up in the log",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What the store and the state say at one moment; true whichever process did the work.

    Attributes
    ----------
    newest_reading_age : seconds since the newest reading of each machine class
    stale : whether each machine has been silent for too long
    machines : how many machines are in each state of health
    open_alerts : alerts that nobody has closed yet
    runs : how many runs of each (action, outcome) the ledger holds
    rounds, round_seconds : finished rounds and how long they took in total
    dead_letters : what each source has and had of them
    streams : how each stream of this process is
    late : rows of each machine class that came after their time had been scored
    late_given_up : how often each model gave up scoring late readings of a machine again
    corrections : values of each machine class that a later arrival took the place of
    failed_work : of the intake's, what failed the last time
    operational_alarms : how many alarms about Andon itself go on, by kind
    watch_age : seconds since somebody last watched Andon itself; ``None`` if nobody ever did
    notices : how many messages each target has waiting, sent and dead
    notice_age : seconds since the oldest that waits for each target was written
    """

    newest_reading_age: Mapping[str, float] = field(default_factory=dict)
    stale: Mapping[str, bool] = field(default_factory=dict)
    machines: Mapping[str, int] = field(default_factory=dict)
    open_alerts: int = 0
    runs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    rounds: int = 0
    round_seconds: float = 0.0
    dead_letters: Mapping[str, LetterCounts] = field(default_factory=dict)
    streams: Mapping[str, StreamState] = field(default_factory=dict)
    late: Mapping[str, LateCounts] = field(default_factory=dict)
    late_given_up: Mapping[str, int] = field(default_factory=dict)
    corrections: Mapping[str, int] = field(default_factory=dict)
    failed_work: Sequence[Work] = ()
    operational_alarms: Mapping[str, int] = field(default_factory=dict)
    watch_age: float | None = None
    notices: Mapping[str, TargetFigures] = field(default_factory=dict)
    notice_age: Mapping[str, float] = field(default_factory=dict)


class Metrics:
    """The metrics of one application, in a registry of its own.

    Parameters
    ----------
    figures : asked at every scrape; raises nothing but what the scrape should answer
    """

    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._registry = CollectorRegistry()
        self._figures = figures
        self.accepted = Counter(
            "andon_readings_accepted",
            "Readings that this process took over HTTP and made durable.",
            registry=self._registry,
        )
        self.rejected = Counter(
            "andon_readings_rejected", "Rows that this process refused over HTTP.", registry=self._registry
        )
        self.disk_full = Counter(
            "andon_requests_disk_full",
            "Requests that were not carried out because the disk was full (507).",
            registry=self._registry,
        )
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield what store and state say; called by the registry."""
        figures = self._figures()
        age = GaugeMetricFamily(
            "andon_newest_reading_age_seconds", "Age of the newest reading by machine class.", labels=["machine_class"]
        )
        for machine_class, seconds in figures.newest_reading_age.items():
            age.add_metric([machine_class], seconds)
        runs = CounterMetricFamily(
            "andon_runs", "Runs in the ledger by action and outcome.", labels=["action", "outcome"]
        )
        for (action, outcome), count in figures.runs.items():
            runs.add_metric([action, outcome], count)
        yield age
        yield from _machines(figures)
        yield runs
        yield from _letters(figures.dead_letters)
        yield from _streams(figures.streams)
        yield from _late(figures)
        yield from _notices(figures)
        for work, what in _WORK.items():
            yield GaugeMetricFamily(f"andon_{work}_failed", f"{what}: 1 or 0.", value=work in figures.failed_work)
        yield from _watchdog(figures)
        yield GaugeMetricFamily("andon_open_alerts", "Alerts that nobody has closed yet.", value=figures.open_alerts)
        yield CounterMetricFamily("andon_rounds", "Finished rounds of scoring.", value=figures.rounds)
        yield SummaryMetricFamily(
            "andon_round_seconds",
            "How long finished rounds took.",
            count_value=figures.rounds,
            sum_value=figures.round_seconds,
        )

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering does not ask for the figures."""
        return []

    def exposition(self) -> tuple[bytes, str]:
        """Return the text for a scrape and its media type."""
        return generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4


def _watchdog(figures: Figures) -> Iterator[Metric]:
    alarms = GaugeMetricFamily(
        "andon_operational_alarms", "Alarms about Andon itself that go on, by kind.", labels=["kind"]
    )
    for kind, count in figures.operational_alarms.items():
        alarms.add_metric([kind], count)
    yield alarms
    if figures.watch_age is not None:
        yield GaugeMetricFamily(
            "andon_watch_age_seconds", "Time since somebody last watched Andon itself.", value=figures.watch_age
        )


def _notices(figures: Figures) -> Iterator[Metric]:
    counts = GaugeMetricFamily(
        "andon_notices",
        "Messages of each target: waiting, sent (until they are cleaned away), dead.",
        labels=["target", "state"],
    )
    for target, each in figures.notices.items():
        for state in ("waiting", "sent", "dead"):
            counts.add_metric([target, state], getattr(each, state))
    age = GaugeMetricFamily(
        "andon_notice_oldest_age_seconds", "Age of the oldest message that waits for each target.", labels=["target"]
    )
    for target, seconds in figures.notice_age.items():
        age.add_metric([target], seconds)
    yield from (counts, age)


def _late(figures: Figures) -> Iterator[Metric]:
    late = CounterMetricFamily(
        "andon_late_rows", "Rows that came after their time had been scored.", labels=["machine_class", "too_late"]
    )
    for machine_class, each in figures.late.items():
        late.add_metric([machine_class, "no"], each.late - each.too_late)
        late.add_metric([machine_class, "yes"], each.too_late)
    given_up = CounterMetricFamily(
        "andon_late_given_up",
        "Machines of which late readings could not be scored again, by model, each time that it was given up.",
        labels=["model"],
    )
    for model, count in figures.late_given_up.items():
        given_up.add_metric([model], count)
    corrected = CounterMetricFamily(
        "andon_corrections", "Values that a later arrival took the place of.", labels=["machine_class"]
    )
    for machine_class, count in figures.corrections.items():
        corrected.add_metric([machine_class], count)
    yield from (late, given_up, corrected)


def _machines(figures: Figures) -> Iterator[Metric]:
    stale = GaugeMetricFamily(
        "andon_machine_stale",
        "Whether a machine has been silent for too long, or never sent anything: 1 or 0.",
        labels=["machine"],
    )
    health = GaugeMetricFamily("andon_machines", "Machines in each state of health.", labels=["health"])
    for machine, silent in figures.stale.items():
        stale.add_metric([machine], silent)
    for state, count in figures.machines.items():
        health.add_metric([state], count)
    yield from (stale, health)


def _letters(counts: Mapping[str, LetterCounts]) -> Iterator[Metric]:
    held = GaugeMetricFamily("andon_dead_letters", "Dead letters that wait, by source.", labels=["source"])
    size = GaugeMetricFamily("andon_dead_letters_bytes", "Room that dead letters take, by source.", labels=["source"])
    ever = CounterMetricFamily(
        "andon_dead_letters_kept", "Dead letters that there ever were, by source.", labels=["source"]
    )
    gone = CounterMetricFamily(
        "andon_dead_letters_gone",
        "Dead letters that left: replayed, discarded by a person, or dropped because they were too many.",
        labels=["source", "why"],
    )
    for source, each in counts.items():
        held.add_metric([source], each.held)
        size.add_metric([source], each.bytes)
        ever.add_metric([source], each.kept)
        for why in ("replayed", "discarded", "dropped"):
            gone.add_metric([source, why], getattr(each, why))
    yield from (held, size, ever, gone)


def _streams(states: Mapping[str, StreamState]) -> Iterator[Metric]:
    connected = GaugeMetricFamily("andon_stream_connected", "Whether a stream listens: 1 or 0.", labels=["stream"])
    messages = CounterMetricFamily(
        "andon_stream_messages",
        "Messages of a stream since the start: received, kept (durable and acknowledged), repeated (durable before),"
        " dead letters made of them, and overflowed (how often the sender said that it dropped some).",
        labels=["stream", "what"],
    )
    for stream, each in states.items():
        connected.add_metric([stream], each.connected)
        for what in ("received", "kept", "repeated", "letters", "overflowed"):
            messages.add_metric([stream, what], getattr(each, what))
    yield from (connected, messages)
