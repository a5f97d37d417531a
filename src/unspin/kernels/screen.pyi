from array import array
from typing import Protocol

from unspin.kernels.ngrams import Ngrams

class _Channel(Protocol):
    prior: tuple[float, ...]
    first: memoryview
    original: memoryview
    sources: memoryview
    masks: memoryview
    fanout: memoryview
    word_class: memoryview

class Screen:
    def __init__(
        self,
        model: Ngrams,
        p1: memoryview,
        channel: _Channel,
        telling: memoryview,
        expected: memoryview,
        least: int,
        unknown: float,
        marks: array[int],
    ) -> None: ...
    def enter_words(self, vocabulary: memoryview) -> None: ...
    def enter_channel(self, printed: memoryview) -> None: ...
    def glance(
        self,
        text: memoryview,
        bounds: memoryview,
        counted: memoryview,
        strange: memoryview,
        eligible: memoryview,
        told: memoryview,
        doubted: memoryview,
    ) -> None: ...
    def look(
        self,
        text: memoryview,
        sample: int,
        rate: float,
        rate_prior: float,
        rate_strength: float,
        weight_strength: float,
        parsimony: float,
        passes: int,
    ) -> tuple[float, int, float, int, int]: ...
    def cells(self) -> list[tuple[int, int]]: ...
    def substituted(self, least: float) -> list[tuple[int, int, float]]: ...
    def taken_by_source(self) -> list[float]: ...
