"""What the pages about access say is so."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.access.role import MEANING, RIGHTS, Right
from service.cli.main import andon
from service.settings import Settings
from tests.page import DOCS, blocks

ROOT = DOCS.parent
PLANT = """
[[classes]]
name = "press"
signals = [{ name = "temperature" }]
[[machines]]
name = "press-7"
class = "press"
line = "Line 1"
[[machines]]
name = "press-8"
class = "press"
line = "Line 2"
"""


def test_the_table_of_rights_is_that_of_the_code() -> None:
    roles = list(RIGHTS)
    lines = [f"| right | what it is for | {' | '.join(roles)} |"]
    for right in Right:
        cells = " | ".join("yes" if right in RIGHTS[role] else "" for role in roles)
        lines.append(f"| `{right.value}` | {MEANING[right]} | {cells} |")
    page = (DOCS / "access.md").read_text(encoding="utf-8")

    assert [line for line in lines if line not in page] == []


def test_every_example_of_the_page_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDON_OIDC_ISSUER", "https://id.example/realms/plant")
    (tmp_path / "plant.toml").write_text(PLANT)
    lines = [line for block in blocks("access.md", "sh") for line in block.splitlines()]
    assert len(lines) > 12
    for line in lines:
        arguments = shlex.split(line)[1:]
        result = CliRunner().invoke(andon, ["--plant", str(tmp_path / "plant.toml"), *arguments])
        assert result.exit_code == 0, (line, result.output, result.exception)


def test_each_line_of_the_owasp_sheet_names_tests_that_there_are() -> None:
    page = (DOCS / "threat_model.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| API\d+ .*$", page, re.MULTILINE)
    assert len(rows) == 10
    for row in rows:
        proofs = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)
        assert proofs, row
        for path, name in proofs:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), name


def test_the_settings_of_the_page_are_those_of_the_code() -> None:
    page = (DOCS / "access.md").read_text(encoding="utf-8")

    named = {each.removeprefix("ANDON_").lower() for each in re.findall(r"ANDON_[A-Z_]+", page)}

    assert named <= set(Settings.__dataclass_fields__)
    assert {"open", "session_idle", "session_longest", "changes_per_minute", "tls_certificate", "tls_key"} <= named
