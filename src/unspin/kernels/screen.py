# cython: language_level=3, wraparound=False, cdivision=True, initializedcheck=False
"""The screen's hot loops: a glance at every document, and a look at the words that stand out.

Typed Python: compiled by Cython where there is a C compiler, run as it stands otherwise. It reads
UTF-8 as it lies in an Arrow array and makes no Python object a word. Its tokens are those of
`unspin.text` but for rarities (web addresses, code, fine points of sentence ends), on which no
verdict hangs: what the screen is not sure of is read again by the lattice.
"""

from array import array

import cython
from cython.cimports.libc.math import exp, log

if cython.compiled:
    from cython.cimports.unspin.kernels.ngrams import Ngrams
else:
    from unspin.kernels.ngrams import Ngrams

UNKNOWN = cython.declare(cython.int, 0)
BOS = cython.declare(cython.int, 1)
EOS = cython.declare(cython.int, 2)
NAME = cython.declare(cython.int, 3)
CODE = cython.declare(cython.int, 4)
FIRST_WORD = cython.declare(cython.int, 9)  # numbers below stand for kinds of words

# Classes of bytes.
SPACE = cython.declare(cython.int, 0)
LOWER = cython.declare(cython.int, 1)
UPPER = cython.declare(cython.int, 2)
DIGIT = cython.declare(cython.int, 3)
HIGH = cython.declare(cython.int, 4)  # part of a letter beyond ASCII, or of a typographic mark
BREAK = cython.declare(cython.int, 5)
QUOTE = cython.declare(cython.int, 6)
MARK = cython.declare(cython.int, 7)

# Roles of a word, as in `unspin.lattice`.
FREE = cython.declare(cython.int, 0)
ATTACHED = cython.declare(cython.int, 1)
CAPITAL = cython.declare(cython.int, 2)
CLASSES = cython.declare(cython.int, 3)
GROUPS = cython.declare(cython.int, 9)

# Hashes are FNV-like: a factor of 64 bits (2**64 over the golden ratio), its upper bits used.
SEED = cython.declare(cython.ulonglong, 0xCBF29CE484222325)
FACTOR = cython.declare(cython.ulonglong, 0x9E3779B97F4A7C15)
MASK = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)

# A lift, log P(word | word before) - log P(word), is kept in 64 levels.
LEAST_LIFT = cython.declare(cython.double, -4.0)
LIFT_STEP = cython.declare(cython.double, 0.1875)
# So are a word's odds, how much likelier its originals are than itself, in 15 levels from 1 on.
LEAST_ODDS = cython.declare(cython.double, -6.0)
ODDS_STEP = cython.declare(cython.double, 0.75)

MOST_CHOICES = cython.declare(cython.int, 32)  # originals considered for one printed word
WIDTH = cython.declare(cython.int, 6)  # of them, those whose fit is asked of the whole model
NEGLIGIBLE = cython.declare(cython.double, 1e-2)  # times as likely as printed, at the very best
MOST_LOOKS = cython.declare(cython.int, 4096)  # words looked into at once
PIECE = cython.declare(cython.Py_ssize_t, 1 << 20)  # bytes read at once, which bounds the memory
# As in `lattice` and in its kernel, where they are explained.
LEAST_KEEP = cython.declare(cython.double, 0.02)
LEAST_KEPT = cython.declare(cython.double, 1e-3)
AT_HOME = cython.declare(cython.double, 0.5)
NEGLIGIBLE_COUNT = cython.declare(cython.double, 1e-3)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _level(
    x: cython.double, least: cython.double, step: cython.double, most: cython.int
) -> cython.int:
    """The level, from 0 to `most`, of a number."""
    x = (x - least) / step
    if x < 0.0:
        return 0
    return most if x > most else cython.cast(cython.int, x)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _pair(context: cython.int, word: cython.int) -> cython.ulonglong:
    """Hash of two words."""
    return (((cython.cast(cython.ulonglong, context) << 16) | word) * FACTOR) & MASK


@cython.cclass
class Screen:
    """A language model and a channel as tables to glance at; for one thread at a time.

    Two hash tables with open addressing: words (`tag`, `number`, `entry`, `odds`), and bigrams of
    the model (`pairs`: 10 bits of the hash, 6 of the level of the lift).
    """

    model: Ngrams
    p1: cython.float[::1]
    kind: cython.uchar[::1]  # class of every byte
    marks: cython.ushort[::1]  # numbers of "'s", "-", "...", <number>, <year> and <percent>
    tag: cython.uint[::1]
    number: cython.ushort[::1]  # in the model's vocabulary
    entry: cython.uint[::1]  # in the channel
    odds: cython.uchar[::1]  # level, 0 for a word that no spinner prints
    pairs: cython.ushort[::1]
    unlisted: cython.uchar[::1]  # per word: level of the lift of what was never seen after it
    lifts: cython.double[::1]  # per level

    # The channel, as in `Lattice`.
    first: cython.uint[::1]
    original: cython.ushort[::1]
    sources: cython.ushort[::1]
    masks: cython.uint[::1]
    fanout: cython.ushort[::1]
    word_class: cython.uchar[::1]
    replacers: cython.uint[::1]  # per word: mask of the sources that have something to print for it
    n_sources: cython.int
    prior: cython.double[::1]
    unknown: cython.double  # share of a printed word among those that the model lumps together

    telling: cython.schar[::1]  # per odds, level before and level after: how much it tells
    expected: cython.uchar[::1]  # likewise: expected doubt
    least: cython.int  # expected doubt from which a word is looked into

    # The document at hand: its tokens, with EOS first and after every sentence.
    n: cython.Py_ssize_t
    words: cython.ushort[::1]
    places: cython.uint[::1]  # in bytes
    ends: cython.uint[::1]  # of what a spinner may have printed
    entries: cython.uint[::1]
    chances: cython.uchar[::1]  # level of the odds, 0 for what is never replaced
    roles: cython.uchar[::1]
    levels: cython.uchar[::1]  # of the lift after the word before
    bigram: cython.int[::1]  # places in the model of the two and the three words that end here
    trigram: cython.int[::1]
    base: cython.double[::1]  # P(word | words before)
    eligible: cython.int
    counted: cython.int  # words
    told: cython.longlong  # sum of what all words tell, in the units of the table
    doubted: cython.longlong  # sum of the expected doubt about them
    strange: cython.int  # words in lower case that the model does not know

    # Words looked into, each with originals.
    looks: cython.Py_ssize_t
    with_doubt: cython.int[::1]  # words by expected doubt
    token: cython.int[::1]
    choices: cython.int[::1]  # first of the look's
    kept: cython.double[::1]  # P(as printed)
    choice: cython.int[::1]
    ratio: cython.double[::1]  # P(text | original) over P(text as printed)
    weight: cython.double[::1]  # P(printed | original)
    posterior: cython.double[::1]
    score: cython.double[::1]
    rates: cython.double[::1]
    weights: cython.double[::1]
    taken: cython.double[::1]
    chances_of: cython.double[::1]  # per source: words that it could have replaced
    offered: cython.double[::1]  # per group
    replaced: cython.double[::1]
    most: cython.float[::1]  # per entry: largest doubt in the document of number `stamp`
    stamp: cython.uint[::1]
    document: cython.uint

    def __init__(self, model, p1, channel, telling, expected, least, unknown, marks):
        i: cython.Py_ssize_t
        source: cython.int
        self.model, self.p1 = model, p1
        self.first, self.original = channel.first, channel.original
        self.sources, self.masks = channel.sources, channel.masks
        self.fanout, self.word_class = channel.fanout, channel.word_class
        self.n_sources = len(channel.prior)
        self.prior = memoryview(array("d", channel.prior))
        self.telling, self.expected, self.least = telling, expected, least
        self.unknown = unknown
        self.marks = memoryview(marks)
        self.kind = memoryview(_kinds())
        self.lifts = _zeros("d", 64)
        for i in range(64):
            self.lifts[i] = exp(LEAST_LIFT + (i + 0.5) * LIFT_STEP)
        self.replacers = _zeros("I", len(p1))
        for i in range(self.p1.shape[0]):
            for source in range(self.n_sources):
                if self.fanout[i * self.n_sources + source]:
                    self.replacers[i] |= cython.cast(cython.uint, 1) << source
        # Twice as many places as words, or more; with large families there are many words.
        i = 1 << 19
        while i < 2 * (len(p1) + len(channel.first)):
            i *= 2
        self.tag, self.number = _zeros("I", i), _zeros("H", i)
        self.entry, self.odds = _zeros("I", i), _zeros("B", i)
        self.pairs = _zeros("H", 1 << 22)
        self.unlisted = _zeros("B", len(p1))
        self.enter_pairs()
        self.reserve(1024)
        self.token, self.choices = _zeros("i", MOST_LOOKS), _zeros("i", MOST_LOOKS + 1)
        self.kept = _zeros("d", MOST_LOOKS)
        self.choice, self.ratio = _zeros("i", WIDTH * MOST_LOOKS), _zeros("d", WIDTH * MOST_LOOKS)
        self.weight = _zeros("d", WIDTH * MOST_LOOKS)
        self.posterior = _zeros("d", WIDTH * MOST_LOOKS)
        self.score = _zeros("d", WIDTH)
        self.rates, self.offered = _zeros("d", GROUPS), _zeros("d", GROUPS)
        self.replaced = _zeros("d", GROUPS)
        self.weights, self.taken = _zeros("d", self.n_sources), _zeros("d", self.n_sources)
        self.chances_of = _zeros("d", self.n_sources)
        self.most, self.stamp = _zeros("f", len(channel.first)), _zeros("I", len(channel.first))
        self.with_doubt = _zeros("i", 256)
        self.document = 0

    # -- tables -----------------------------------------------------------------------------

    def enter_words(self, vocabulary: cython.const[cython.uchar][::1]):
        """Enter the words of the model, one a line in the order of their numbers."""
        i: cython.Py_ssize_t
        k: cython.Py_ssize_t
        h: cython.ulonglong = SEED
        number: cython.int = 0
        for i in range(vocabulary.shape[0] + 1):
            if i < vocabulary.shape[0] and vocabulary[i] != 10:
                h = ((h ^ vocabulary[i]) * FACTOR) & MASK
                continue
            k = self.find(h)
            self.tag[k] = cython.cast(cython.uint, (h >> 32) | 1)
            self.number[k] = number
            number += 1
            h = SEED

    def enter_channel(self, printed: cython.const[cython.uchar][::1]):
        """Enter the words that the channel prints, one a line in the order of its entries."""
        i: cython.Py_ssize_t
        k: cython.Py_ssize_t
        h: cython.ulonglong = SEED
        entry: cython.uint = 0
        odds: cython.double
        for i in range(printed.shape[0] + 1):
            if i < printed.shape[0] and printed[i] != 10:
                h = ((h ^ printed[i]) * FACTOR) & MASK
                continue
            k = self.find(h)
            self.tag[k] = cython.cast(cython.uint, (h >> 32) | 1)
            odds = self.prior_odds(entry, self.number[k])
            if odds > 0.0:
                self.entry[k] = entry
                self.odds[k] = 1 + _level(log(odds), LEAST_ODDS, ODDS_STEP, 14)
            entry += 1
            h = SEED

    @cython.cfunc
    @cython.exceptval(check=False)
    def prior_odds(self, entry: cython.Py_ssize_t, number: cython.int) -> cython.double:
        """P(printed for another word) over P(meant), by how frequent the words are alone."""
        k: cython.Py_ssize_t
        total: cython.double = 0.0
        for k in range(self.first[entry], self.last_choice(entry)):
            total += self.p1[self.original[k]] * self.channel(k, self.prior)
        return total / self.alone(number)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def last_choice(self, entry: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Where the choices of an entry end that are considered."""
        return min(self.first[entry + 1], self.first[entry] + MOST_CHOICES)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def alone(self, word: cython.int) -> cython.double:
        """P(word); of an unknown one, its share of what the model lumps together."""
        return self.p1[word] * (self.unknown if word == UNKNOWN else 1.0)

    def enter_pairs(self):
        """Enter all bigrams of the model."""
        context: cython.Py_ssize_t
        i: cython.Py_ssize_t
        k: cython.Py_ssize_t
        level: cython.int
        word: cython.int
        h: cython.ulonglong
        size: cython.Py_ssize_t = self.pairs.shape[0]
        for context in range(self.p1.shape[0]):
            level = _level(log(self.model.b1[context]), LEAST_LIFT, LIFT_STEP, 63)
            self.unlisted[context] = level
            for i in range(self.model.c1[context], self.model.c1[context + 1]):
                word = self.model.w2[i]
                level = _level(
                    log(self.model.p2[self.model.q2[i]] / self.p1[word]), LEAST_LIFT, LIFT_STEP, 63
                )
                h = _pair(context, word)
                k = cython.cast(cython.Py_ssize_t, h >> 28) & (size - 1)
                while self.pairs[k] != 0:
                    k = (k + 1) & (size - 1)
                self.pairs[k] = cython.cast(cython.ushort, (((h >> 54) | 1) << 6) | level)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def lift(self, context: cython.int, word: cython.int) -> cython.int:
        """Level of the lift of a word after another."""
        h: cython.ulonglong = _pair(context, word)
        tag: cython.uint = cython.cast(cython.uint, (h >> 54) | 1)
        size: cython.Py_ssize_t = self.pairs.shape[0]
        k: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, h >> 28) & (size - 1)
        while self.pairs[k] != 0:
            if self.pairs[k] >> 6 == tag:
                return self.pairs[k] & 63
            k = (k + 1) & (size - 1)
        return self.unlisted[context]

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def find(self, h: cython.ulonglong) -> cython.Py_ssize_t:
        """Where a word with this hash stands, or would stand."""
        tag: cython.uint = cython.cast(cython.uint, (h >> 32) | 1)
        size: cython.Py_ssize_t = self.tag.shape[0]
        k: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, h >> 7) & (size - 1)
        while self.tag[k] != 0 and self.tag[k] != tag:
            k = (k + 1) & (size - 1)
        return k

    # -- tokens -----------------------------------------------------------------------------

    def reserve(self, tokens):
        """Room for a document of so many bytes, which has no more tokens than those and four."""
        tokens += 4
        self.words = _zeros("H", tokens)
        self.places, self.ends = _zeros("I", tokens), _zeros("I", tokens)
        self.entries, self.chances = _zeros("I", tokens), _zeros("B", tokens)
        self.roles, self.levels = _zeros("B", tokens), _zeros("B", tokens)
        self.bigram, self.trigram = _zeros("i", tokens), _zeros("i", tokens)
        self.base = _zeros("d", tokens)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def put(self, word: cython.int, place: cython.Py_ssize_t) -> cython.void:
        """Add a token that no spinner replaces."""
        self.words[self.n] = word
        self.places[self.n] = cython.cast(cython.uint, place)
        self.chances[self.n] = 0
        self.n += 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def tokenise(
        self,
        text: cython.const[cython.uchar][::1],
        first: cython.Py_ssize_t,
        last: cython.Py_ssize_t,
    ) -> cython.void:
        """Cut a document, the bytes from first to last, into tokens and sentences."""
        i: cython.Py_ssize_t = first
        start: cython.Py_ssize_t
        c: cython.int
        kind: cython.int
        closed: cython.bint = False  # behind a full stop
        initial: cython.bint = True  # no word of the sentence was seen yet
        self.n = 0
        self.counted = self.strange = 0
        self.put(EOS, 0)
        while i < last:
            c = text[i]
            kind = self.kind[c]
            start = i
            if kind == SPACE or kind == QUOTE:
                i += 1
            elif kind == BREAK:
                i += 1
                # A line goes on behind a break where the next begins in lower case.
                if not initial and (closed or (i < last and self.kind[text[i]] != LOWER)):
                    self.put(EOS, start - first)
                    initial = True
                    closed = False
            elif kind == MARK:
                i += 1
                while i < last and text[i] == c and (c == 45 or c == 46):
                    i += 1
                if c == 46 and i > start + 2:
                    self.put(self.marks[2], start - first)
                else:
                    self.put(self.single(c), start - first)
                closed = c == 46 or c == 33 or c == 63 or (closed and (c == 41 or c == 93))
            elif kind == HIGH and self.typographic(text, i, last):
                # Dashes and dots; quotation marks and spaces are passed over.
                c = text[i + 2] if text[i] == 0xE2 and i + 2 < last else 0
                i = min(i + (3 if text[i] == 0xE2 else 2), last)
                if c == 0x93 or c == 0x94:
                    self.put(self.marks[1], start - first)
                elif c == 0xA6:
                    self.put(self.marks[2], start - first)
            else:
                if closed and not initial and kind != LOWER and self.kind[text[i - 1]] == SPACE:
                    self.put(EOS, start - first)
                    initial = True
                i = self.word(text, first, i, last, initial)
                initial = False
                closed = False
        self.put(EOS, last - first)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def single(self, c: cython.int) -> cython.int:
        """Number of a mark of one byte."""
        k: cython.Py_ssize_t = self.find(((SEED ^ c) * FACTOR) & MASK)
        return self.number[k] if self.tag[k] != 0 else UNKNOWN

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def typographic(
        self, text: cython.const[cython.uchar][::1], i: cython.Py_ssize_t, last: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether a mark or a space of U+0080 to U+00BF or U+2000 to U+206F begins here."""
        if text[i] == 0xC2:
            return True
        return text[i] == 0xE2 and i + 1 < last and (text[i + 1] == 0x80 or text[i + 1] == 0x81)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def apostrophe(
        self, text: cython.const[cython.uchar][::1], i: cython.Py_ssize_t, last: cython.Py_ssize_t
    ) -> cython.int:
        """Bytes of an apostrophe here with a lower-case letter behind it, 0 if there is none;
        negative if it begins a clitic 's."""
        width: cython.Py_ssize_t = 0
        if text[i] == 39:
            width = 1
        elif text[i] == 0xE2 and i + 2 < last and text[i + 1] == 0x80 and text[i + 2] == 0x99:
            width = 3
        if width == 0 or i + width >= last or self.kind[text[i + width]] != LOWER:
            return 0
        if text[i + width] == 115 and not (
            i + width + 1 < last and self.kind[text[i + width + 1]] == LOWER
        ):
            return cython.cast(cython.int, -width)
        return cython.cast(cython.int, width)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def word(
        self,
        text: cython.const[cython.uchar][::1],
        first: cython.Py_ssize_t,
        start: cython.Py_ssize_t,
        last: cython.Py_ssize_t,
        initial: cython.bint,
    ) -> cython.Py_ssize_t:
        """Add the word or number that starts here, and its clitic; returns where it ends."""
        i: cython.Py_ssize_t = start
        k: cython.Py_ssize_t
        c: cython.int
        kind: cython.int
        width: cython.int = 0
        h: cython.ulonglong = SEED
        digits: cython.int = 0
        letters: cython.int = 0
        capitals: cython.int = 0
        capital: cython.bint = self.kind[text[start]] == UPPER
        while i < last:
            c = text[i]
            kind = self.kind[c]
            if kind == LOWER:
                letters += 1
            elif kind == UPPER:
                capitals += 1
                letters += 1
                c |= 32
            elif kind == DIGIT:
                digits += 1
            else:
                width = self.apostrophe(text, i, last)
                if width > 0 and digits == 0:
                    c = 39
                    i += width - 1
                elif kind == HIGH and not self.typographic(text, i, last):
                    letters += 1
                elif not (
                    digits
                    and (c == 44 or c == 46 or c == 47 or c == 58)
                    and i + 1 < last
                    and self.kind[text[i + 1]] == DIGIT
                ):
                    break
            h = ((h ^ c) * FACTOR) & MASK
            i += 1
        self.counted += 1
        if digits:
            if letters:
                self.put(CODE, start - first)
            elif i < last and text[i] == 37:
                i += 1
                self.put(self.marks[5], start - first)
            elif digits == 1 and i == start + 1:
                self.put(self.single(text[start]), start - first)
            elif i == start + 4 and self.year(text[start], text[start + 1]):
                self.put(self.marks[4], start - first)
            else:
                self.put(self.marks[3], start - first)
            return i
        k = self.find(h)
        c = self.number[k]
        if c == UNKNOWN and capital:
            c = NAME
        self.strange += c == UNKNOWN
        self.put(c, start - first)
        if self.odds[k] and (not capital or (initial and capitals == 1 and c >= FIRST_WORD)):
            self.chances[self.n - 1] = self.odds[k]
            self.entries[self.n - 1] = self.entry[k]
            self.ends[self.n - 1] = cython.cast(cython.uint, i - first)
            self.roles[self.n - 1] = CAPITAL if capital else ATTACHED
            if not capital and self.stands_free(text, first, start, i, last):
                self.roles[self.n - 1] = FREE
        if i < last and width < 0:
            self.put(self.marks[0], i - first)
            i += 1 - width
        return i

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    def year(self, thousands: cython.int, hundreds: cython.int) -> cython.bint:
        """Whether four digits that begin so are a year from 1500 to 2099."""
        if thousands == 49:
            return hundreds >= 53
        return thousands == 50 and hundreds == 48

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def stands_free(
        self,
        text: cython.const[cython.uchar][::1],
        first: cython.Py_ssize_t,
        start: cython.Py_ssize_t,
        stop: cython.Py_ssize_t,
        last: cython.Py_ssize_t,
    ) -> cython.bint:
        """Whether what lies from start to stop is between white space."""
        kind: cython.int
        if start > first:
            kind = self.kind[text[start - 1]]
            if kind != SPACE and kind != BREAK:
                return False
        if stop < last:
            kind = self.kind[text[stop]]
            return kind == SPACE or kind == BREAK
        return True

    # -- the glance -------------------------------------------------------------------------

    def glance(
        self,
        text: cython.const[cython.uchar][::1],
        bounds: cython.const[cython.longlong][::1],
        counted: cython.uint[::1],
        strange: cython.uint[::1],
        eligible: cython.uint[::1],
        told: cython.longlong[::1],
        doubted: cython.longlong[::1],
    ):
        """Glance at documents: number i lies from byte bounds[i] to bounds[i + 1].

        Fills in, for each, its words, the lower-case ones among them that the model does not
        know, those that a spinner may have printed, and what these tell and the doubt to be
        expected about them, in the units of the tables.
        """
        i: cython.Py_ssize_t
        start: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        longest: cython.longlong = 0
        if bounds[bounds.shape[0] - 1] > text.shape[0]:
            raise ValueError("the bounds of the documents lie beyond the text")
        for i in range(told.shape[0]):
            if bounds[i] > bounds[i + 1] or bounds[i] < 0:
                raise ValueError("the bounds of the documents are not in order")
            longest = max(longest, bounds[i + 1] - bounds[i])
        longest = min(longest, PIECE)
        if longest + 4 > self.words.shape[0]:
            self.reserve(longest)
        with cython.nogil:
            for i in range(told.shape[0]):
                told[i] = doubted[i] = 0
                counted[i] = strange[i] = eligible[i] = 0
                start = bounds[i]
                while start < bounds[i + 1]:
                    stop = self.piece(text, start, bounds[i + 1])
                    self.tokenise(text, start, stop)
                    self.weigh_words()
                    told[i] += self.told
                    doubted[i] += self.doubted
                    counted[i] += self.counted
                    strange[i] += self.strange
                    eligible[i] += self.eligible
                    start = stop

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def piece(
        self,
        text: cython.const[cython.uchar][::1],
        start: cython.Py_ssize_t,
        last: cython.Py_ssize_t,
    ) -> cython.Py_ssize_t:
        """Where the piece of a document ends that begins here: behind white space, if it can."""
        stop: cython.Py_ssize_t = start + PIECE
        if stop >= last:
            return last
        while stop > start + PIECE // 2 and self.kind[text[stop - 1]] != SPACE:
            stop -= 1
        return stop if self.kind[text[stop - 1]] == SPACE else start + PIECE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def weigh_words(self) -> cython.void:
        """What all words tell, by their odds and by how they fit their neighbours."""
        i: cython.Py_ssize_t
        cell: cython.int
        self.eligible = 0
        self.told = self.doubted = 0
        self.levels[0] = 0
        for i in range(1, self.n):
            self.levels[i] = self.lift(self.context(i), self.words[i])
            if self.chances[i - 1]:
                cell = self.cell(i - 1)
                self.eligible += 1
                self.told += self.telling[cell]
                self.doubted += self.expected[cell]

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def context(self, i: cython.Py_ssize_t) -> cython.int:
        """The word before a token, as the model sees it."""
        return BOS if self.words[i - 1] == EOS else self.words[i - 1]

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def cell(self, i: cython.Py_ssize_t) -> cython.int:
        """Where the tables have a token: 4 bits each of odds, lift, and lift of the next."""
        return (self.chances[i] << 8) | (self.levels[i] >> 2 << 4) | (self.levels[i + 1] >> 2)

    # -- the look ---------------------------------------------------------------------------

    def look(
        self,
        text: cython.const[cython.uchar][::1],
        sample: cython.int,
        rate: cython.double,
        rate_prior: cython.double,
        rate_strength: cython.double,
        weight_strength: cython.double,
        parsimony: cython.double,
        passes: cython.int,
    ):
        """Look into one document.

        Of the words with doubt enough, the most doubtful ones are looked into, `sample` at most.
        Returns (evidence in nats, eligible words, log ratio, words looked into, words with doubt
        enough).
        """
        i: cython.Py_ssize_t
        ratio: cython.double = 0.0
        if text.shape[0] > PIECE:
            raise ValueError(f"the document is longer than {PIECE} bytes")
        if text.shape[0] + 4 > self.words.shape[0]:
            self.reserve(text.shape[0])
        self.tokenise(text, 0, text.shape[0])
        self.weigh_words()
        for i in range(self.n_sources):
            self.weights[i] = self.prior[i]
        for i in range(GROUPS):
            self.rates[i] = rate
        worth: cython.int = 0
        with cython.nogil:
            worth = self.pick(min(sample, MOST_LOOKS))
            self.score_choices()
            ratio = self.expect()
            for _ in range(passes):
                self.reestimate(rate_prior, rate_strength, weight_strength, parsimony)
                ratio = self.expect()
            self.count()
        return self.evidence(), self.eligible, ratio, self.looks, worth

    def cells(self):
        """[(place in bytes, cell of the tables), ...] of the words of the document last read that
        a spinner may have printed."""
        return [(self.places[i], self.cell(i)) for i in range(1, self.n - 1) if self.chances[i]]

    def substituted(self, least):
        """[(start of a word in bytes, its end, P(substituted)), ...] of the last look."""
        return [
            (self.places[self.token[k]], self.ends[self.token[k]], 1.0 - self.kept[k])
            for k in range(self.looks)
            if 1.0 - self.kept[k] >= least
        ]

    def taken_by_source(self):
        """Expected number of substitutions by each source in the document last looked into."""
        return [self.taken[source] for source in range(self.n_sources)]

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def pick(self, most: cython.int) -> cython.int:
        """Pick the words to look into; returns how many are worth it."""
        i: cython.Py_ssize_t
        doubt: cython.int
        worth: cython.int = 0
        left: cython.int = 0
        for doubt in range(256):
            self.with_doubt[doubt] = 0
        for i in range(1, self.n - 1):
            if self.chances[i]:
                self.with_doubt[self.expected[self.cell(i)]] += 1
        doubt = 256
        while doubt > self.least and worth + self.with_doubt[doubt - 1] <= most:
            doubt -= 1
            worth += self.with_doubt[doubt]
        left = most - worth  # to be filled up with the first ones of the next doubt
        self.looks = 0
        self.choices[0] = 0
        for i in range(1, self.n - 1):
            if not self.chances[i] or self.expected[self.cell(i)] < self.least:
                continue
            if self.expected[self.cell(i)] >= doubt:
                self.choose(i)
            elif self.expected[self.cell(i)] == doubt - 1 and left > 0:
                left -= 1
                self.choose(i)
        while doubt > self.least:
            doubt -= 1
            worth += self.with_doubt[doubt]
        return worth

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def choose(self, i: cython.Py_ssize_t) -> cython.void:
        """Look into token i: choose the originals that could fit best."""
        j: cython.Py_ssize_t
        k: cython.Py_ssize_t
        start: cython.int = self.choices[self.looks]
        kept: cython.int = 0
        before: cython.int = self.context(i)
        after: cython.int = self.words[i + 1]
        word: cython.int
        best: cython.double
        right: cython.double
        for k in range(self.first[self.entries[i]], self.last_choice(self.entries[i])):
            word = self.original[k]
            # A neighbour may be a spinner's word itself: it can only speak for an original.
            best = self.lifts[self.lift(before, word)]
            right = self.lifts[self.lift(word, after)]
            best = max(best, 1.0) * max(right, 1.0)
            best *= self.p1[word] / self.alone(self.words[i])
            if best < NEGLIGIBLE or (kept == WIDTH and best <= self.score[kept - 1]):
                continue
            kept = min(kept + 1, WIDTH)
            j = kept - 1
            while j > 0 and self.score[j - 1] < best:
                self.score[j] = self.score[j - 1]
                self.choice[start + j] = self.choice[start + j - 1]
                j -= 1
            self.score[j] = best
            self.choice[start + j] = cython.cast(cython.int, k)
        self.token[self.looks] = cython.cast(cython.int, i)
        self.looks += 1
        self.choices[self.looks] = start + kept

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def score_choices(self) -> cython.void:
        """How much likelier each original is than the printed word, among the printed words."""
        look: cython.Py_ssize_t
        k: cython.Py_ssize_t
        scored: cython.Py_ssize_t = 0  # tokens before this one have been scored as printed
        self.bigram[0] = self.trigram[0] = -1
        for look in range(self.looks):
            scored = self.score_printed(scored, self.token[look])
            for k in range(self.choices[look], self.choices[look + 1]):
                self.ratio[k] = self.instead(self.token[look], self.original[self.choice[k]])

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def score_printed(
        self, scored: cython.Py_ssize_t, token: cython.Py_ssize_t
    ) -> cython.Py_ssize_t:
        """P of the printed words around a token given those before them; returns up to where.

        What a look needs: the token and three more, with the places of two before it, which take
        two more to be found.
        """
        i: cython.Py_ssize_t
        first: cython.Py_ssize_t = max(scored, token - 4, 1)
        last: cython.Py_ssize_t = min(token + 4, self.n)
        context: cython.int
        bigram: cython.Py_ssize_t = -1
        trigram: cython.Py_ssize_t = -1
        found: cython.Py_ssize_t
        if first == scored and self.words[first - 1] != EOS:
            bigram, trigram = self.bigram[first - 1], self.trigram[first - 1]
        for i in range(first, last):
            context = self.context(i)
            self.model.after(context, self.words[i])
            found = self.model.bigram
            self.base[i] = self.model.extend(trigram, bigram, context, self.words[i], found)
            bigram, trigram = found, self.model.trigram
            self.bigram[i] = cython.cast(cython.int, found)
            self.trigram[i] = cython.cast(cython.int, trigram)
            if self.words[i] == EOS:
                bigram = trigram = -1
        return max(scored, last)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def instead(self, token: cython.Py_ssize_t, word: cython.int) -> cython.double:
        """P(text with another word in this place) over P(text as printed): of the word and of
        the three after it, which are all that a 4-gram model sees changed."""
        i: cython.Py_ssize_t
        context: cython.int = self.context(token)
        bigram: cython.Py_ssize_t = -1
        trigram: cython.Py_ssize_t = -1
        found: cython.Py_ssize_t
        p: cython.double
        if context != BOS:
            bigram, trigram = self.bigram[token - 1], self.trigram[token - 1]
        self.model.after(context, word)
        found = self.model.bigram
        p = self.model.extend(trigram, bigram, context, word, found) / self.base[token]
        if self.words[token] == UNKNOWN:
            p /= self.unknown
        for i in range(token + 1, min(token + 4, self.n)):
            bigram, trigram = found, self.model.trigram
            context = word
            word = self.words[i]
            found = self.bigram[i]
            if i == token + 1:
                self.model.after(context, word)
                found = self.model.bigram
            p *= self.model.extend(trigram, bigram, context, word, found) / self.base[i]
            if word == EOS:
                break
        return p

    # -- estimating, as in `Lattice` but for every word by itself ------------------------------

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def channel(self, choice: cython.Py_ssize_t, weights: cython.double[::1]) -> cython.double:
        """P(printed | original), up to the rate."""
        source: cython.int = 0
        left: cython.uint = self.masks[self.sources[choice]]
        row: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, self.original[choice])
        row *= self.n_sources
        p: cython.double = 0.0
        while left:
            if left & 1:
                p += weights[source] / max(self.fanout[row + source], 1)
            left >>= 1
            source += 1
        return p

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def group(self, token: cython.Py_ssize_t, word: cython.int) -> cython.int:
        """Words of one class in one role share a rate."""
        return self.roles[token] * CLASSES + self.word_class[word]

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def reach(self, word: cython.int) -> cython.double:
        """Weight of all sources that have something to print for a word."""
        source: cython.int = 0
        left: cython.uint = self.replacers[word]
        total: cython.double = 0.0
        while left:
            if left & 1:
                total += self.weights[source]
            left >>= 1
            source += 1
        return total

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def expect(self) -> cython.double:
        """Posteriors of all choices; returns the log of P(words looked into) over P as printed."""
        look: cython.Py_ssize_t
        k: cython.Py_ssize_t
        token: cython.Py_ssize_t
        word: cython.int
        keep: cython.double
        total: cython.double
        log_ratio: cython.double = 0.0
        for look in range(self.looks):
            token = self.token[look]
            word = self.words[token]
            keep = 1.0 - self.rates[self.group(token, word)] * self.reach(word)
            keep = max(keep, LEAST_KEEP)
            total = keep
            for k in range(self.choices[look], self.choices[look + 1]):
                word = self.original[self.choice[k]]
                self.weight[k] = self.channel(self.choice[k], self.weights)
                self.weight[k] *= self.rates[self.group(token, word)]
                self.posterior[k] = self.ratio[k] * self.weight[k]
                total += self.posterior[k]
            for k in range(self.choices[look], self.choices[look + 1]):
                self.posterior[k] /= total
            self.kept[look] = keep / total
            log_ratio += log(total)
        return log_ratio

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def offer(self, group: cython.int, word: cython.int, count: cython.double) -> cython.void:
        """Count a word that stood in the original as a chance for every source that has it."""
        source: cython.int = 0
        left: cython.uint = self.replacers[word]
        while left:
            if left & 1:
                self.offered[group] += count * self.weights[source]
                self.chances_of[source] += count * self.rates[group]
            left >>= 1
            source += 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def count(self) -> cython.void:
        """Expected substitutions by source and by group."""
        look: cython.Py_ssize_t
        k: cython.Py_ssize_t
        row: cython.Py_ssize_t
        source: cython.int
        left: cython.uint
        group: cython.int
        word: cython.int
        p: cython.double
        for source in range(self.n_sources):
            self.taken[source] = 0.0
        for group in range(GROUPS):
            self.replaced[group] = 0.0
        for look in range(self.looks):
            for k in range(self.choices[look], self.choices[look + 1]):
                if self.posterior[k] < NEGLIGIBLE_COUNT:
                    continue
                word = self.original[self.choice[k]]
                group = self.group(self.token[look], word)
                self.replaced[group] += self.posterior[k]
                row = cython.cast(cython.Py_ssize_t, word) * self.n_sources
                p = self.posterior[k] * self.rates[group] / self.weight[k]
                left = self.masks[self.sources[self.choice[k]]]
                source = 0
                while left:
                    if left & 1:
                        self.taken[source] += (
                            p * self.weights[source] / max(self.fanout[row + source], 1)
                        )
                    left >>= 1
                    source += 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def reestimate(
        self,
        rate_prior: cython.double,
        rate_strength: cython.double,
        weight_strength: cython.double,
        parsimony: cython.double,
    ) -> cython.void:
        """Rates and weights from the expected counts; see `Lattice.reestimate`."""
        i: cython.Py_ssize_t
        look: cython.Py_ssize_t = 0
        k: cython.Py_ssize_t
        source: cython.int
        group: cython.int
        word: cython.int
        p: cython.double
        self.count()
        for source in range(self.n_sources):
            self.chances_of[source] = weight_strength
        for group in range(GROUPS):
            self.offered[group] = rate_strength
        for i in range(1, self.n - 1):
            if self.chances[i]:
                p = 1.0
                if look < self.looks and self.token[look] == i:
                    p = self.kept[look]
                    look += 1
                self.offer(self.group(i, self.words[i]), self.words[i], p)
        for look in range(self.looks):
            for k in range(self.choices[look], self.choices[look + 1]):
                if self.posterior[k] >= NEGLIGIBLE_COUNT:
                    word = self.original[self.choice[k]]
                    group = self.group(self.token[look], word)
                    self.offer(group, word, self.posterior[k])
        for source in range(self.n_sources):
            p = self.taken[source] * self.taken[source] / (self.taken[source] + parsimony)
            p += weight_strength * self.prior[source]
            self.weights[source] = p / max(self.chances_of[source], weight_strength)
        for group in range(GROUPS):
            p = self.replaced[group] * self.replaced[group] / (self.replaced[group] + parsimony)
            p += rate_prior * rate_strength
            self.rates[group] = min(p / max(self.offered[group], rate_strength), 1.0)

    @cython.cfunc
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def evidence(self) -> cython.double:
        """Doubt about all words looked into, each different one once: see `calibration.Evidence`
        and `lattice.Doubt`."""
        look: cython.Py_ssize_t
        entry: cython.uint
        fit: cython.double
        nats: cython.double
        total: cython.double = 0.0
        self.document += 1
        for look in range(self.looks):
            fit = max(self.levels[self.token[look]], self.levels[self.token[look] + 1])
            fit = LEAST_LIFT + (fit + 0.5) * LIFT_STEP
            nats = -log(max(self.kept[look], LEAST_KEPT)) / (1.0 + exp(fit - AT_HOME))
            entry = self.entries[self.token[look]]
            if self.stamp[entry] != self.document:
                self.stamp[entry] = self.document
                self.most[entry] = 0.0
            if nats > self.most[entry]:
                total += nats - self.most[entry]
                self.most[entry] = nats
        return total


def _kinds():
    """The class of every byte."""
    kinds = bytearray([MARK] * 128 + [HIGH] * 128)
    for c in range(128):
        if 97 <= c <= 122:
            kinds[c] = LOWER
        elif 65 <= c <= 90:
            kinds[c] = UPPER
        elif 48 <= c <= 57:
            kinds[c] = DIGIT
        elif c in (10, 13):
            kinds[c] = BREAK
        elif c <= 32 or c == 127:
            kinds[c] = SPACE
        elif c in (34, 39, 96):
            kinds[c] = QUOTE
    return kinds


def _zeros(code, n):
    """A column of n zeros."""
    return memoryview(array(code, [0]) * n)
