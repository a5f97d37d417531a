# cython: language_level=3, wraparound=False, cdivision=True, initializedcheck=False
"""The n-gram model's hot loop: look-up in a trie.

Typed Python: compiled by Cython where there is a C compiler, run as it stands otherwise. The types
of what `lattice` uses in C stand in `ngrams.pxd`.
"""

import cython
from cython.cimports.libc.math import log

BOS = cython.declare(cython.int, 1)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.boundscheck(False)
@cython.exceptval(check=False)
def _find(
    words: cython.ushort[::1], first: cython.Py_ssize_t, last: cython.Py_ssize_t, word: cython.int
) -> cython.Py_ssize_t:
    """Position of a word in a sorted stretch of `words`, or -1."""
    size: cython.Py_ssize_t = words.shape[0]
    half: cython.Py_ssize_t
    if last > size:  # a damaged model must not read beyond its file
        last = size
    size = last - first
    if size <= 0:
        return -1
    while size > 1:  # no branch on the words: which way to go is a toss-up
        half = size >> 1
        first += half * cython.cast(cython.Py_ssize_t, words[first + half - 1] < word)
        size -= half
    return first if words[first] == word else -1


@cython.cclass
class Ngrams:
    """A back-off 4-gram model as a trie of sorted word numbers.

    Level n holds, for every n-gram, its last word (`wn`), code of its probability (`qn`), code of
    its back-off weight (`rn`) and the start of its continuations in level n + 1 (`cn`); codes
    index the tables `pn` and `bn` of linear probabilities and weights.
    """

    def __init__(self, a):
        self.p1, self.b1, self.c1 = a["p1"], a["b1"], a["c1"]
        self.w2, self.q2, self.r2, self.c2 = a["w2"], a["q2"], a["r2"], a["c2"]
        self.w3, self.q3, self.r3, self.c3 = a["w3"], a["q3"], a["r3"], a["c3"]
        self.w4, self.q4 = a["w4"], a["q4"]
        self.p2, self.b2, self.p3, self.b3 = a["p2"], a["b2"], a["p3"], a["b3"]
        self.p4 = a["p4"]
        self.bigram = self.trigram = -1  # where `after` and `extend` found them, -1 if not

    @cython.boundscheck(False)
    def after(self, context, word):
        """P(word | context); leaves the bigram's position in `bigram`."""
        i: cython.Py_ssize_t = _find(self.w2, self.c1[context], self.c1[context + 1], word)
        self.bigram = i
        if i >= 0:
            return self.p2[self.q2[i]]
        return self.b1[context] * self.p1[word]

    @cython.boundscheck(False)
    def extend(self, trigram, bigram, context, word, found):
        """P(word | up to three words), the context given as positions in the trie.

        `found` is the position of the bigram (context, word), which the caller knows; leaves that
        of the trigram in `trigram`.
        """
        i: cython.Py_ssize_t
        weight: cython.double = 1.0
        self.trigram = -1
        if bigram >= 0:
            self.trigram = _find(self.w3, self.c2[bigram], self.c2[bigram + 1], word)
        if trigram >= 0:
            i = _find(self.w4, self.c3[trigram], self.c3[trigram + 1], word)
            if i >= 0:
                return self.p4[self.q4[i]]
            weight = self.b3[self.r3[trigram]]
        if bigram >= 0:
            if self.trigram >= 0:
                return weight * self.p3[self.q3[self.trigram]]
            weight *= self.b2[self.r2[bigram]]
        if found >= 0:
            return weight * self.p2[self.q2[found]]
        return weight * self.b1[context] * self.p1[word]

    def score(self, words):
        """log10 P of every word of one sentence, numbers in, `</s>` included if given."""
        context: cython.int = BOS
        bigram: cython.Py_ssize_t = -1
        trigram: cython.Py_ssize_t = -1
        word: cython.int
        p: cython.double
        scores = []
        for word in words:
            self.after(context, word)
            found = self.bigram
            p = self.extend(trigram, bigram, context, word, found)
            scores.append(log(p) / log(10.0))
            trigram = self.trigram
            bigram = found
            context = word
        return scores
