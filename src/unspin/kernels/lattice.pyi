from array import array
from collections.abc import Sequence
from typing import Protocol

from unspin.kernels.ngrams import Ngrams

class _Phrases(Protocol):
    source: bytearray
    words: array[int]
    span: bytearray
    fan: array[int]
    first: array[int]
    choice: array[int]
    place: bytearray

class Lattice:
    def __init__(
        self,
        model: Ngrams,
        topics: memoryview,
        words: array[int],
        slots: array[int],
        first: array[int],
        role: bytearray,
        unknown: array[float],
        printed: array[int],
        original: array[int],
        sources: array[int],
        masks: memoryview,
        fanout: memoryview,
        word_class: memoryview,
        n_sources: int,
        rates: array[float],
        weights: array[float],
        phrases: _Phrases,
        fluent: float,
        beam: float,
        prune: float,
    ) -> None: ...
    def build(self) -> None: ...
    def expect(self) -> float: ...
    def reestimate(
        self,
        rate_prior: float,
        rate_strength: float,
        weight_prior: Sequence[float],
        weight_strength: float,
        parsimony: float,
    ) -> None: ...
    def adapt(self, share: float, trust: float, topic: float, window: int) -> None: ...
    def sharpen(self, strength: float) -> None: ...
    def kept_posteriors(self) -> list[tuple[int, int, float, float]]: ...
    def taken(self) -> list[float]: ...
    def substituted(
        self, least: float, least_choice: float
    ) -> list[tuple[int, int, float, list[tuple[int, float]]]]: ...
