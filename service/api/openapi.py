"""The OpenAPI document, as generated clients need it: what each operation asks of whoever calls it, and problems."""

from collections.abc import Callable
from typing import Any

from service.access.csrf import HEADER
from service.access.policy import POLICY, Needs, Rule
from service.api.cookie import SECURE

KEY, SESSION, TOKEN = "key", "session", "sessionToken"
SCHEMES: dict[str, dict[str, str]] = {
    KEY: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "andon_…",
        "description": "A key of a program; 'andon keys new' makes one.",
    },
    SESSION: {"type": "apiKey", "in": "cookie", "name": SECURE, "description": "The session of a person, over https."},
    TOKEN: {
        "type": "apiKey",
        "in": "header",
        "name": HEADER,
        "description": "Beside a session with each change: the token that GET /api/v1/me tells.",
    },
}
"""Ways to say who asks. While there is no user, none of them is needed on this computer."""

_SAFE = ("get", "head", "options")


def completed(document: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Return what makes the same OpenAPI document, with the schemes and what each operation needs of them.

    Problems are of their own media type, and texts where Alertmanager's interface is spoken.
    """

    def described() -> dict[str, Any]:
        found = document()
        found.setdefault("components", {})["securitySchemes"] = SCHEMES
        for path, methods in found["paths"].items():
            for method, operation in methods.items():
                _tell_problems(operation["responses"]["default"]["content"], as_text=path.startswith("/api/v2/"))
                operation["security"] = security_of(POLICY[f"{method.upper()} {path}"], changes=method not in _SAFE)
        return found

    return described


def _tell_problems(content: dict[str, Any], *, as_text: bool) -> None:
    problem = content.pop("application/json", None)
    if as_text:
        content["application/json"] = {"schema": {"type": "string"}}
    elif problem is not None:
        content["application/problem+json"] = problem


def security_of(rule: Rule, *, changes: bool) -> list[dict[str, list[str]]]:
    """Return the ways in, any one of which is enough; none where nobody is asked who they are.

    Examples
    --------
    >>> from service.access.policy import OWN, PUBLIC, READ
    >>> security_of(PUBLIC, changes=False), security_of(READ, changes=False), security_of(OWN, changes=True)
    ([], [{'key': []}, {'session': []}], [{'session': [], 'sessionToken': []}])
    """
    if rule.needs is Needs.NOTHING:
        return []
    session: dict[str, list[str]] = {SESSION: [], TOKEN: []} if changes else {SESSION: []}
    return [session] if rule.needs is Needs.PERSON else [{KEY: []}, session]
