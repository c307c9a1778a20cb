"""Forms that hold the session's token: it is put into every form that changes something, so that none can lack it."""

import re

from jinja2.ext import Extension

from service.access.csrf import FIELD

_FORM = re.compile(r"<form\b[^>]*\bmethod=[\"']?post\b[^>]*>", re.IGNORECASE)
_SEAL = '{% if csrf %}<input type="hidden" name="' + FIELD + '" value="{{ csrf }}">{% endif %}'


class SealedForms(Extension):
    """Puts the field into the templates themselves, before anything of a request is in them."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return a template with the field in each form that is posted.

        Examples
        --------
        >>> from jinja2 import Environment
        >>> text = '<form method="post" action="/a"></form>'
        >>> Environment(extensions=[SealedForms]).from_string(text).render(csrf="c")
        '<form method="post" action="/a"><input type="hidden" name="csrf" value="c"></form>'
        """
        return _FORM.sub(lambda found: found.group() + _SEAL, source)
