"""The OpenAPI document says of each operation who may call it, as the policy has it (SV-01, SE-01)."""

from typing import Any

import pytest

from service.access.policy import POLICY, Needs
from service.api.security import SCHEMES


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
    assert SCHEMES["sessionToken"]["name"] == "X-CSRF-Token"
    assert lasting_works.get("/api/v1/openapi.json") == document
