"""The interface keeps its own OpenAPI document, whatever it is asked (SV-01); the same questions each time.

Others, and many: ``st run http://127.0.0.1:8420/api/v1/openapi.json`` beside a server that may be written to.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.openapi import from_url
from schemathesis.schemas import BaseSchema

from tests.running_app import running_app
from tests.service.conftest import open_works

NO_ANSWER = ("/api/v1/alerts/stream", "/watchz")
"""A stream does not end, and that nobody watches is 503 on purpose."""
NO_REQUEST = "Invalid HTTP request received."
"""What the server itself says to bytes that are no request at all."""
CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
)


@pytest.fixture(scope="module")
def interface(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    for works in open_works(tmp_path_factory.mktemp("works")):
        works.send("press-1")
        works.alert()
        with running_app(works.client.app) as port:  # type: ignore[arg-type]
            yield from_url(f"http://127.0.0.1:{port}/api/v1/openapi.json").exclude(path=list(NO_ANSWER))


@pytest.mark.slow(seconds=20)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_each_answer_is_as_described(interface: BaseSchema, mode: GenerationMode) -> None:
    seen = 0
    for found in interface.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=3,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def asked(case: Any) -> None:
            answer = case.call()
            if answer.text != NO_REQUEST:
                case.validate_response(answer, checks=CHECKS)

        try:
            asked()
        except Unsatisfiable:
            continue  # nothing is asked with it that could be wrong
        seen += 1
    assert seen > (80 if mode is GenerationMode.POSITIVE else 50)
