# cython: language_level=3, wraparound=False, cdivision=True, initializedcheck=False
"""The hot loop of the alignment: which word of a source stands behind each word of a page?

Typed Python: compiled by Cython where there is a C compiler, run as it stands otherwise.

Dynamic programming over page words (rows) and source words (columns), as Smith and Waterman's
local alignment with Gotoh's affine gaps, but for one thing: every row may begin a new passage
anywhere in the source, after the best that came before it on the page. So paragraphs may have been
moved or left out, and the page may have words of its own between passages.
"""

from array import array

import cython

# Where the best score of a cell comes from: two bits for a pair of words, then one each for a word
# that only the page has and for one that only the source has.
DIAGONAL = cython.declare(cython.int, 0)
AFTER_INSERTED = cython.declare(cython.int, 1)
AFTER_SKIPPED = cython.declare(cython.int, 2)
BEGINS = cython.declare(cython.int, 3)
INSERTS_ON = cython.declare(cython.int, 4)
SKIPS_ON = cython.declare(cython.int, 8)

NEVER = cython.declare(cython.double, -1e300)


@cython.cclass
class Aligner:
    """The table of one page and one source.

    `page` holds a number for each word of the page. Of number u, the entries `first[u]` to
    `first[u + 1]` of `symbol` and `score` are the numbers of source words that may stand behind it,
    with the log-odds of the pair; the places of symbol s in the source are `place[place_first[s]]`
    to `place[place_first[s + 1]]`. Any other pair costs `mismatch[j]` for source word j, or
    `altered` if the page's word is one that no spinner changes (`fixed`). A gap costs `opening`,
    and `extension` for every further word; a passage costs `beginning`.
    """

    rows: cython.Py_ssize_t
    columns: cython.Py_ssize_t
    page: cython.int[::1]
    fixed: cython.uchar[::1]
    first: cython.int[::1]
    symbol: cython.int[::1]
    score: cython.double[::1]
    place_first: cython.int[::1]
    place: cython.int[::1]
    mismatch: cython.double[::1]
    altered: cython.double
    opening: cython.double
    extension: cython.double
    beginning: cython.double
    pairs: cython.double[::1]  # of this row and the row before, as all that follow
    before_pairs: cython.double[::1]
    inserted: cython.double[::1]
    before_skipped: cython.double[::1]
    skipped: cython.double[::1]
    row: cython.double[::1]
    origin: cython.uchar[::1]
    best: cython.double[::1]
    best_end: cython.int[::1]

    def __init__(
        self, page, fixed, first, symbol, score, place_first, place, mismatch,
        altered, opening, extension, beginning,
    ):  # fmt: skip
        self.page, self.fixed = page, fixed
        self.first, self.symbol, self.score = first, symbol, score
        self.place_first, self.place = place_first, place
        self.mismatch = mismatch
        self.altered, self.opening = altered, opening
        self.extension, self.beginning = extension, beginning
        self.rows, self.columns = len(page), len(mismatch)
        never = [-1e300] * len(mismatch)
        self.pairs, self.before_pairs = array("d", never), array("d", never)
        self.inserted, self.row = array("d", never), array("d", never)
        self.skipped, self.before_skipped = array("d", never), array("d", never)
        self.origin = bytearray(len(page) * len(mismatch))
        self.best = array("d", [0.0] * (len(page) + 1))
        self.best_end = array("i", [-1] * (len(page) + 1))

    def align(self):
        """Return, word by word of the page, its place in the source (-1 if it has none), the number
        of its passage (-1 outside of all) and the log-odds of all passages up to and with it."""
        with cython.nogil:
            self._fill()
        return self._back()

    @cython.cfunc
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def _fill(self) -> cython.void:
        i: cython.Py_ssize_t
        for i in range(self.rows):
            self._scores(i)
            self._next(i)
            self.pairs, self.before_pairs = self.before_pairs, self.pairs
            self.skipped, self.before_skipped = self.before_skipped, self.skipped

    @cython.cfunc
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def _scores(self, i: cython.Py_ssize_t) -> cython.void:
        """The log-odds of a word of the page beside every word of the source."""
        j: cython.Py_ssize_t
        k: cython.Py_ssize_t
        p: cython.Py_ssize_t
        s: cython.Py_ssize_t
        u: cython.Py_ssize_t = self.page[i]
        if self.fixed[i]:
            for j in range(self.columns):
                self.row[j] = self.altered
        else:
            for j in range(self.columns):
                self.row[j] = self.mismatch[j]
        for k in range(self.first[u], self.first[u + 1]):
            s = self.symbol[k]
            for p in range(self.place_first[s], self.place_first[s + 1]):
                self.row[self.place[p]] = self.score[k]

    @cython.cfunc
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def _next(self, i: cython.Py_ssize_t) -> cython.void:
        """One row of the table."""
        j: cython.Py_ssize_t
        origin: cython.int
        begun: cython.double = self.best[i] - self.beginning
        best: cython.double = self.best[i]
        best_end: cython.int = -1
        diagonal_pair: cython.double = NEVER
        diagonal_inserted: cython.double = NEVER
        diagonal_skipped: cython.double = NEVER
        left: cython.double = NEVER  # the pair, and the skipping, one column before
        left_skipped: cython.double = NEVER
        score: cython.double
        further: cython.double
        cell: cython.Py_ssize_t = i * self.columns
        for j in range(self.columns):
            score = begun
            origin = BEGINS
            if diagonal_pair > score:
                score = diagonal_pair
                origin = DIAGONAL
            if diagonal_inserted > score:
                score = diagonal_inserted
                origin = AFTER_INSERTED
            if diagonal_skipped > score:
                score = diagonal_skipped
                origin = AFTER_SKIPPED
            score += self.row[j]
            diagonal_pair = self.before_pairs[j]
            diagonal_inserted = self.inserted[j]
            diagonal_skipped = self.before_skipped[j]
            # Skipping: this word of the source has none on the page.
            left -= self.opening
            further = left_skipped - self.extension
            if further > left:
                left = further
                origin |= SKIPS_ON
            left_skipped = left
            self.skipped[j] = left
            left = score
            self.pairs[j] = score
            # Inserting: this word of the page has none in the source.
            score = diagonal_pair - self.opening
            further = diagonal_inserted - self.extension
            if further > score:
                score = further
                origin |= INSERTS_ON
            self.inserted[j] = score
            self.origin[cell + j] = origin
            if left > best:
                best = left
                best_end = j
        self.best[i + 1] = best
        self.best_end[i + 1] = best_end

    def _back(self):
        """The best way through the table, read from its end."""
        to = array("i", [-1] * self.rows)
        passage = array("i", [-1] * self.rows)
        i: cython.Py_ssize_t = self.rows - 1
        j: cython.Py_ssize_t
        origin: cython.int
        found: cython.int = 0
        while i >= 0:
            j = self.best_end[i + 1]
            if j < 0:
                i -= 1
                continue
            inside = True
            while inside:
                to[i] = j
                passage[i] = found
                origin = self.origin[i * self.columns + j]
                i -= 1
                j -= 1
                if origin & 3 == BEGINS:
                    inside = False
                elif origin & 3 == AFTER_INSERTED:
                    more = True
                    while more:
                        passage[i] = found
                        more = bool(self.origin[i * self.columns + j] & INSERTS_ON)
                        i -= 1
                elif origin & 3 == AFTER_SKIPPED:
                    more = True
                    while more:
                        more = bool(self.origin[i * self.columns + j] & SKIPS_ON)
                        j -= 1
            found += 1
        return to, passage, array("d", self.best[1:])
