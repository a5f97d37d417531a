"""The hot loops, and nothing else.

Typed Python in Cython's pure-Python mode: compiled when the package is installed with a C
compiler, interpreted otherwise. A base install has no `cython` at run time, which the kernels
import; where it is needed, they are given a stand-in. What one kernel calls of another in C is
declared in its `.pxd`.
"""

from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path


def _interpreted() -> list[str]:
    """Names of the kernels that were not compiled."""
    folder = Path(__file__).parent
    return [
        path.stem
        for path in sorted(folder.glob("[!_]*.py"))
        if not any(path.with_suffix(suffix).exists() for suffix in EXTENSION_SUFFIXES)
    ]


_names = _interpreted()
if _names and find_spec("cython") is None:
    from unspin.kernels._interpreted import stand_in

    with stand_in():
        for _name in _names:
            import_module(f"{__name__}.{_name}")
