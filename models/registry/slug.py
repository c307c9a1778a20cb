"""What the folder of a model's versions is called."""

import re
from hashlib import sha256

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


def slug(model: str) -> str:
    """Return a folder name for a model; different names never share one, whatever they hold.

    Examples
    --------
    >>> slug("press_failure"), slug("Presse 1/2")
    ('press_failure', 'presse-1-2-55e18d88')
    """
    if _PLAIN.fullmatch(model):
        return model
    readable = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")[:40] or "model"
    return f"{readable}-{sha256(model.encode()).hexdigest()[:8]}"
