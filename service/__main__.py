"""Start the command ``andon``."""

import sys


def main() -> None:
    """Run the command line, or say in one line that this Python is too old."""
    if sys.version_info < (3, 11):  # noqa: UP036 – the check is for a person who starts it from an old checkout
        sys.exit(f"andon needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    from service.cli.main import main as command

    command()


if __name__ == "__main__":
    main()
