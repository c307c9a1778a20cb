"""The reference page of the interface, written from the routes themselves.

``python -m service.api.reference > docs/api.md`` writes it anew; a test compares the two.
"""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from service.access.policy import POLICY, Needs, Of, Rule
from service.api.body import LARGEST_BODY
from service.api.problem import ERROR_TABLE

_HEAD = """# The HTTP interface

<!-- Written by `python -m service.api.reference > docs/api.md`; do not edit by hand. -->

{description}

The same as OpenAPI: `/api/v1/openapi.json`, where each operation says which keys and sessions it takes, for generated
clients. A body may have up to {largest} MiB. Once there is a user, every request needs a session or a key
(`Authorization: Bearer andon_…`), and each operation a right, which stands below it: see [access](access.md). Without
either it is 401, without the right 403, and what is beyond the reach of whoever asks is 404 and in no list. Too many
changes in a minute are 429 with `Retry-After`. Changes that a page of another site asks for are refused (403); programs
send neither `Origin` nor `Sec-Fetch-Site` and are not concerned. Requests to a name that is not this computer's are
refused (421); `ANDON_HOSTS` [names further ones](settings.md#names).
"""


def reference(openapi: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    head = _HEAD.format(description=openapi["info"]["description"], largest=LARGEST_BODY // 2**20)
    lines = [head, *_routes(openapi), *_nouns(openapi), *_problems()]
    return "\n".join(lines).rstrip() + "\n"


def _routes(openapi: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield f"## {method.upper()} {path}\n"
            yield f"{operation.get('description') or operation['summary']}\n"
            yield f"Needs: {_needs(POLICY[f'{method.upper()} {path}'])}.\n"
            if parameters := operation.get("parameters"):
                yield "| parameter | in | type | meaning |\n|---|---|---|---|"
                for each in parameters:
                    name = f"`{each['name']}`" + (" (needed)" if each.get("required") else "")
                    meaning = _cell(each.get("description") or each["schema"].get("description", ""))
                    yield f"| {name} | {each['in']} | {_type(each['schema'])} | {meaning} |"
                yield ""
            for media, content in operation.get("requestBody", {}).get("content", {}).items():
                yield f"Takes {_type(content['schema'])} as `{media}`.\n"
            for status, answer in operation["responses"].items():
                schema = answer.get("content", {}).get("application/json", {}).get("schema")
                if status.startswith("2") and schema:
                    yield f"Answers {status} with {_type(schema)}.\n"


def _needs(rule: Rule) -> str:
    if rule.needs is Needs.NOTHING:
        return "nothing"
    needs = "a session or a key" if isinstance(rule.needs, Needs) else f"`{rule.needs.value}`"
    return f"{needs}, and to reach the whole plant" if rule.of is Of.WHOLE else needs


def _nouns(openapi: Mapping[str, Any]) -> Iterator[str]:
    yield "# Nouns\n"
    for name, schema in sorted(openapi["components"]["schemas"].items()):
        if "enum" in schema:
            yield f"## {name}\n\n{schema.get('description', '').strip()}\n\n{_type(schema)}\n"
        if "properties" not in schema or name in ("HTTPValidationError", "ValidationError"):
            continue
        yield f"## {name}\n\n{schema.get('description', '').strip()}\n\n| field | type | meaning |\n|---|---|---|"
        for key, field in schema["properties"].items():
            yield f"| `{key}` | {_type(field)} | {_cell(field.get('description', ''))} |"
        yield ""


def _problems() -> Iterator[str]:
    yield "# Problems\n\n| type | status | title |\n|---|---|---|"
    yield "| `about:blank` | the HTTP status | its usual phrase |"
    yield "| `urn:andon:invalid` | 422 | The request is not valid |"
    for kind in sorted(ERROR_TABLE.values(), key=lambda each: (each.status, each.name)):
        yield f"| `urn:andon:{kind.name}` | {kind.status} | {kind.title} |"


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(_type(each) for each in schema[word])
    if "enum" in schema:
        return " or ".join(f"'{each}'" for each in schema["enum"])
    if "const" in schema:
        return f"'{schema['const']}'"
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return {"date-time": "time", "duration": "duration"}.get(schema.get("format", ""), kind)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    from service.app import create_app
    from service.settings import Settings

    sys.stdout.write(reference(create_app(Settings(), clock=lambda: datetime.now(UTC)).openapi()))
