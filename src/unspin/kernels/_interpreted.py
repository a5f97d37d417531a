"""A stand-in for the `cython` module, with which a kernel runs as the Python that it is.

Cython's own package has one too ("Pure Python Mode" in its manual); this one has only what the
kernels use. Types mean nothing, and a decorator returns what it decorates.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

TYPES: dict[str, Callable[[Any], Any]] = {
    "bint": bool,
    "double": float,
    "float": float,
    "int": int,
    "long": int,
    "longlong": int,
    "Py_ssize_t": int,
    "schar": int,
    "short": int,
    "size_t": int,
    "uchar": int,
    "uint": int,
    "ulong": int,
    "ulonglong": int,
    "ushort": int,
    "void": lambda value: value,
}
DIRECTIVES = (
    "annotation_typing",
    "boundscheck",
    "ccall",
    "cclass",
    "cdivision",
    "cfunc",
    "exceptval",
    "final",
    "gil",
    "initializedcheck",
    "inline",
    "nogil",
    "nonecheck",
    "wraparound",
)


class _Type:
    """A C type; with a slice, a typed view on a buffer of them."""

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self.convert = convert

    def __getitem__(self, _axes: object) -> _Type:
        return self


class _Directive:
    """A decorator (`cfunc`), a maker of decorators (`boundscheck(False)`) or a block (`nogil`)."""

    def __call__(self, *arguments: Any, **_options: object) -> Any:
        decorated = arguments and callable(arguments[0])
        return arguments[0] if decorated else self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_error: object) -> None:
        pass


class _Const:
    """`const[type]`: that what a view shows is not written to, which binds nobody here."""

    def __getitem__(self, c_type: _Type) -> _Type:
        return c_type


def _declare(_type: object, value: Any = None) -> Any:
    return value


def _cast(c_type: _Type, value: Any) -> Any:
    return c_type.convert(value)


def cython() -> ModuleType:
    """The stand-in."""
    module = ModuleType("cython")
    vars(module).update({name: _Type(convert) for name, convert in TYPES.items()})
    vars(module).update({name: _Directive() for name in DIRECTIVES})
    vars(module).update(compiled=False, const=_Const(), declare=_declare, cast=_cast)
    return module


@contextmanager
def stand_in() -> Iterator[None]:
    """While this is open, `import cython` imports the stand-in.

    Not for longer, since other packages look for `cython` as well, and expect all of it.
    """
    names = ("cython.cimports", "cython.cimports.libc")
    modules = {"cython": cython(), **{name: ModuleType(name) for name in names}}
    modules["cython.cimports.libc.math"] = math
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]
