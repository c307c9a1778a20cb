"""Refusals as Alertmanager's clients read them: the reason, as a JSON string."""

import json

from fastapi import Request
from starlette.responses import Response

from service.api.problem import Problem, Render

PREFIX = "/api/v2/"
_INVALID = (409, 422)
"""What its clients know by 400 only: all others they call unknown, and show no reason."""


def refused_as_text(otherwise: Render) -> Render:
    """Answer with a JSON string below ``PREFIX``, and with whatever else renders elsewhere."""

    def render(request: Request, problem: Problem) -> Response | None:
        if not request.url.path.startswith(PREFIX):
            return otherwise(request, problem)
        status = 400 if problem.status in _INVALID else problem.status
        return Response(json.dumps(problem.detail or problem.title), status_code=status, media_type="application/json")

    return render
