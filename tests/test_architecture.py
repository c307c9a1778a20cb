"""The house stands as it was drawn."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("package", ["ingest", "features", "models", "service"])
def test_each_package_is_ours(package: str) -> None:
    module = importlib.import_module(package)

    assert module.__file__ is not None
    assert Path(module.__file__).parent == ROOT / package


def test_imports_go_one_way() -> None:
    run = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_the_top_level_holds_what_was_agreed() -> None:
    agreed = {
        "pyproject.toml",
        "ingest",
        "features",
        "models",
        "service",
        "tests",
        "sample_data",
        "docs",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Makefile",
        "requirements.lock",
    }
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")

    visible = {line.split("/")[0] for line in tracked.stdout.splitlines() if not line.startswith(".")}

    assert visible <= agreed


def test_nothing_that_is_tracked_points_elsewhere() -> None:
    """A link would point at a place that exists on one machine only."""
    tracked = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")

    assert [line for line in tracked.stdout.splitlines() if line.startswith("120000")] == []


def test_nothing_happens_at_import() -> None:
    """Importing every package starts no thread, opens no file of a plant, and loads nothing to learn with."""
    code = (
        "import sys, threading, ingest, features, models, service, service.app, service.cli.serve, service.jobs.waker\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "heavy = {'sklearn', 'scipy', 'alembic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )

    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr


def test_no_test_folder_is_a_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_help_does_not_import_the_science() -> None:
    code = (
        "import sys; sys.argv = ['andon', '--help']\n"
        "from service.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'numba', 'sklearn', 'pyarrow', 'fastapi', 'sqlalchemy', 'pydantic'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )

    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
