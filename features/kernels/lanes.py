"""Eight numbers at once: a vector type for compiled code, one lane per window.

Compilers turn loops into vector instructions only where they can prove that arrays do not overlap, which
sorting networks, Fourier transforms and combinations of a dozen sums defeat. Here the vectors are written down.
A lane never meets another lane, so a window's numbers do not depend on its neighbours.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

LANES = 8
"""Windows that are worked on at once; wider than the processor's vectors does no harm."""

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_INDEX = ir.IntType(32)


class Lanes(types.Type):  # type: ignore[misc]
    """The type of eight numbers."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = Lanes()


@register_model(Lanes)  # type: ignore[untyped-decorator]
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _VECTOR)


def _address(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def load(typing: Any, array: Any, place: Any) -> Any:
    """Return the eight numbers of a flat float64 array from a place on."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_address(context, builder, signature.args[0], values[0], values[1]), align=8)

    return lanes(array, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(typing: Any, array: Any, place: Any, vector: Any) -> Any:
    """Write eight numbers into a flat float64 array from a place on."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _address(context, builder, signature.args[0], values[0], values[1]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def splat(typing: Any, number: Any) -> Any:
    """Return one number eight times."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(nothing, values[0], ir.Constant(_INDEX, 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES))

    return lanes(types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def square_root(typing: Any, vector: Any) -> Any:
    """Return the square root of each."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [_VECTOR]), values)

    return lanes(lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def where_above(typing: Any, one: Any, other: Any, then: Any, otherwise: Any) -> Any:
    """Return ``then`` where ``one > other``, elsewhere ``otherwise``."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", values[0], values[1]), values[2], values[3])

    return lanes(lanes, lanes, lanes, lanes), generate


def _picked(comparison: str) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def pick(typing: Any, one: Any, other: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.select(builder.fcmp_ordered(comparison, *values), *values)

        return lanes(lanes, lanes), generate

    return pick


def _arithmetic(instruction: str) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def calculate(typing: Any, one: Any, other: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return getattr(builder, instruction)(*values)

        return lanes(lanes, lanes), generate

    return calculate


low = _picked("<")
high = _picked(">")
_plus, _minus, _times, _over = (_arithmetic(name) for name in ("fadd", "fsub", "fmul", "fdiv"))


def _overload(symbol: Any, function: Any) -> None:
    @overload(symbol)  # type: ignore[untyped-decorator]
    def of_lanes(one: Any, other: Any) -> Any:
        def implementation(one: Any, other: Any) -> Any:
            return function(one, other)

        return implementation if isinstance(one, Lanes) and isinstance(other, Lanes) else None


_overload(operator.add, _plus)
_overload(operator.sub, _minus)
_overload(operator.mul, _times)
_overload(operator.truediv, _over)
