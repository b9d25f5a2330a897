"""SIMD values for numba: a fixed number of equal scalars that live in vector registers.

LLVM's vector types are portable: 32 lanes of int16 are one AVX-512 register, two of AVX2, four of SSE or NEON. Numba's own
loops over small arrays keep the running values of a loop in memory; these keep them in registers.
"""

import functools
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

REGISTERS = 32 if binding.get_host_cpu_features().get("avx512f") else 16  # of vectors, that the processor has


class Lanes(types.Type):
    """``count`` values of one numba scalar type."""

    def __init__(self, scalar: types.Type, count: int):
        self.scalar, self.count = scalar, count
        super().__init__(name=f"Lanes({scalar}, {count})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes):
        super().__init__(manager, lanes, ir.VectorType(manager.lookup(lanes.scalar).get_value_type(), lanes.count))


@intrinsic(prefer_literal=True)
def load(_: Any, array: types.Array, index: types.Integer, count: types.IntegerLiteral) -> Any:
    """``count`` elements, a constant, of a flat array from ``index`` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(signature.return_type)
        return builder.load(_address(context, builder, signature, arguments, kind), align=array.dtype.bitwidth // 8)

    return Lanes(array.dtype, count.literal_value)(array, types.intp, count), generate


@intrinsic(prefer_literal=True)
def load_halves(_: Any, array: types.Array, index: types.Integer, count: types.IntegerLiteral) -> Any:
    """``count`` float16, a constant, as float32, from ``index`` on of a flat array of their bits, uint16."""
    lanes = Lanes(types.float32, count.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(ir.IntType(16), lanes.count)
        bits = builder.load(_address(context, builder, signature, arguments, kind), align=2)
        halves = builder.bitcast(bits, ir.VectorType(ir.HalfType(), lanes.count))
        return builder.fpext(halves, context.get_value_type(lanes))

    return lanes(array, types.intp, count), generate


@intrinsic
def store(_: Any, array: types.Array, index: types.Integer, lanes: Lanes) -> Any:
    """``store(array, index, lanes)`` writes the lanes to a flat array from ``index`` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(lanes)
        builder.store(arguments[2], _address(context, builder, signature, arguments, kind), align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), generate


@intrinsic(prefer_literal=True)
def fill(_: Any, value: types.Number, count: types.IntegerLiteral) -> Any:
    """``count`` times the value; ``count`` is a constant."""
    lanes = Lanes(types.unliteral(value), count.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(lanes)
        undefined = ir.Constant(kind, ir.Undefined)
        first = builder.insert_element(undefined, arguments[0], ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), lanes.count), [0] * lanes.count)
        return builder.shuffle_vector(first, undefined, mask)

    return lanes(types.unliteral(value), count), generate


@intrinsic
def word(_: Any, array: types.Array, index: types.Integer) -> Any:
    """The 8 bytes from ``index`` on of a flat array of bytes, the first one lowest where the processor is little-endian."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_address(context, builder, signature, arguments, ir.IntType(64)), align=1)

    return types.uint64(array, types.intp), generate


@intrinsic
def prefetch(_: Any, array: types.Array, index: types.Integer) -> Any:
    """Ask for the cache line of an element; one outside the array does no harm."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = ir.FunctionType(ir.VoidType(), [pointer, flag, flag, flag])
        address = _address(context, builder, signature, arguments, ir.IntType(8))
        read, near, data = (ir.Constant(flag, value) for value in (0, 3, 1))
        called = cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0")
        builder.call(called, [address, read, near, data])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic
def add(_: Any, left: Lanes, right: Lanes) -> Any:
    """Lane by lane; integers wrap around."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return (builder.fadd if isinstance(left.scalar, types.Float) else builder.add)(*arguments)

    return left(left, right), generate


@intrinsic
def multiply(_: Any, left: Lanes, right: Lanes) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return (builder.fmul if isinstance(left.scalar, types.Float) else builder.mul)(*arguments)

    return left(left, right), generate


@intrinsic
def multiply_add(_: Any, left: Lanes, right: Lanes, addend: Lanes) -> Any:
    """``left * right + addend`` of floats, in one rounding where the processor can."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _call(context, builder, "fmuladd", left, arguments)

    return left(left, right, addend), generate


@intrinsic(prefer_literal=True)
def fill_pairs(_: Any, array: types.Array, index: types.Integer, count: types.IntegerLiteral) -> Any:
    """The two int16 at ``index`` and after it, over and over, ``count`` values in all, a constant."""
    lanes = Lanes(types.int16, count.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pair = ir.IntType(32)
        found = builder.load(_address(context, builder, signature, arguments, pair), align=2)
        pairs = ir.VectorType(pair, lanes.count // 2)
        undefined = ir.Constant(pairs, ir.Undefined)
        first = builder.insert_element(undefined, found, ir.Constant(pair, 0))
        return builder.bitcast(
            builder.shuffle_vector(first, undefined, ir.Constant(pairs, [0] * pairs.count)), context.get_value_type(lanes)
        )

    return lanes(array, types.intp, count), generate


@intrinsic
def multiply_pairs(_: Any, left: Lanes, right: Lanes) -> Any:
    """Half as many int32: the products of int16 neighbours added up. LLVM finds the one instruction that does this."""
    halves = Lanes(types.int32, left.count // 2)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.VectorType(ir.IntType(32), left.count)
        products = builder.mul(*(builder.sext(argument, wide) for argument in arguments))
        picks = ir.VectorType(ir.IntType(32), halves.count)
        undefined = ir.Constant(wide, ir.Undefined)
        even, odd = (
            builder.shuffle_vector(products, undefined, ir.Constant(picks, list(range(first, left.count, 2))))
            for first in (0, 1)
        )
        return builder.add(even, odd)

    return halves(left, right), generate


@intrinsic
def maximum(_: Any, left: Lanes, right: Lanes) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        floats = isinstance(left.scalar, types.Float)
        greater = (builder.fcmp_ordered if floats else builder.icmp_signed)(">", *arguments)
        return builder.select(greater, *arguments)

    return left(left, right), generate


@intrinsic
def total(_: Any, lanes: Lanes) -> Any:
    """Sum of the lanes of floats: halves added to halves while there are two, then one lane after the other."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _reduced(builder, arguments[0], builder.fadd)

    return lanes.scalar(lanes), generate


@intrinsic
def largest(_: Any, lanes: Lanes) -> Any:
    """The largest of the lanes of floats."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def larger(left: Any, right: Any) -> Any:
            return builder.select(builder.fcmp_ordered(">", left, right), left, right)

        return _reduced(builder, arguments[0], larger)

    return lanes.scalar(lanes), generate


@intrinsic
def to_float(_: Any, lanes: Lanes) -> Any:
    """Signed integers as float32."""
    floats = Lanes(types.float32, lanes.count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.sitofp(arguments[0], context.get_value_type(floats))

    return floats(lanes), generate


@intrinsic
def to_int16(_: Any, lanes: Lanes) -> Any:
    """Floats rounded to the nearest integer, halves to the even one; beyond int16 they wrap around, up to int32."""
    integers = Lanes(types.int16, lanes.count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rounded = _call(context, builder, "rint", lanes, arguments)
        wide = builder.fptosi(rounded, ir.VectorType(ir.IntType(32), lanes.count))
        return builder.trunc(wide, context.get_value_type(integers))

    return integers(lanes), generate


@intrinsic
def to_int8(_: Any, lanes: Lanes) -> Any:
    """The high byte of int16, rounded; they must lie below 127.5 times 256."""
    narrow = Lanes(types.int8, lanes.count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(lanes)
        half, byte = (ir.Constant(kind, [value] * lanes.count) for value in (128, 8))
        return builder.trunc(builder.ashr(builder.add(arguments[0], half), byte), context.get_value_type(narrow))

    return narrow(lanes), generate


@intrinsic
def reaching(_: Any, left: Lanes, right: Lanes) -> Any:
    """A bit for each lane, the first one lowest: whether ``left`` is at least ``right``, or one of them no number."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _bits(builder, builder.fcmp_unordered(">=", *arguments))

    return types.uint64(left, right), generate


@intrinsic
def exceeding(_: Any, left: Lanes, right: Lanes) -> Any:
    """A bit for each lane of integers, the first one lowest: whether ``left`` is more than ``right``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _bits(builder, builder.icmp_signed(">", *arguments))

    return types.uint64(left, right), generate


def _bits(builder: Any, compared: Any) -> Any:
    """64 bits from a vector of truth values."""
    return builder.zext(builder.bitcast(compared, ir.IntType(compared.type.count)), ir.IntType(64))


def _reduced(builder: Any, found: Any, combine: Callable[[Any, Any], Any]) -> Any:
    """One scalar from a vector: halves combined with halves while there are two, then one lane after the other."""
    count = found.type.count
    while count % 2 == 0:
        count //= 2
        picks = ir.VectorType(ir.IntType(32), count)
        undefined = ir.Constant(found.type, ir.Undefined)
        low, high = (
            builder.shuffle_vector(found, undefined, ir.Constant(picks, list(range(first, first + count))))
            for first in (0, count)
        )
        found = combine(low, high)
    first, *others = (builder.extract_element(found, ir.Constant(ir.IntType(32), lane)) for lane in range(count))
    return functools.reduce(combine, others, first)


def _call(context: Any, builder: Any, name: str, lanes: Lanes, arguments: Any) -> Any:
    kind = context.get_value_type(lanes)
    function = ir.FunctionType(kind, [kind] * len(arguments))
    full = f"llvm.{name}.v{lanes.count}f{lanes.scalar.bitwidth}"
    return builder.call(cgutils.get_or_insert_function(builder.module, function, full), arguments)


def _address(context: Any, builder: Any, signature: Any, arguments: Any, kind: ir.Type) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), kind.as_pointer())
