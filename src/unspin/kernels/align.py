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
    # The best score that ends in a pair of words, in a word that only the page has, and in one that
    # only the source has: of this row, and of the row before. What is no better than a passage that
    # begins here is `NEVER`, as nothing can come of it; so of most cells.
    pairs: cython.double[::1]
    inserted: cython.double[::1]
    skipped: cython.double[::1]
    pairs_before: cython.double[::1]
    inserted_before: cython.double[::1]
    skipped_before: cython.double[::1]
    written: cython.int[::1]  # the columns of this row that are not `NEVER`, and how many
    written_before: cython.int[::1]
    n_written: cython.Py_ssize_t
    n_written_before: cython.Py_ssize_t
    odds: cython.double[::1]  # of this row's pairs that the page's word has entries for
    alive: cython.uchar[::1]  # columns of this row that something leads to, and of the next
    alive_next: cython.uchar[::1]
    origin: cython.uchar[::1]
    best: cython.double[::1]
    best_end: cython.int[::1]

    def __init__(
        self, page, fixed, first, symbol, score, place_first, place, mismatch,
        altered, opening, extension, beginning,
    ):  # fmt: skip
        self.rows, self.columns = len(page), len(mismatch)
        self.page, self.fixed = page, fixed
        self.first, self.symbol, self.score = first, symbol, score
        self.place_first, self.place = place_first, place
        self.mismatch = mismatch
        self.altered, self.opening = altered, opening
        self.extension, self.beginning = extension, beginning
        never = array("d", [-1e300] * (len(mismatch) + 1))
        self.pairs, self.pairs_before = never[:], never[:]
        self.inserted, self.inserted_before = never[:], never[:]
        self.skipped, self.skipped_before = never[:], never[:]
        columns = array("i", [0] * len(never))
        self.written, self.written_before = columns[:], columns
        self.n_written = self.n_written_before = 0
        self.odds = never
        self.alive, self.alive_next = bytearray(len(never)), bytearray(len(never))
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
            self._meet(i)
            self._next(i)
            self.alive, self.alive_next = self.alive_next, self.alive
            self.pairs, self.pairs_before = self.pairs_before, self.pairs
            self.inserted, self.inserted_before = self.inserted_before, self.inserted
            self.skipped, self.skipped_before = self.skipped_before, self.skipped
            self.written, self.written_before = self.written_before, self.written
            self.n_written, self.n_written_before = self.n_written_before, self.n_written

    @cython.cfunc
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def _meet(self, i: cython.Py_ssize_t) -> cython.void:
        """Note where a word of the page meets one that it may stand for."""
        k: cython.Py_ssize_t
        p: cython.Py_ssize_t
        s: cython.Py_ssize_t
        u: cython.Py_ssize_t = self.page[i]
        for k in range(self.first[u], self.first[u + 1]):
            s = self.symbol[k]
            for p in range(self.place_first[s], self.place_first[s + 1]):
                self.odds[self.place[p]] = self.score[k]
                self.alive[self.place[p]] = 1

    @cython.cfunc
    @cython.nogil
    @cython.boundscheck(False)
    @cython.exceptval(check=False)
    def _next(self, i: cython.Py_ssize_t) -> cython.void:
        """One row of the table; column j stands at j + 1 in what has a column more."""
        j: cython.Py_ssize_t
        k: cython.Py_ssize_t
        origin: cython.int
        begun: cython.double = self.best[i] - self.beginning
        best: cython.double = self.best[i]
        best_end: cython.int = -1
        pair: cython.double
        inserted: cython.double
        skipped: cython.double
        further: cython.double
        # What stood here two rows ago goes.
        for k in range(self.n_written):
            j = self.written[k]
            self.pairs[j] = NEVER
            self.inserted[j] = NEVER
            self.skipped[j] = NEVER
        self.n_written = 0
        for j in range(self.columns):
            if self.alive[j] == 0:
                continue
            self.alive[j] = 0
            pair = begun
            origin = BEGINS
            if self.pairs_before[j] > pair:
                pair = self.pairs_before[j]
                origin = DIAGONAL
            if self.inserted_before[j] > pair:
                pair = self.inserted_before[j]
                origin = AFTER_INSERTED
            if self.skipped_before[j] > pair:
                pair = self.skipped_before[j]
                origin = AFTER_SKIPPED
            if self.odds[j] > NEVER:
                pair += self.odds[j]
                self.odds[j] = NEVER
            elif self.fixed[i]:
                pair += self.altered
            else:
                pair += self.mismatch[j]
            # Skipping: this word of the source has none on the page.
            skipped = self.pairs[j] - self.opening
            further = self.skipped[j] - self.extension
            if further > skipped:
                skipped = further
                origin |= SKIPS_ON
            # Inserting: this word of the page has none in the source.
            inserted = self.pairs_before[j + 1] - self.opening
            further = self.inserted_before[j + 1] - self.extension
            if further > inserted:
                inserted = further
                origin |= INSERTS_ON
            self.origin[i * self.columns + j] = origin
            if pair > begun:
                self.pairs[j + 1] = pair
                self.alive_next[j] = 1
            if inserted > begun:
                self.inserted[j + 1] = inserted
                self.alive_next[j] = 1
            if skipped > begun:
                self.skipped[j + 1] = skipped
            if pair > begun or skipped > begun:
                self.alive[j + 1] = 1
            if pair > begun or skipped > begun or inserted > begun:
                self.alive_next[j + 1] = 1
                self.written[self.n_written] = j + 1
                self.n_written += 1
            if pair > best:
                best = pair
                best_end = j
        self.alive[self.columns] = 0
        self.alive_next[self.columns] = 0
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
