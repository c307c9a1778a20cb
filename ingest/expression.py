"""Expressions over signals and states, such as ``speed > 100 and state != 'maintenance'``.

They are read by the parser below and never executed: what is not in its short list of forms is a
mistake that is named. Values may be unknown (a signal that was not read, a state that nobody told of);
a comparison with them is unknown, too, and ``and``, ``or`` and ``not`` go on with that as people do:
what is false whatever the unknown turns out to be is false.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.errors import ExpressionError
from ingest.plant_words import nearest

LONGEST = 1000
"""Characters of the longest expression that is read."""
DEEPEST = 20
"""Levels of brackets, signs and words such as ``not`` within each other."""

STATE = "state"
"""The word that stands for the code of the newest state event; a signal of that name is ``signal['state']``."""

Numbers = NDArray[np.float64]
Codes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Truth:
    """Where something is known to be true and where it is known to be false; elsewhere it is unknown."""

    yes: NDArray[np.bool_]
    no: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Given:
    """What an expression is asked about, at n moments.

    Attributes
    ----------
    signals : values of each signal, shape (n,), NaN where unknown
    state : codes of states, shape (n,), empty where unknown
    """

    signals: Mapping[str, Numbers]
    state: Codes


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read and found well.

    Attributes
    ----------
    signals : the signals that it names, in their order
    codes : the codes of states that it names, in their order
    says : where it is true and where false
    """

    text: str
    signals: tuple[str, ...]
    codes: tuple[str, ...]
    says: Callable[[Given], Truth]

    @property
    def uses_state(self) -> bool:
        """Whether it asks for the state."""
        return bool(self.codes)

    def truth(self, given: Given) -> Truth:
        """Say where it is true and where it is false; a number that is infinite or none is unknown."""
        with np.errstate(all="ignore"):
            return self.says(given)


def read_expression(text: str, signals: Collection[str]) -> Expression:
    """Read an expression over these signals and ``state``.

    Raises
    ------
    ExpressionError
        Names what is wrong and what would be right.

    Examples
    --------
    >>> running = read_expression("speed > 100 and state != 'repair'", ["speed", "force"])
    >>> said = running.truth(Given({"speed": np.array([150.0, 150, 0, np.nan])}, np.array(["", "run", "", "repair"])))
    >>> said.yes.tolist(), said.no.tolist()
    ([False, True, False, False], [False, False, True, True])
    """
    reader = _Reader(signals)
    truth = reader.truth(_parsed(text), 0)
    if not reader.named and not reader.codes:
        raise ExpressionError(f"{text!r} asks for no signal and no state; write such as 'speed > 100'")
    return Expression(text, tuple(reader.named), tuple(reader.codes), truth)


def _parsed(text: str) -> ast.expr:
    if not text.strip():
        raise ExpressionError("is empty; write such as \"speed > 100 and state != 'maintenance'\"")
    if len(text) > LONGEST:
        raise ExpressionError(f"is {len(text)} characters long; {LONGEST} are the most")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(" ".join(text.split()), mode="eval").body
    except SyntaxError as error:
        where = f" near character {error.offset}" if error.offset else ""
        raise ExpressionError(f"{text!r} cannot be read{where}; write such as 'speed > 100 and force == 5'") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"{text[:60]!r} cannot be read; write such as 'speed > 100'") from error


_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_CALCULATE: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FORMS = "use signals, numbers, state, + - * /, < <= > >= == !=, in, and, or, not"


class _Reader:
    """Turns the parts of an expression into functions, and remembers what it names."""

    def __init__(self, signals: Collection[str]) -> None:
        self._signals = signals
        self.named: dict[str, None] = {}
        self.codes: dict[str, None] = {}

    def truth(self, node: ast.expr, depth: int) -> Callable[[Given], Truth]:
        """Read something that is true or false."""
        depth = _deeper(depth)
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(each, depth) for each in node.values]
            join = _all if isinstance(node.op, ast.And) else _any
            return lambda given: join([part(given) for part in parts])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            part = self.truth(node.operand, depth)
            return lambda given: _not(part(given))
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            links = [
                self._comparison(left, how, right, depth)
                for left, how, right in zip(sides, node.ops, sides[1:], strict=False)
            ]
            return lambda given: _all([link(given) for link in links])
        number = self.number(node, depth)
        return lambda given: _known(number(given), lambda value: value != 0)

    def number(self, node: ast.expr, depth: int) -> Callable[[Given], Numbers]:
        """Read something that is a number."""
        depth = _deeper(depth)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return _constant(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            of = self.number(node.operand, depth)
            return (lambda given: -of(given)) if isinstance(node.op, ast.USub) else of
        if isinstance(node, ast.BinOp) and type(node.op) in _CALCULATE:
            calculate = _CALCULATE[type(node.op)]
            left, right = self.number(node.left, depth), self.number(node.right, depth)
            return lambda given: calculate(left(given), right(given))
        return self._signal(node)

    def _signal(self, node: ast.expr) -> Callable[[Given], Numbers]:
        if _is_state(node):
            raise ExpressionError("state is a text, not a number; compare it, as in state != 'maintenance'")
        name = _name(node)
        if name is None:
            raise ExpressionError(f"{_shown(node)} has no meaning here; {_FORMS}")
        if name not in self._signals:
            raise ExpressionError(f"no signal {name!r}; {nearest(name, [*self._signals, STATE])}")
        self.named[name] = None
        return lambda given: given.signals[name]

    def _comparison(self, left: ast.expr, how: ast.cmpop, right: ast.expr, depth: int) -> Callable[[Given], Truth]:
        if _is_state(left) or _is_state(right):
            side, other = (left, right) if _is_state(left) else (right, left)
            return self._of_state(side, how, other, turned=side is right)
        if isinstance(how, ast.In | ast.NotIn):
            options = right.elts if isinstance(right, ast.List | ast.Tuple | ast.Set) else [right]
            equal = [self._comparison(left, ast.Eq(), each, depth) for each in options]
            if not equal:
                raise ExpressionError(f"{_shown(right)} is empty; write the values, as in level in (1, 2)")
            among: Callable[[Given], Truth] = lambda given: _any([each(given) for each in equal])  # noqa: E731
            return among if isinstance(how, ast.In) else lambda given: _not(among(given))
        compare = _COMPARE.get(type(how))
        if compare is None:
            raise ExpressionError(f"'is' has no meaning here; {_FORMS}")
        texts = [each for each in (left, right) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if texts:
            raise ExpressionError(f"{_shown(texts[0])} is a text; only state is compared with texts")
        first, second = self.number(left, depth), self.number(right, depth)
        return lambda given: _both(first(given), second(given), compare)

    def _of_state(self, side: ast.expr, how: ast.cmpop, other: ast.expr, *, turned: bool) -> Callable[[Given], Truth]:
        several = isinstance(how, ast.In | ast.NotIn)
        listed = other.elts if several and isinstance(other, ast.List | ast.Tuple | ast.Set) else [other]
        codes = [each.value for each in listed if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if not isinstance(how, ast.Eq | ast.NotEq | ast.In | ast.NotIn) or (several and turned):
            raise ExpressionError(
                f"{_shown(side)} has no order; write state == 'x', state != 'x' or state in ('x', 'y')"
            )
        if not codes or len(codes) < len(listed) or "" in codes:
            raise ExpressionError(
                f"{_shown(other)} is no state; write its code in quotes, as in state == 'maintenance'"
            )
        self.codes |= dict.fromkeys(codes)
        wanted = frozenset(codes)

        def among(given: Given) -> Truth:
            inside = np.array([code in wanted for code in given.state.tolist()], np.bool_)
            return Truth(inside, ~inside & (given.state != "").astype(np.bool_))

        return among if isinstance(how, ast.Eq | ast.In) else lambda given: _not(among(given))


def _deeper(depth: int) -> int:
    if depth >= DEEPEST:
        raise ExpressionError(f"goes deeper than {DEEPEST} brackets and words within each other; write it flatter")
    return depth + 1


def _is_state(node: ast.expr) -> bool:
    return _is_word(node, STATE)


def _is_word(node: ast.expr, word: str) -> bool:
    return isinstance(node, ast.Name) and node.id == word


def _name(node: ast.expr) -> str | None:
    """Return the signal that is meant by ``name`` or ``signal['any name']``; ``None`` if none can be."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and _is_word(node.value, "signal"):
        return str(node.slice.value)
    return None


def _constant(value: float) -> Callable[[Given], Numbers]:
    try:
        number = float(value)
    except OverflowError as error:
        raise ExpressionError("a number has too many digits; write it as 1e300 or smaller") from error
    return lambda given: np.full(len(given.state), number)


def _shown(node: ast.expr) -> str:
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError):  # nested too deeply, or a text within a text that cannot be written again
        return "a part of it"
    return text if len(text) <= 60 else text[:59] + "…"


def _known(value: Numbers, say: Callable[[Numbers], Any]) -> Truth:
    known, said = np.isfinite(value), np.asarray(say(value), np.bool_)
    return Truth(known & said, known & ~said)


def _both(left: Numbers, right: Numbers, compare: Callable[[Any, Any], Any]) -> Truth:
    known, said = np.isfinite(left) & np.isfinite(right), np.asarray(compare(left, right), np.bool_)
    return Truth(known & said, known & ~said)


def _all(parts: list[Truth]) -> Truth:
    return Truth(np.logical_and.reduce([each.yes for each in parts]), np.logical_or.reduce([each.no for each in parts]))


def _any(parts: list[Truth]) -> Truth:
    return _not(_all([_not(each) for each in parts]))


def _not(part: Truth) -> Truth:
    return Truth(part.no, part.yes)
