"""The command itself: which subcommands there are, and how errors become one line and an exit code."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence

import click

from ingest.errors import AndonError, PlantFileError
from service.cli.call import shared_options
from service.cli.threads import limit_threads

COMMANDS = {
    "init": "service.cli.init",
    "check": "service.cli.check",
    "ingest": "service.cli.ingest",
    "dead-letters": "service.cli.dead_letters",
    "corrections": "service.cli.corrections",
    "replay": "service.cli.replay",
    "train": "service.cli.train",
    "backtest": "service.cli.backtest",
    "score": "service.cli.score",
    "serve": "service.cli.serve",
    "forward": "service.cli.forward",
    "alerts": "service.cli.alerts",
    "notices": "service.cli.notices",
    "digest": "service.cli.digest",
    "work-orders": "service.cli.work_orders",
    "losses": "service.cli.losses",
    "levers": "service.cli.levers",
    "charts": "service.cli.charts",
    "models": "service.cli.models",
    "jobs": "service.cli.jobs",
    "watch": "service.cli.watch",
    "audit": "service.cli.audit",
    "users": "service.cli.users",
    "keys": "service.cli.keys",
    "simulate": "service.cli.simulate",
    "demo": "service.cli.demo",
}
"""Each subcommand and the module that holds it; the module's ``command`` is what runs."""


class LazyGroup(click.Group):
    """A group that imports a subcommand only when it is asked for, so that ``andon --help`` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the subcommands in the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a subcommand, or ``None`` if there is none of this name."""
        module = COMMANDS.get(cmd_name)
        return importlib.import_module(module).command if module else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands with the first line of their modules, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_line(module)) for name, module in COMMANDS.items()])


def _first_line(module: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    with open(spec.origin, encoding="utf-8") as source:  # noqa: PTH123 – pathlib would be one import more
        return source.readline().strip().strip('"').rstrip(".")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="andon")
@shared_options
def andon() -> None:
    """Watch the machines of a production plant: foresee failures, find losses, prove the money saved."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exit 0 when all is fine, 1 when a problem was found, 2 when it was used wrongly.

    Parameters
    ----------
    arguments : what stands behind ``andon`` on the command line; that of this process when left out
    """
    limit_threads()
    try:
        sys.exit(andon.main(arguments, prog_name="andon", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        _end("Stopped. What was acknowledged is kept; the same command again goes on from there.", 130)
    except PlantFileError as error:
        count = len(error.problems)
        _end("\n".join(error.problems) + (f"\n{count} problems." if count > 1 else ""), 1)
    except AndonError as error:
        _end(str(error), 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _end(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1)


def _end(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)
