"""What the documents say is true."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FEATURES = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([A-Z]{2,3}-\d\d) \| .* \|$", FEATURES, re.MULTILINE)
PROOFS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", FEATURES)))


@pytest.mark.parametrize(("path", "name"), PROOFS, ids=lambda part: str(part))
def test_each_listed_proof_exists(path: str, name: str) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))

    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}

    assert name in functions


def test_each_row_has_a_proof_and_stands_once() -> None:
    assert ROWS
    assert len(ROWS) == len(set(ROWS))
    for line in FEATURES.splitlines():
        if re.match(r"\| [A-Z]{2,3}-\d\d \|", line):
            assert "`tests/" in line, line


def test_every_relative_link_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "sample_data").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_subcommand_is_in_the_readme() -> None:
    from service.cli.main import COMMANDS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [name for name in COMMANDS if f"andon {name}" not in readme] == []
