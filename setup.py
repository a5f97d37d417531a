"""Compile the kernels; everything else about the package stands in pyproject.toml.

Each kernel is a typed Python module that Cython compiles as it is. Without a C compiler the
build goes on and the same module is interpreted: slower, with the same results.
"""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

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


class AllOrNone(build_ext):
    """The kernels call each other in C: one compiled beside another interpreted does not run."""

    def build_extensions(self) -> None:
        try:
            super().build_extensions()
        except Exception as error:  # noqa: BLE001 - whatever a compiler or its absence may raise
            self.warn(f"the kernels were not compiled and will be interpreted: {error}")
            for extension in self.extensions:
                Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
            self.extensions = []


setup(ext_modules=extensions, cmdclass={"build_ext": AllOrNone})
