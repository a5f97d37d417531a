"""Compile the kernels; everything else about the package stands in pyproject.toml.

Each kernel is a typed Python module that Cython compiles as it is. Without a C compiler the
build goes on and the same module is interpreted: slower, with the same results.
"""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

# Paths are relative: setuptools refuses absolute ones, and builds run in this directory.
KERNELS = Path("src/unspin/kernels")

sources = [path for path in sorted(KERNELS.glob("*.py")) if not path.stem.startswith("_")]
extensions = cythonize(
    [
        Extension(
            f"unspin.kernels.{path.stem}", [path.as_posix()], extra_compile_args=["-O3", "-g0"]
        )
        for path in sources
    ],
    build_dir="build/cython",
    compiler_directives={"language_level": 3, "annotation_typing": True},
)
for extension in extensions:
    extension.optional = True  # set here, since `cythonize` does not keep it

setup(ext_modules=extensions)
