"""Mypy plugin: a field of a NumPy structured array has the type that NumPy's stubs give it, found at once.

In `events["onset"] + events["length"]` mypy tries each overload of `+` with each overload of `[]` on both sides:
seconds a line. For a field named by a literal all overloads of `[]` become the one that fits; types stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable

from mypy.nodes import StrExpr
from mypy.plugin import MethodSigContext, Plugin
from mypy.types import AnyType, FunctionLike, Instance, TypeOfAny, get_proper_type

INDEXING = "numpy.ndarray.__getitem__"
STRUCTURED = "numpy.dtype[numpy.void]"


def field_signature(context: MethodSigContext) -> FunctionLike:
    """The signature of `array["field"]`: from `str` to an array of the same shape and any dtype."""
    array, key = get_proper_type(context.type), context.args[0]
    if isinstance(array, Instance) and key and isinstance(key[0], StrExpr):
        shape, dtype = array.args[0], get_proper_type(array.args[1])
        if isinstance(dtype, Instance) and str(dtype) == STRUCTURED:
            of_field = dtype.copy_modified(args=[AnyType(TypeOfAny.explicit)])
            return context.default_signature.copy_modified(
                arg_types=[context.api.named_generic_type("builtins.str", [])],
                ret_type=array.copy_modified(args=[shape, of_field]),
            )
    return context.default_signature


class StructuredArrays(Plugin):
    """Hooks into the indexing of arrays."""

    def get_method_signature_hook(self, fullname: str) -> Callable[[MethodSigContext], FunctionLike] | None:
        """The hook of a method, None where it has none."""
        return field_signature if fullname == INDEXING else None


def plugin(version: str) -> type[Plugin]:
    """What mypy asks a plugin's file for."""
    return StructuredArrays
