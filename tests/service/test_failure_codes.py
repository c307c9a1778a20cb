"""Codes of failures that the plant file explains, where people meet them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.plant import Plant
from ingest.plant_failure import FailureCode
from tests.service.conftest import Works, small_plant

BEARING = FailureCode(code="B12", mode="VIB", mechanism="mechanical", words="worn <bearing>")
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://testserver"}


def plant_with_codes(folder: Path) -> Plant:
    return small_plant(folder).model_copy(update={"failure_codes": [BEARING, FailureCode(code="OHE")]})


@pytest.fixture
def works(works_with: Callable[..., Works]) -> Works:
    return works_with(plant_in=plant_with_codes)


def test_the_plant_tells_what_its_codes_mean(works: Any) -> None:
    told = works.get("/api/v1/plant")["failure_codes"]

    assert told[0] == {"code": "B12", "mode": "VIB", "mechanism": "mechanical", "words": "worn <bearing>"}
    assert (told[1]["mode"], told[1]["mechanism"]) == ("OHE", None)


@pytest.mark.parametrize(("told", "kept"), [({}, "mechanical"), ({"mechanism": "creep"}, "creep")])
def test_an_alert_that_is_closed_with_a_code_has_its_mechanism_unless_another_is_told(
    works: Any, told: dict[str, str], kept: str
) -> None:
    path = f"/api/v1/alerts/{works.alert().number}/close"

    closed = works.client.post(path, json={"by": "Ines", "verdict": "right", "mode": "B12", **told})

    assert closed.status_code == 200, closed.text
    assert (closed.json()["mode"], closed.json()["mechanism"]) == ("B12", kept)


def test_so_has_one_that_is_closed_from_its_page(works: Any) -> None:
    number = works.alert().number

    works.client.post(f"/alerts/{number}/close", content="by=Ines&verdict=right&mode=B12", headers=FORM)

    assert works.get(f"/api/v1/alerts/{number}")["mechanism"] == "mechanical"


def test_the_page_of_a_machine_says_what_the_code_of_a_failure_means_and_of_nothing_else(works: Any) -> None:
    rows = [
        {"machine": "press-1", "kind": kind, "time": works.now.isoformat(), "code": code}
        for kind, code in [("failure", "B12"), ("error", "OHE")]
    ]
    works.client.post("/api/v1/events", json=rows)

    text = works.client.get("/machines/press-1", headers={"Accept": "text/html"}).text

    assert "worn &lt;bearing&gt; (VIB)" in text
    assert "overheating" not in text
