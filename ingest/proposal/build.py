"""Write what was understood as a plant file, every guess with its reason."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from ingest.duration import format_duration
from ingest.proposal.classes import ClassGuess
from ingest.proposal.guess import Proposal
from ingest.proposal.holding import Holding
from ingest.proposal.model import ModelGuess, guess_model
from ingest.proposal.page import Page, as_ranges, key_of, listed, natural, one_or_more, quoted
from ingest.proposal.running import guess_running
from ingest.proposal.table import Table

_PLAIN_ENDINGS = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".parquet": "parquet", ".arrow": "arrow"}


def write(holdings: Sequence[Holding], classes: Sequence[ClassGuess], left_out: Sequence[str]) -> Proposal:
    """Write the plant file."""
    page = Page()
    page.say(
        "Proposed from your files. Read it, least sure guesses first, and put right what is wrong; then: andon check"
    )
    for line in left_out:
        page.say(f"Left out: {line}")
    page.put("name", quoted("My plant"))
    _zone(page, holdings)
    for number, entry in enumerate(classes, 1):
        _class(page, number, entry)
        _machines(page, entry)
    place = 0
    for holding in holdings:
        if _source(page, place + 1, holding, classes):
            place += 1
    for number, entry in enumerate(classes, 1):
        _model(page, number, entry, guess_model(entry), alone=len(classes) == 1)
    _jobs(page)
    return page.finish()


def _zone(page: Page, holdings: Sequence[Holding]) -> None:
    times = [holding.table.time for holding in holdings if holding.table.time is not None]
    if times and all(time.zoned for time in times):
        page.guess(
            "", "time_zone", quoted("UTC"), 0.5, "the times name their zone; this one is for schedules and shifts"
        )
    elif times:
        why = "no time names a zone; if they are times on the wall, write that zone, such as Europe/Berlin"
        page.guess("", "time_zone", quoted("UTC"), 0.3, why)


def _class(page: Page, number: int, entry: ClassGuess) -> None:
    page.add("", "[[classes]]")
    why = f"{len(entry.holdings)} file(s) with the same machines or signals"
    page.guess(f"classes[{number}]", "name", quoted(entry.name), 0.4, why)
    if entry.components:
        why = "the words in the column of components"
        page.guess(f"classes[{number}]", "components", listed(sorted(entry.components, key=natural)), 0.7, why)
    if running := guess_running(entry):
        page.guess(f"classes[{number}]", "running", quoted(running.expression), running.confidence, running.why)
    page.say("For each signal: range = [lowest, highest] that the sensor can give; what lies outside is then rejected.")
    for place, (signal, holding) in enumerate(entry.signals, 1):
        here = f"classes[{number}].signals[{place}]"
        page.add("", "[[classes.signals]]")
        page.guess(here, "name", quoted(signal.name), signal.confidence, signal.why)
        if signal.unit.endswith("?"):
            page.say(f"40 % sure: unit = {quoted(signal.unit[:-1])}, by the name and the values")
            page.note(
                f"{here}.unit",
                signal.unit[:-1],
                0.4,
                "the name and the values; not written, so that nothing wrong is shown",
            )
        elif signal.unit:
            page.guess(here, "unit", quoted(signal.unit), 0.7, "the name of the column")
        table = holding.table
        if table.every is not None and table.steady >= 0.5:
            why = f"{table.steady:.0%} of the steps between rows are about that long"
            page.guess(here, "every", quoted(format_duration(table.every)), min(table.steady, 0.95), why)


def _machines(page: Page, entry: ClassGuess) -> None:
    table = entry.holdings[0].table
    ranges, odd = as_ranges(sorted((name for name in entry.machines if len(name) <= 200), key=natural))
    entries = [("names", listed(ranges))] if ranges else []
    entries += [("name", quoted(name)) for name in odd]
    for number, (key, names) in enumerate(entries):
        page.add("", "[[machines]]")
        if number == 0:
            what = "/".join(table.machine.columns) or "the names of files"
            page.guess("machines[]", key, names, table.machine.confidence, f"{len(entry.machines)} in {what}")
        else:
            page.put(key, names)
        page.put("class", quoted(entry.name))


def _source(page: Page, number: int, holding: Holding, classes: Sequence[ClassGuess]) -> bool:
    """Write a source; tell instead why it cannot be one, and return False."""
    table, sample = holding.table, holding.table.sample
    here = f"sources[{number}]"
    machines = [name for entry in classes for name in entry.machines]
    machine_is = next(iter(holding.tally.machines), "") if holding.holds_readings else machines[0]
    page.add("")
    if not table.machine.columns and not holding.holds_readings and len(machines) > 1:
        page.say(f"Left out: {holding.path}: no column names the machine of an event")
        return False
    page.add("[[sources]]")
    page.put("name", quoted(holding.name))
    page.put("path", quoted(holding.path))
    if _PLAIN_ENDINGS.get(PurePosixPath(holding.path).suffix.lower()) != sample.format:
        page.put("format", quoted(sample.format))
    if sample.delimiter != ",":
        page.guess(
            here, "delimiter", quoted(sample.delimiter), 0.95, "every row has the same number of columns with it"
        )
    if sample.decimal != ".":
        page.guess(here, "decimal", quoted(sample.decimal), 0.95, "numbers are written with it")
    if table.machine.columns:
        page.guess(here, "machine", one_or_more(table.machine.columns), table.machine.confidence, table.machine.why)
    else:
        page.guess(here, "machine_is", quoted(machine_is), table.machine.confidence, table.machine.why)
    _when(page, here, holding)
    if table.run_to_failure >= 0.5:
        page.guess(
            here,
            "run_to_failure",
            "true",
            table.run_to_failure,
            "each machine counts from its start to an end of its own",
        )
    elif table.run_to_failure:
        page.say("Add run_to_failure = true if each machine's last row is its failure.")
    if not set(holding.tally.machines) <= set(machines):
        why = "some of its machines are in no file of readings"
        page.guess(here, "other_machines", quoted("ignore"), 0.6, why)
    for column, reason in list(table.left_out.items())[:50]:
        page.say(f"Left out: column {quoted(column)}: {reason}")
    _columns(page, here, holding)
    return True


def _when(page: Page, here: str, holding: Holding) -> None:
    table = holding.table
    if table.time is not None:
        page.guess(here, "time", one_or_more(table.time.columns), table.time.confidence, table.time.why)
        if table.time.format != "iso":
            page.guess(here, "time_format", quoted(table.time.format), table.time.confidence, table.time.why)
    elif table.cycle is not None:
        page.guess(here, "cycle", quoted(table.cycle.column), table.cycle.confidence, table.cycle.why)
        page.guess(
            here, "cycle_length", quoted(table.cycle.length), 0.3, "nothing tells; all durations below count in it"
        )


def _columns(page: Page, here: str, holding: Holding) -> None:
    table = holding.table
    if table.signal_column is not None and table.value_column is not None:
        why = f"it names {len(table.signals)} signals that share their times"
        page.guess(here, "signal_column", quoted(table.signal_column), 0.85, why)
        page.guess(here, "value_column", quoted(table.value_column), 0.85, "numbers that vary")
    elif table.signals:
        page.add("", "[sources.signals]")
        for signal in table.signals:
            page.put(key_of(signal.name), quoted(signal.column))
    for number, flag in enumerate(table.flags, 1):
        page.add("", "[[sources.events]]")
        page.guess(f"{here}.events[{number}]", "kind", quoted(flag.kind), flag.confidence, flag.why)
        page.put("flag", quoted(flag.column))
        page.put("code_is", quoted(flag.code))
    if table.codes:
        page.add("", "[[sources.events]]")
        _event(page, f"{here}.events[{len(table.flags) + 1}]", table, bool(holding.tally.components))


def _event(page: Page, here: str, table: Table, components: bool) -> None:
    first = table.codes[0]
    page.guess(here, "kind", quoted(first.kind), first.confidence, "the names of file and columns, and the words in it")
    if table.end is not None:
        page.guess(here, "end", one_or_more(table.end.columns), 0.8, "the name, and it never lies before the begin")
    taken: set[str] = set()
    for code in table.codes:
        key = "component" if code.component and components else "code"
        if code.column and key not in taken:
            taken.add(key)
            page.guess(here, key, quoted(code.column), 0.7, code.why)


def _model(page: Page, number: int, entry: ClassGuess, guess: ModelGuess, *, alone: bool) -> None:
    here = f"models[{number}]"
    name = "failure ahead" if guess.task == "failure_risk" else "strange behaviour"
    page.add("", "[[models]]")
    page.put("name", quoted(name if alone else f"{name} of {entry.name}"[:200]))
    page.guess(here, "task", quoted(guess.task), 0.8, guess.why_task)
    page.put("class", quoted(entry.name))
    page.guess(here, "horizon", quoted(format_duration(guess.horizon)), 0.4, guess.why_horizon)
    if guess.needed_lead:
        page.guess(
            here,
            "needed_lead",
            quoted(format_duration(guess.needed_lead)),
            0.3,
            "a tenth of the horizon; an alert that comes later is a miss",
        )
    if guess.windows:
        page.guess(here, "windows", listed([format_duration(each) for each in guess.windows]), 0.5, "10 and 60 rows")
    if guess.target[0] != "failure":
        page.guess(
            here,
            "target",
            f"{{ kind = {quoted(guess.target[0])}, code = {quoted(guess.target[1])} }}",
            0.8,
            "the column that marks them",
        )
    if guess.by_machine:
        page.guess(here, "split", quoted("machine"), 0.8, "every machine lives once, from its start to its failure")


def _jobs(page: Page) -> None:
    for action, key, when in (("ingest", "every", "1 h"), ("score", "every", "1 h"), ("train", "cron", "0 3 * * 0")):
        page.add("", "[[jobs]]")
        page.put("name", quoted(action))
        page.put("action", quoted(action))
        page.put(key, quoted(when))
