"""An estimator of the plant's own people, named in the plant file: ``estimator = "my_package.MyClassifier"``."""

import importlib
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from ingest.errors import PlantFileError
from ingest.plant import ModelEntry

NEEDS = ("fit", "predict_proba")

_OFFERED = ("sklearn.",)
"""What may be named without anybody's leave: skops builds it, and we ship it."""


class Classifier(Protocol):
    """What is asked of an own estimator: that of scikit-learn."""

    classes_: NDArray[Any]

    def fit(self, X: NDArray[Any], y: NDArray[Any]) -> Any:
        """Learn from rows without a missing value, unless its tags say that it takes them."""
        ...

    def predict_proba(self, X: NDArray[Any]) -> NDArray[Any]:
        """Return the probability of each class, shape (n_rows, n_classes)."""
        ...


def require_allowed(entry: ModelEntry, types: Collection[str]) -> None:
    """Return when the estimator of an entry may be imported, if it names one.

    A plant file says what is to be done; what code may run for it says who runs the computer.

    Raises
    ------
    PlantFileError
        When nobody allowed it.
    """
    dotted = entry.estimator
    if not dotted or dotted.startswith(_OFFERED) or dotted in types:
        return
    raise PlantFileError(
        [
            f"model '{entry.name}': estimator '{dotted}' is code that nobody allowed to run here; if you trust it,"
            " add it to ANDON_TRUSTED_TYPES"
        ]
    )


def new_estimator(model: str, dotted: str, parameters: Mapping[str, Any]) -> Classifier:
    """Return an estimator that has learnt nothing yet, with a fixed seed where it takes one and none is given.

    Raises
    ------
    PlantFileError
        When it cannot be imported, does not take these parameters, or cannot do what is needed.
    """

    def wrong(what: str) -> PlantFileError:
        return PlantFileError([f"model '{model}': estimator '{dotted}' {what}"])

    module, _, name = dotted.rpartition(".")
    try:
        made: Any = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise wrong(
            f"cannot be imported ({error}); install its package where Andon runs, or put its folder on PYTHONPATH"
        ) from error
    except AttributeError as error:
        raise wrong(f"cannot be imported: module '{module}' has no '{name}'") from error
    except Exception as error:  # somebody else's code
        raise wrong(f"cannot be imported: its module fails with {type(error).__name__}: {error}") from error
    if not isinstance(made, type):
        raise wrong("is no class; name the class, not an object of it")
    try:
        estimator = made(**parameters)
    except Exception as error:
        raise wrong(f"cannot be made with these estimator_parameters ({type(error).__name__}: {error})") from error
    missing = [each for each in NEEDS if not callable(getattr(estimator, each, None))]
    if missing:
        raise wrong(f"lacks {' and '.join(missing)}; a failure risk needs {' and '.join(NEEDS)}, as in scikit-learn")
    if "random_state" not in parameters and "random_state" in _parameters_of(estimator):
        estimator.set_params(random_state=0)
    return estimator


def takes_missing(estimator: Classifier) -> bool:
    """Say whether an estimator declares that it takes NaN."""
    from sklearn.utils import get_tags

    try:
        return bool(get_tags(estimator).input_tags.allow_nan)
    except (AttributeError, TypeError, ValueError):  # one that is no estimator of scikit-learn
        return False


def _parameters_of(estimator: Any) -> Collection[str]:
    return estimator.get_params() if hasattr(estimator, "get_params") and hasattr(estimator, "set_params") else ()
