"""Feed every parser with bytes that a coverage-guided fuzzer makes up, and say what it found and cost.

Run ``python -m tests.trials.fuzz --seconds 60``; it needs ``pip install atheris``. Each parser runs in a process of
its own, under a limit of memory and of seconds for one input. Inputs that fail lie in ``--failures`` afterwards;
what ``tests/trials/parsers.py`` does not declare is a failure, and so is an input that takes a second of CPU.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

MOST_SECONDS = 1.0
MEGABYTE = 1 << 20


@dataclass
class Outcome:
    """What feeding one parser gave.

    Attributes
    ----------
    worst : most CPU seconds that one input took, and the length of that input in bytes
    peak : most memory that the process had, in MB, of which ``before`` were there before the first input
    failures : file of each input that failed, with the reason; of each place in the code only the first
    """

    parser: str
    executions: int = 0
    seconds: float = 0.0
    worst: float = 0.0
    worst_bytes: int = 0
    before: int = 0
    peak: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    def line(self) -> str:
        """Return it as one row of the report."""
        return (
            f"{self.parser:17} {self.executions:10,} {self.seconds:7.0f} s {1000 * self.worst:9.1f} ms of"
            f" {self.worst_bytes:9,} bytes {self.before:6} → {self.peak:5} MB {len(self.failures):3} failures"
        )


class Feeder:
    """Gives one parser what the fuzzer makes up, and keeps account of it in a file."""

    def __init__(self, name: str, fault_of: Callable[[bytes], Exception | None], failures: Path, account: Path) -> None:
        self.outcome = Outcome(name, before=_memory())
        self._fault_of = fault_of
        self._failures, self._account = failures, account
        self._began = self._written = time.monotonic()

    def __call__(self, data: bytes) -> None:
        """Take one input."""
        began = time.process_time()
        fault = self._fault_of(data)
        took = time.process_time() - began
        outcome = self.outcome
        outcome.executions += 1
        if took > outcome.worst:
            outcome.worst, outcome.worst_bytes = took, len(data)
        if fault is not None:
            self._fail(data, _place_of(fault), f"{type(fault).__name__}: {fault}"[:300])
        elif took > MOST_SECONDS:
            self._fail(data, "slow", f"{took:.1f} s of CPU")
        if time.monotonic() - self._written > 1:
            self.write()

    def write(self) -> None:
        """Write the account; the process may be ended at any moment."""
        self._written = time.monotonic()
        self.outcome.seconds, self.outcome.peak = self._written - self._began, _memory()
        self._account.write_text(json.dumps(asdict(self.outcome)))

    def _fail(self, data: bytes, place: str, reason: str) -> None:
        name = f"{self.outcome.parser}-{place}"
        if name not in self.outcome.failures:
            (self._failures / name).write_bytes(data)
            self.outcome.failures[name] = reason
            self.write()


def _place_of(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    own = [each for each in traceback.extract_tb(error.__traceback__) if "site-packages" not in each.filename]
    where = own[-1] if own else last
    return f"{type(error).__name__}-{Path(where.filename).stem}-{where.lineno}"


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def feed(name: str, arguments: argparse.Namespace, account: Path, corpus: Path) -> None:
    """Feed one parser in this process, until its time is over; never returns."""
    import atheris

    with atheris.instrument_imports(include=["ingest", "service.api", "tomllib"]):
        from tests.trials.parsers import PARSERS
    parser = PARSERS[name]
    for number, seed in enumerate(parser.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
        parser.fault(seed)
    words = corpus.parent / "words"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in each) + '"\n' for each in parser.words))
    feeder = Feeder(name, parser.fault, arguments.failures, account)
    feeder.write()
    options = {
        "max_total_time": arguments.seconds,
        "max_len": arguments.longest,
        "rss_limit_mb": arguments.memory,
        "timeout": arguments.longest_seconds,
        "artifact_prefix": f"{arguments.failures}/{name}-",
        "verbosity": 0,
        "seed": arguments.seed,
    }
    if parser.words:
        options["dict"] = words
    atheris.Setup([sys.argv[0], *(f"-{key}={value}" for key, value in options.items()), str(corpus)], feeder)
    atheris.Fuzz()


def fed(name: str, arguments: argparse.Namespace) -> Outcome:
    """Feed one parser in a process of its own and return what came of it."""
    with TemporaryDirectory() as folder:
        account, corpus = Path(folder) / "account", Path(folder) / "corpus"
        corpus.mkdir()
        command = [sys.executable, "-m", "tests.trials.fuzz", *sys.argv[1:], "--feed", name, "--into", folder]
        log = arguments.failures / f"{name}.log"
        with log.open("wb") as output:
            code = subprocess.call(command, stdout=output, stderr=subprocess.STDOUT)
        if not account.exists():
            return Outcome(name, failures={log.name: f"could not be fed; it ended with {code}"})
        outcome = Outcome(**json.loads(account.read_text()))
        if code:
            outcome.failures[log.name] = f"the process ended with {code}: a crash, too much memory or too much time"
        else:
            log.unlink()
        return outcome


def main() -> int:
    """Feed the parsers that are named, or all, and print a row for each."""
    read = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    read.add_argument("parsers", nargs="*", help="names of parsers; all when left out")
    read.add_argument("--seconds", type=int, default=60, help="for each parser")
    read.add_argument("--longest", type=int, default=1 << 16, help="bytes of the longest input")
    read.add_argument("--longest-seconds", type=int, default=20, help="that one input may take")
    read.add_argument("--memory", type=int, default=2048, help="MB that a parser may have")
    read.add_argument("--seed", type=int, default=1)
    read.add_argument("--failures", type=Path, default=Path("fuzz-failures"))
    read.add_argument("--feed", help=argparse.SUPPRESS)
    read.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    arguments = read.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("atheris is not installed here; run: pip install atheris\n")
        return 2
    arguments.failures.mkdir(parents=True, exist_ok=True)
    if arguments.feed:
        feed(arguments.feed, arguments, arguments.into / "account", arguments.into / "corpus")
    from tests.trials.parsers import PARSERS

    if unknown := set(arguments.parsers) - set(PARSERS):
        read.error(f"no parser {', '.join(sorted(unknown))}; there are: {', '.join(PARSERS)}")
    failed = 0
    for name in arguments.parsers or PARSERS:
        outcome = fed(name, arguments)
        told = [outcome.line(), *(f"    {file}: {reason}" for file, reason in outcome.failures.items())]
        sys.stdout.write("\n".join(told) + "\n")
        sys.stdout.flush()
        failed += len(outcome.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
