"""Eight numbers at once: a vector type for compiled code, one lane per window.

Compilers turn loops into vector instructions only where they can prove that arrays do not overlap, which
sorting networks, Fourier transforms and combinations of a dozen sums defeat. Here the vectors are written down.
A lane never meets another lane, so a window's numbers do not depend on its neighbours.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import models, overload, register_model

from features.kernels.jit import instruction, jit

LANES = 8
"""Windows that are worked on at once; wider than the processor's vectors does no harm."""

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_INDEX = ir.IntType(32)


class Lanes(types.Type):  # type: ignore[misc]
    """The type of eight numbers."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = Lanes()


class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _VECTOR)


register_model(Lanes)(_LanesModel)


def _address(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())


@instruction
def load(typing: Any, array: Any, place: Any) -> Any:
    """Return the eight numbers of a flat float64 array from a place on."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_address(context, builder, signature.args[0], values[0], values[1]), align=8)

    return lanes(array, types.intp), generate


@instruction
def store(typing: Any, array: Any, place: Any, vector: Any) -> Any:
    """Write eight numbers into a flat float64 array from a place on."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _address(context, builder, signature.args[0], values[0], values[1]), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


_PAIRS = ((0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15))
_QUARTERS = ((0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15))
_HALVES = ((0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15))


@instruction
def _turn(typing: Any, x: Any, place: Any, apart: Any, into: Any, to: Any, width: Any) -> Any:
    """Write 8 × 8 numbers turned: ``into[to + i * width + j] = x[place + j * apart + i]``."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        source, begin, apart, target, to, width = values
        rows = []
        for _ in range(LANES):
            rows.append(builder.load(_address(context, builder, signature.args[0], source, begin), align=8))
            begin = builder.add(begin, apart)
        for step, masks in enumerate((_PAIRS, _QUARTERS, _HALVES)):
            turned = list(rows)
            for one in range(LANES):
                other = one + (1 << step)
                if not one & (1 << step):
                    for row, mask in zip((one, other), masks, strict=True):
                        picked = ir.Constant(ir.VectorType(_INDEX, LANES), list(mask))
                        turned[row] = builder.shuffle_vector(rows[one], rows[other], picked)
            rows = turned
        for row in rows:
            builder.store(row, _address(context, builder, signature.args[3], target, to), align=8)
            to = builder.add(to, width)
        return context.get_dummy_value()

    return types.void(x, types.intp, types.intp, into, types.intp, types.intp), generate


@jit
def lay_out(x: Any, begin: int, apart: int, count: int, into: Any, lane: int, width: int) -> None:
    """Lay eight stretches of a series beside each other: ``into[i * width + lane + j] = x[begin + j * apart + i]``.

    Where the series ends before the last stretch does, the last one that is whole stands in the lanes that follow.
    """
    whole = 0
    if begin + (LANES - 1) * apart + count <= len(x):
        whole = count - count % LANES
        for i in range(0, whole, LANES):
            _turn(x, begin + i, apart, into, i * width + lane, width)
    for j in range(LANES):
        start = begin + j * apart
        while start + count > len(x):
            start -= apart
        own = x[start : start + count]
        for i in range(whole, count):
            into[i * width + lane + j] = own[i]


@instruction
def splat(typing: Any, number: Any) -> Any:
    """Return one number eight times."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(nothing, values[0], ir.Constant(_INDEX, 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES))

    return lanes(types.float64), generate


@instruction
def square_root(typing: Any, vector: Any) -> Any:
    """Return the square root of each."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR])
        return builder.call(builder.module.declare_intrinsic(f"llvm.sqrt.v{LANES}f64", fnty=kind), values)

    return lanes(lanes), generate


@instruction
def where_above(typing: Any, one: Any, other: Any, then: Any, otherwise: Any) -> Any:
    """Return ``then`` where ``one > other``, elsewhere ``otherwise``."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", values[0], values[1]), values[2], values[3])

    return lanes(lanes, lanes, lanes, lanes), generate


def _picked(comparison: str) -> Any:
    @instruction
    def pick(typing: Any, one: Any, other: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.select(builder.fcmp_ordered(comparison, *values), *values)

        return lanes(lanes, lanes), generate

    return pick


def _arithmetic(name: str) -> Any:
    @instruction
    def calculate(typing: Any, one: Any, other: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return getattr(builder, name)(*values)

        return lanes(lanes, lanes), generate

    return calculate


low = _picked("<")
high = _picked(">")
_plus, _minus, _times, _over = (_arithmetic(name) for name in ("fadd", "fsub", "fmul", "fdiv"))


def _overload(symbol: Any, function: Any) -> None:
    def of_lanes(one: Any, other: Any) -> Any:
        def implementation(one: Any, other: Any) -> Any:
            return function(one, other)

        return implementation if isinstance(one, Lanes) and isinstance(other, Lanes) else None

    overload(symbol)(of_lanes)


_overload(operator.add, _plus)
_overload(operator.sub, _minus)
_overload(operator.mul, _times)
_overload(operator.truediv, _over)
