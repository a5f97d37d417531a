from array import array

class Aligner:
    def __init__(
        self,
        page: array[int],
        fixed: bytes | bytearray,
        first: array[int],
        symbol: array[int],
        score: array[float],
        place_first: array[int],
        place: array[int],
        mismatch: array[float],
        altered: float,
        opening: float,
        extension: float,
        beginning: float,
    ) -> None: ...
    def align(self) -> tuple[array[int], array[int], array[float]]: ...
