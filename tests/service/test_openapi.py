"""The OpenAPI document says of each operation who may call it, as the policy has it (SV-01, SE-01)."""

from typing import Any

import pytest

from service.access.policy import POLICY, Needs
from service.api.openapi import SCHEMES


@pytest.fixture(scope="module")
def document(lasting_works: Any) -> dict[str, Any]:
    found: dict[str, Any] = lasting_works.get("/api/v1/openapi.json")
    return found


def test_each_operation_has_the_ways_in_that_the_policy_has(document: dict[str, Any]) -> None:
    seen = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            rule, ways = POLICY[f"{method.upper()} {path}"], operation["security"]
            assert (ways == []) is (rule.needs is Needs.NOTHING), path
            assert any("key" in way for way in ways) is (rule.needs not in (Needs.NOTHING, Needs.PERSON)), path
            assert all(("sessionToken" in way) is (method != "get") for way in ways if "session" in way), path
            seen += 1
    assert seen > 80


def test_the_schemes_are_those_that_are_used_and_the_document_is_made_the_same_again(
    document: dict[str, Any], lasting_works: Any
) -> None:
    used = {
        name
        for methods in document["paths"].values()
        for operation in methods.values()
        for way in operation["security"]
        for name in way
    }
    assert document["components"]["securitySchemes"] == SCHEMES
    assert used == set(SCHEMES)
    assert SCHEMES["sessionToken"]["name"] == "x-csrf-token"
    assert lasting_works.get("/api/v1/openapi.json") == document


def test_problems_are_of_their_own_kind_and_texts_where_alertmanager_is_spoken(
    document: dict[str, Any],
) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            content = operation["responses"]["default"]["content"]
            if path.startswith("/api/v2/"):
                assert content == {"application/json": {"schema": {"type": "string"}}}, path
            else:
                (schema,) = [each["schema"]["$ref"] for each in content.values()]
                assert (list(content), schema) == (["application/problem+json"], "#/components/schemas/Problem"), path


@pytest.mark.parametrize("written", ["0.5", "1767225600", "-5", " 7 ", "1e3"])
@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/machines/press-1", "/machines/press-1"])
def test_a_number_is_no_moment(lasting_works: Any, path: str, written: str) -> None:
    name = "until" if path.startswith("/machines") else "start"

    response = lasting_works.client.get(path, params={name: written})

    assert response.status_code == 422, response.text
    assert "a number is no date and time; write one such as 2026-01-31T06:00:00Z" in response.text


def test_an_event_at_a_number_is_turned_away(lasting_works: Any) -> None:
    response = lasting_works.client.post(
        "/api/v1/events", json={"machine": "press-1", "kind": "failure", "time": 1_767_225_600}
    )

    assert response.status_code == 422
    assert "a number is no date and time" in response.text
