# cython: language_level=3, wraparound=False, cdivision=True, initializedcheck=False
"""The hot loops of the lattice of one stretch of text: building it, and forward-backward.

Typed Python: compiled by Cython where there is a C compiler, run as it stands otherwise.
Vocabulary: an *arc* spans printed tokens and carries the words they may stand for; a *state* is
a pair of neighbouring arcs, which is the context that a trigram needs; a *choice* is a
possible original of one printed word (an entry of the channel).
"""

from array import array

import cython
from cython.cimports.libc.math import exp, log
from cython.cimports.libc.math import pow as power

if cython.compiled:
    from cython.cimports.unspin.kernels.ngrams import Ngrams
else:
    from unspin.kernels.ngrams import Ngrams

BOS = cython.declare(cython.int, 1)
EOS = cython.declare(cython.int, 2)
NEGLIGIBLE = cython.declare(cython.double, 1e-3)  # expected count of a choice not worth counting
LEAST_KEPT = cython.declare(cython.double, 0.02)  # no spinner is sure to replace a word
CLASSES = cython.declare(cython.int, 3)  # of words, each with a rate of its own
DIMENSIONS = cython.declare(cython.int, 64)
TOPIC_UNIT = cython.declare(cython.double, 1024.0)
PHRASE = cython.declare(cython.int, 4)  # words of a phrase's original at most
PHRASE_GROUP = cython.declare(cython.int, 1)  # phrases share the rate of free-standing lemmas
FIRST_WORD = cython.declare(cython.int, 9)  # numbers below stand for kinds of words


@cython.cclass
class Lattice:
    """The lattice of one stretch of text.

    Columns given, one entry a token (`words`, `slots`), a slot (`printed` and so on) or a choice:
    `words` are the printed words as numbers, with EOS first and after every sentence; `slots` the
    slot of a token that may have been spun, or -1. A slot is one printed word in one role; its
    choices are `first[slot]` to `first[slot + 1]`, each with the word it stands for (`original`)
    and the sources that swap the two (`sources`, the number of a bit mask in `masks`).
    `fanout[word * n_sources + source]` is the number of words that a source may print for a word,
    0 if it would leave it alone.
    """

    model: Ngrams
    topics: cython.schar[::1]  # DIMENSIONS bytes a word, for the most frequent words
    words: cython.ushort[::1]
    slots: cython.int[::1]
    first: cython.uint[::1]
    role: cython.uchar[::1]
    unknown: cython.double[::1]  # per slot: share of its printed word among what the model lumps
    printed: cython.ushort[::1]
    original: cython.ushort[::1]
    sources: cython.ushort[::1]
    masks: cython.uint[::1]
    fanout: cython.ushort[::1]
    word_class: cython.uchar[::1]
    vocabulary: cython.Py_ssize_t
    n_sources: cython.int

    rates: cython.double[::1]  # per role and class of the original: share that was replaced
    weights: cython.double[::1]  # per source: its share in the replacements
    log_ratio: cython.double

    # Phrases: choices from number `n_words` on, which stand for several printed words or give
    # several original ones. Those that begin at a token or run through it are its extra arcs.
    n_words: cython.Py_ssize_t
    phrase_source: cython.uchar[::1]
    phrase_words: cython.ushort[::1]  # PHRASE numbers a phrase, its original's words, then zeros
    phrase_span: cython.uchar[::1]  # printed words
    phrase_fan: cython.ushort[::1]  # phrases printed for this original
    phrase_last: cython.ushort[::1]  # last word of the original
    phrase_bigram: cython.int[::1]  # position of its last two words in the trie, -2 if it is one
    phrase_inner: cython.double[::1]  # P(all words after the first | the first)
    extra_first: cython.uint[::1]
    extra_choice: cython.int[::1]
    extra_place: cython.uchar[::1]  # 0 where the phrase begins, 1 at its second printed word

    # Per choice a run of links, one for each source that has it.
    link_first: cython.uint[::1]
    link_source: cython.uchar[::1]
    link_share: cython.double[::1]  # P(printed | original, source): one over the fanout

    weight: cython.double[::1]  # per choice: P(printed | original)
    keep: cython.double[::1]  # per slot: P(printed | itself)
    expected: cython.double[::1]  # per choice: how often it was taken, by the last pass
    kept: cython.double[::1]  # per slot

    base: cython.double[::1]  # per token: P(printed | printed before it)
    arc_first: cython.uint[::1]  # per token: its arcs; the first is "as printed"
    arc_choice: cython.int[::1]  # -1 for "as printed"
    arc_place: cython.uchar[::1]
    posterior: cython.double[::1]  # per arc
    pair_probability: cython.float[::1]
    pair_bigram: cython.int[::1]
    pair_posterior: cython.float[::1]
    pair_first: cython.uint[::1]
    alpha: cython.double[::1]
    beta: cython.double[::1]
    norm: cython.double[::1]

    state_first: cython.uint[::1]  # per arc: its states
    state_bigram: cython.int[::1]
    state_trigram: cython.int[::1]
    edge_first: cython.uint[::1]  # per state: its edges from states before it
    edge_from: cython.uint[::1]
    edge_ratio: cython.float[::1]  # P(words | n-gram model), over that of the text as printed
    edge_weight: cython.float[::1]  # what the passes use: tempered, and mixed with the cache
    n_states: cython.Py_ssize_t
    n_edges: cython.Py_ssize_t
    fluent: cython.double
    beam: cython.double
    prune: cython.double

    def __init__(
        self,
        model,
        topics,
        words,
        slots,
        first,
        role,
        unknown,
        printed,
        original,
        sources,
        masks,
        fanout,
        word_class,
        n_sources,
        rates,
        weights,
        phrases,
        fluent,
        beam,
        prune,
    ):
        self.model, self.topics = model, topics
        self.words, self.slots = memoryview(words), memoryview(slots)
        self.first, self.role = memoryview(first), memoryview(role)
        self.unknown, self.printed = memoryview(unknown), memoryview(printed)
        self.original, self.sources = memoryview(original), memoryview(sources)
        self.masks = masks
        self.fanout, self.word_class, self.n_sources = fanout, word_class, n_sources
        self.vocabulary = len(fanout) // n_sources
        self.rates, self.weights = memoryview(rates), memoryview(weights)
        self.phrase_source = memoryview(phrases.source)
        self.phrase_words, self.phrase_span = memoryview(phrases.words), memoryview(phrases.span)
        self.phrase_fan = memoryview(phrases.fan)
        self.extra_first, self.extra_choice = memoryview(phrases.first), memoryview(phrases.choice)
        self.extra_place = memoryview(phrases.place)
        self.n_words = len(original) - len(phrases.span)
        self.phrase_last = _zeros("H", len(phrases.span))
        self.phrase_bigram = _zeros("i", len(phrases.span))
        self.phrase_inner = _zeros("d", len(phrases.span))
        self.fluent, self.beam, self.prune = fluent, beam, prune
        tokens = len(words)
        self.weight, self.expected = _zeros("d", len(original)), _zeros("d", len(original))
        self.keep, self.kept = _zeros("d", len(role)), _zeros("d", len(role))
        self.base, self.norm = _zeros("d", tokens), _zeros("d", tokens)
        self.arc_first, self.pair_first = _zeros("I", tokens + 1), _zeros("I", tokens + 1)
        arcs = self.count_arcs()
        self.arc_choice, self.arc_place = _zeros("i", arcs), _zeros("B", arcs)
        self.posterior, self.state_first = _zeros("d", arcs), _zeros("I", arcs + 1)
        self.alpha, self.beta = _zeros("d", arcs), _zeros("d", arcs)
        self.state_bigram, self.state_trigram = _zeros("i", 1), _zeros("i", 1)
        self.edge_first, self.edge_from = _zeros("I", 2), _zeros("I", 1)
        self.edge_ratio, self.edge_weight = _zeros("f", 1), _zeros("f", 1)
        self.n_states = self.n_edges = 0

    # -- building ---------------------------------------------------------------------------

    def count_arcs(self):
        """Number the arcs of every token: as printed, its slot's choices, its phrases."""
        i: cython.Py_ssize_t
        arcs: cython.uint = 0
        for i in range(self.words.shape[0]):
            self.arc_first[i] = arcs
            arcs += 1
            if self.slots[i] >= 0:
                arcs += self.first[self.slots[i] + 1] - self.first[self.slots[i]]
            arcs += self.extra_first[i + 1] - self.extra_first[i]
        self.arc_first[self.words.shape[0]] = arcs
        return arcs

    def build(self):
        """Score the text as printed, then keep of every sentence the states worth scoring."""
        i: cython.Py_ssize_t
        k: cython.Py_ssize_t
        start: cython.Py_ssize_t = 0
        largest: cython.Py_ssize_t = 0
        tokens: cython.Py_ssize_t = self.words.shape[0]
        choice: cython.int
        self.link()
        self.measure_phrases()
        self.weigh()
        for i in range(tokens):
            k = self.arc_first[i]
            self.arc_choice[k] = -1
            if self.slots[i] >= 0:
                for choice in range(self.first[self.slots[i]], self.first[self.slots[i] + 1]):
                    k += 1
                    self.arc_choice[k] = choice
            for choice in range(self.extra_first[i], self.extra_first[i + 1]):
                k += 1
                self.arc_choice[k] = self.extra_choice[choice]
                self.arc_place[k] = self.extra_place[choice]
        self.score_printed()
        pairs: cython.Py_ssize_t = 0
        for i in range(1, tokens):
            pairs += self.arcs(i - 1) * self.arcs(i)
            if self.words[i] == EOS:
                largest = max(largest, pairs)
                pairs = 0
        self.pair_probability = _zeros("f", largest)
        self.pair_bigram = _zeros("i", largest)
        self.pair_posterior = _zeros("f", largest)
        self.reserve(1, 0)
        self.state_bigram[0] = self.state_trigram[0] = -1
        self.n_states = 1
        self.state_first[0], self.state_first[1] = 0, 1
        for i in range(1, tokens):
            if self.words[i] == EOS:
                with cython.nogil:
                    self.survey(start, i)
                self.count_states(start, i)
                with cython.nogil:
                    self.connect(start, i)
                start = i
        self.alpha, self.beta = _zeros("d", self.n_states), _zeros("d", self.n_states)

    def link(self):
        """Spread the sources of every choice for a single word out into links."""
        choice: cython.Py_ssize_t
        row: cython.Py_ssize_t
        left: cython.uint
        source: cython.int
        links: cython.Py_ssize_t = 0
        self.link_first = _zeros("I", self.n_words + 1)
        self.link_source = _zeros("B", self.n_sources * self.n_words)
        self.link_share = _zeros("d", self.n_sources * self.n_words)
        for choice in range(self.n_words):
            row = cython.cast(cython.Py_ssize_t, self.original[choice]) * self.n_sources
            left = self.masks[self.sources[choice]]
            source = 0
            while left:
                if left & 1:
                    self.link_source[links] = source
                    self.link_share[links] = 1.0 / max(self.fanout[row + source], 1)
                    links += 1
                left >>= 1
                source += 1
            self.link_first[choice + 1] = links

    def measure_phrases(self):
        """Score every phrase's words after its first."""
        k: cython.Py_ssize_t
        n: cython.Py_ssize_t
        word: cython.int
        context: cython.int
        bigram: cython.Py_ssize_t
        trigram: cython.Py_ssize_t
        found: cython.Py_ssize_t
        for k in range(self.phrase_span.shape[0]):
            context = self.phrase_words[PHRASE * k]
            bigram = trigram = found = -1
            self.phrase_inner[k] = 1.0
            self.phrase_bigram[k] = -2
            for n in range(PHRASE * k + 1, PHRASE * (k + 1)):
                word = self.phrase_words[n]
                if word == 0:
                    break
                self.model.after(context, word)
                found = self.model.bigram
                self.phrase_inner[k] *= self.model.extend(trigram, bigram, context, word, found)
                trigram = self.model.trigram
                bigram = found
                context = word
                self.phrase_bigram[k] = bigram
            self.phrase_last[k] = context

    def reserve(self, states, edges):
        """Room for so many more states and edges."""
        states += self.n_states
        edges += self.n_edges
        if states + 1 > self.edge_first.shape[0]:
            self.state_bigram = _longer(self.state_bigram, "i", 2 * states)
            self.state_trigram = _longer(self.state_trigram, "i", 2 * states)
            self.edge_first = _longer(self.edge_first, "I", 2 * states + 1)
        if edges > self.edge_from.shape[0]:
            self.edge_from = _longer(self.edge_from, "I", 2 * edges)
            self.edge_ratio = _longer(self.edge_ratio, "f", 2 * edges)
            self.edge_weight = _longer(self.edge_weight, "f", 2 * edges)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def arcs(self, token: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """How many arcs begin at a token or run through it."""
        return self.arc_first[token + 1] - self.arc_first[token]

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def enters(self, token: cython.Py_ssize_t, arc: cython.Py_ssize_t) -> cython.int:
        """The first word that an arc stands for."""
        choice: cython.int = self.arc_choice[arc]
        return self.words[token] if choice < 0 else self.original[choice]

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def leaves(self, token: cython.Py_ssize_t, arc: cython.Py_ssize_t) -> cython.int:
        """The last word that an arc stands for, as the context of the next; BOS at an end."""
        choice: cython.int = self.arc_choice[arc]
        if choice >= self.n_words:
            return self.phrase_last[choice - self.n_words]
        if choice >= 0:
            return self.original[choice]
        return BOS if self.words[token] == EOS else self.words[token]

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def inner(self, arc: cython.Py_ssize_t) -> cython.double:
        """P(words of an arc after its first)."""
        choice: cython.int = self.arc_choice[arc]
        return self.phrase_inner[choice - self.n_words] if choice >= self.n_words else 1.0

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def follows(self, b: cython.Py_ssize_t, a: cython.Py_ssize_t) -> cython.bint:
        """Whether arc a may come after b: a phrase goes on to its end, and starts at its start."""
        choice: cython.int = self.arc_choice[b]
        if choice >= self.n_words:
            if self.arc_place[b] + 1 < self.phrase_span[choice - self.n_words]:
                return self.arc_choice[a] == choice and self.arc_place[a] == self.arc_place[b] + 1
        return self.arc_place[a] == 0

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def factor(self, token: cython.Py_ssize_t, arc: cython.Py_ssize_t) -> cython.double:
        """Channel probability of an arc, over that of the text as printed."""
        slot: cython.int = self.slots[token]
        choice: cython.int = self.arc_choice[arc]
        p: cython.double = 1.0
        if choice < 0:
            return 1.0 if slot < 0 else self.keep[slot]
        if self.arc_place[arc] == 0:
            p = self.weight[choice]
        return p if slot < 0 else p / self.unknown[slot]

    def score_printed(self):
        """P of every printed word given the printed words before it."""
        i: cython.Py_ssize_t
        word: cython.int
        context: cython.int = BOS
        bigram: cython.Py_ssize_t = -1
        trigram: cython.Py_ssize_t = -1
        found: cython.Py_ssize_t
        self.base[0] = 1.0
        for i in range(1, self.words.shape[0]):
            word = self.words[i]
            self.model.after(context, word)
            found = self.model.bigram
            self.base[i] = self.model.extend(trigram, bigram, context, word, found)
            trigram = self.model.trigram
            bigram = found
            context = word
            if word == EOS:
                context = BOS
                bigram = trigram = -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def survey(self, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.void:
        """Forward-backward over the bigrams of one sentence: which pairs of arcs matter?

        A word that is at home between its printed neighbours is not looked into.
        """
        settled: cython.bint
        tangled: cython.bint
        i: cython.Py_ssize_t
        a: cython.Py_ssize_t
        b: cython.Py_ssize_t
        k: cython.Py_ssize_t = 0
        context: cython.int
        total: cython.double
        p: cython.double
        self.alpha[self.arc_first[start]] = 1.0
        for i in range(start + 1, stop + 1):
            self.pair_first[i] = k
            total = 0.0
            tangled = self.extra_first[i - 1] < self.extra_first[i + 1]
            settled = i < stop and self.base[i] * self.base[i + 1] > self.fluent
            for a in range(self.arc_first[i], self.arc_first[i + 1]):
                self.alpha[a] = 0.0
            for b in range(self.arc_first[i - 1], self.arc_first[i]):
                if self.alpha[b] == 0.0:
                    k += self.arcs(i)
                    continue
                context = self.leaves(i - 1, b)
                for a in range(self.arc_first[i], self.arc_first[i + 1]):
                    self.pair_probability[k] = 0.0
                    k += 1
                    if tangled and not self.follows(b, a):
                        continue
                    if settled and 0 <= self.arc_choice[a] < self.n_words:
                        continue
                    if self.arc_place[a]:
                        p = 1.0 / self.base[i]
                        self.pair_bigram[k - 1] = -1
                    else:
                        p = self.model.after(context, self.enters(i, a)) / self.base[i]
                        p *= self.inner(a)
                        self.pair_bigram[k - 1] = self.model.bigram
                    self.pair_probability[k - 1] = p
                    self.alpha[a] += self.alpha[b] * p
            for a in range(self.arc_first[i], self.arc_first[i + 1]):
                self.alpha[a] *= self.factor(i, a)
                total += self.alpha[a]
            for a in range(self.arc_first[i], self.arc_first[i + 1]):
                self.alpha[a] /= total
                if self.alpha[a] < self.beam and a > self.arc_first[i]:
                    self.alpha[a] = 0.0
            self.norm[i] = total
        self.beta[self.arc_first[stop]] = 1.0
        for i in range(stop, start, -1):
            k = self.pair_first[i]
            for b in range(self.arc_first[i - 1], self.arc_first[i]):
                total = 0.0
                if self.alpha[b] == 0.0:
                    self.beta[b] = 0.0
                    k += self.arcs(i)
                    continue
                for a in range(self.arc_first[i], self.arc_first[i + 1]):
                    p = self.pair_probability[k] * self.factor(i, a) * self.beta[a] / self.norm[i]
                    self.pair_posterior[k] = p * self.alpha[b]
                    total += p
                    k += 1
                self.beta[b] = total

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def survives(
        self,
        token: cython.Py_ssize_t,
        pair: cython.Py_ssize_t,
        b: cython.Py_ssize_t,
        a: cython.Py_ssize_t,
    ) -> cython.bint:
        """Likely pairs stay, and so does the text as printed."""
        if self.pair_posterior[pair] > self.prune:
            return True
        return b == self.arc_first[token - 1] and a == self.arc_first[token]

    @cython.ccall
    @cython.boundscheck(False)
    def count_states(self, start: cython.Py_ssize_t, stop: cython.Py_ssize_t):
        """Reserve room for the states and edges of one sentence."""
        i: cython.Py_ssize_t
        a: cython.Py_ssize_t
        b: cython.Py_ssize_t
        k: cython.Py_ssize_t
        states: cython.Py_ssize_t = 0
        edges: cython.Py_ssize_t = 0
        here: cython.Py_ssize_t
        before: cython.Py_ssize_t = 1
        for i in range(start + 1, stop + 1):
            here = 0
            k = self.pair_first[i]
            for b in range(self.arc_first[i - 1], self.arc_first[i]):
                if self.alpha[b] == 0.0:
                    k += self.arcs(i)
                    continue
                for a in range(self.arc_first[i], self.arc_first[i + 1]):
                    here += self.survives(i, k, b, a)
                    k += 1
            states += here
            edges += here * before
            before = here
        self.reserve(states, edges)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def connect(self, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> cython.void:
        """States of one sentence, and the 4-gram score of every step between two of them.

        The third word back is that of a state's most likely predecessor.
        """
        i: cython.Py_ssize_t
        a: cython.Py_ssize_t
        b: cython.Py_ssize_t
        k: cython.Py_ssize_t
        x: cython.Py_ssize_t
        y: cython.Py_ssize_t
        width: cython.Py_ssize_t
        context: cython.int
        word: cython.int
        p: cython.double
        best: cython.double = 0.0
        ends: cython.bint
        for i in range(start + 1, stop + 1):
            width = self.arcs(i)
            ends = self.words[i] == EOS
            for a in range(self.arc_first[i], self.arc_first[i + 1]):
                self.state_first[a] = self.n_states
                if self.alpha[a] == 0.0:
                    self.state_first[a + 1] = self.n_states
                    continue
                word = self.enters(i, a)
                for b in range(self.arc_first[i - 1], self.arc_first[i]):
                    if self.alpha[b] == 0.0:
                        continue
                    k = self.pair_first[i] + (b - self.arc_first[i - 1]) * width
                    k += a - self.arc_first[i]
                    if not self.survives(i, k, b, a):
                        continue
                    context = self.leaves(i - 1, b)
                    y = self.n_states
                    if not ends or y == self.state_first[a]:
                        self.n_states += 1
                        self.edge_first[y] = self.n_edges
                        self.state_bigram[y] = -1 if ends else self.pair_bigram[k]
                        self.state_trigram[y] = -1
                        best = 0.0
                    for x in range(self.state_first[b], self.state_first[b + 1]):
                        if self.arc_place[a]:
                            p = 1.0
                        else:
                            p = self.inner(a) * self.model.extend(
                                self.state_trigram[x],
                                self.state_bigram[x],
                                context,
                                word,
                                self.pair_bigram[k],
                            )
                        p /= self.base[i]
                        self.edge_from[self.n_edges] = x
                        self.edge_ratio[self.n_edges] = p
                        self.edge_weight[self.n_edges] = p
                        self.n_edges += 1
                        if p * self.alpha[b] > best and not ends:
                            best = p * self.alpha[b]
                            self.inherit(y, x, a)
                self.state_first[a + 1] = self.n_states
                self.edge_first[self.n_states] = self.n_edges

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def inherit(
        self, y: cython.Py_ssize_t, x: cython.Py_ssize_t, a: cython.Py_ssize_t
    ) -> cython.void:
        """Give a state the context that the step from x, just scored, leaves behind."""
        choice: cython.int = self.arc_choice[a]
        if self.arc_place[a]:
            self.state_bigram[y] = self.state_bigram[x]
            self.state_trigram[y] = self.state_trigram[x]
        elif choice >= self.n_words and self.phrase_bigram[choice - self.n_words] != -2:
            self.state_bigram[y] = self.phrase_bigram[choice - self.n_words]
        else:
            self.state_trigram[y] = self.model.trigram

    # -- estimating -------------------------------------------------------------------------

    def weigh(self):
        """Channel probabilities of all choices from the rates and weights."""
        slot: cython.Py_ssize_t
        choice: cython.Py_ssize_t
        p: cython.double
        for slot in range(self.role.shape[0]):
            p = self.rates[self.group(slot, self.printed[slot])] * self.reach(self.printed[slot])
            self.keep[slot] = max(1.0 - p, LEAST_KEPT)
            for choice in range(self.first[slot], self.first[slot + 1]):
                p = self.channel(choice)
                self.weight[choice] = p * self.rates[self.group(slot, self.original[choice])]
        for choice in range(self.n_words, self.original.shape[0]):
            p = self.weights[self.phrase_source[choice - self.n_words]]
            p /= self.phrase_fan[choice - self.n_words]
            self.weight[choice] = p * self.rates[PHRASE_GROUP]

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def reach(self, word: cython.int) -> cython.double:
        """Weight of all sources that have something to print for a word."""
        source: cython.int
        total: cython.double = 0.0
        for source in range(self.n_sources):
            if self.fanout[cython.cast(cython.Py_ssize_t, word) * self.n_sources + source]:
                total += self.weights[source]
        return total

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    def group(self, slot: cython.Py_ssize_t, word: cython.int) -> cython.int:
        """Words of one class in one role share a rate."""
        return self.role[slot] * CLASSES + self.word_class[word]

    def expect(self):
        """Forward-backward over the states: posteriors of arcs and expected counts.

        Returns the log of P(text | channel) over P(text as printed).
        """
        with cython.nogil:
            self.forward()
            self.backward()
        return self.log_ratio

    def substituted(self, least, least_choice):
        """What was replaced with posterior `least` or more: [(first token, number of tokens,
        posterior, [(choice, posterior), ...])], choices of more than `least_choice`, likely ones
        first."""
        i: cython.Py_ssize_t
        a: cython.Py_ssize_t
        choice: cython.int
        found = []
        for i in range(self.words.shape[0]):
            if self.posterior[self.arc_first[i]] > 1.0 - least:
                continue
            by_span = {}
            for a in range(self.arc_first[i] + 1, self.arc_first[i + 1]):
                if self.posterior[a] > least_choice and self.arc_place[a] == 0:
                    choice = self.arc_choice[a]
                    span = self.phrase_span[choice - self.n_words] if choice >= self.n_words else 1
                    by_span.setdefault(span, []).append((choice, self.posterior[a]))
            for span, choices in by_span.items():
                posterior = sum([p for _, p in choices])
                if posterior >= least:
                    choices.sort(key=lambda choice: -choice[1])
                    found.append((i, span, posterior, choices))
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def forward(self) -> cython.void:
        """Probability of all paths up to every state, each token's summing to one."""
        start: cython.Py_ssize_t
        i: cython.Py_ssize_t
        a: cython.Py_ssize_t
        y: cython.Py_ssize_t
        e: cython.Py_ssize_t
        total: cython.double
        p: cython.double
        factor: cython.double
        self.alpha[0] = 1.0
        self.log_ratio = 0.0
        for i in range(1, self.words.shape[0]):
            total = 0.0
            for a in range(self.arc_first[i], self.arc_first[i + 1]):
                factor = self.factor(i, a)
                for y in range(self.state_first[a], self.state_first[a + 1]):
                    p = 0.0
                    for e in range(self.edge_first[y], self.edge_first[y + 1]):
                        p += self.alpha[self.edge_from[e]] * self.edge_weight[e]
                    p *= factor
                    self.alpha[y] = p
                    total += p
            start = self.state_first[self.arc_first[i]]
            for y in range(start, self.state_first[self.arc_first[i + 1]]):
                self.alpha[y] /= total
            self.norm[i] = total
            self.log_ratio += log(total)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def backward(self) -> cython.void:
        """Probability of all paths from every state on, and with it the posteriors."""
        i: cython.Py_ssize_t
        a: cython.Py_ssize_t
        y: cython.Py_ssize_t
        e: cython.Py_ssize_t
        p: cython.double
        factor: cython.double
        for a in range(self.expected.shape[0]):
            self.expected[a] = 0.0
        for a in range(self.kept.shape[0]):
            self.kept[a] = 0.0
        for y in range(self.n_states):
            self.beta[y] = 0.0
        i = self.words.shape[0] - 1
        for y in range(self.state_first[self.arc_first[i]], self.n_states):
            self.beta[y] = 1.0
        for i in range(self.words.shape[0] - 1, 0, -1):
            for a in range(self.arc_first[i], self.arc_first[i + 1]):
                factor = self.factor(i, a) / self.norm[i]
                self.posterior[a] = 0.0
                for y in range(self.state_first[a], self.state_first[a + 1]):
                    self.posterior[a] += self.alpha[y] * self.beta[y]
                    p = factor * self.beta[y]
                    for e in range(self.edge_first[y], self.edge_first[y + 1]):
                        self.beta[self.edge_from[e]] += p * self.edge_weight[e]
                if self.arc_choice[a] >= 0:
                    if self.arc_place[a] == 0:
                        self.expected[self.arc_choice[a]] += self.posterior[a]
                elif self.slots[i] >= 0:
                    self.kept[self.slots[i]] += self.posterior[a]

    def reestimate(self, rate_prior, rate_strength, weight_prior, weight_strength, parsimony):
        """Rates and weights from the expected counts, then the probabilities of all choices.

        P(word replaced by a source) = rate of its group x weight of the source, where the source
        has the word; each is set to what was observed over what the other leads to expect, with a
        Gamma prior worth `strength`. What explains hardly more than `parsimony` words counts for
        less: one page was spun by one spinner, so a few sources and groups have all the swaps.
        """
        slot: cython.Py_ssize_t
        choice: cython.Py_ssize_t
        source: cython.int
        group: cython.int
        p: cython.double
        groups: cython.Py_ssize_t = len(self.rates)
        spun: cython.double[::1] = _zeros("d", groups)
        words: cython.double[::1] = memoryview(array("d", [rate_strength] * groups))
        taken: cython.double[::1] = _zeros("d", self.n_sources)
        chances: cython.double[::1] = memoryview(array("d", [weight_strength] * self.n_sources))
        for slot in range(self.role.shape[0]):
            group = self.group(slot, self.printed[slot])
            self.offer(words, chances, group, self.printed[slot], self.kept[slot])
            for choice in range(self.first[slot], self.first[slot + 1]):
                if self.expected[choice] < NEGLIGIBLE:
                    continue
                group = self.group(slot, self.original[choice])
                self.offer(words, chances, group, self.original[choice], self.expected[choice])
                spun[group] += self.expected[choice]
        self.tally(taken)
        for source in range(self.n_sources):
            p = taken[source] * taken[source] / (taken[source] + parsimony)
            self.weights[source] = (p + weight_strength * weight_prior[source]) / chances[source]
        for group in range(groups):
            p = spun[group] * spun[group] / (spun[group] + parsimony)
            p += rate_prior * rate_strength
            self.rates[group] = min(p / words[group], 1.0)
        self.weigh()

    def kept_posteriors(self):
        """[(position, slot, P(no substitution begins here), fit), ...] of tokens with a slot.

        `fit` is how much likelier than anywhere the word is after those before it, or the next
        word after it, whichever is more: a natural logarithm. A phrase's words always fit each
        other: where one is likelier than a single word it is 0.
        """
        kept = []
        for i in range(self.words.shape[0]):
            if self.slots[i] >= 0:
                word: cython.double = 0.0
                phrase: cython.double = 0.0
                for a in range(self.arc_first[i] + 1, self.arc_first[i + 1]):
                    if self.arc_choice[a] < self.n_words:
                        word += self.posterior[a]
                    elif self.arc_place[a] == 0:
                        phrase += self.posterior[a]
                fit = max(self.lift(i), self.lift(i + 1)) if word >= phrase else 0.0
                kept.append((i, self.slots[i], 1.0 - word - phrase, fit))
        return kept

    @cython.cfunc
    @cython.exceptval(check=False)
    def lift(self, token: cython.Py_ssize_t) -> cython.double:
        """Log of P(printed | printed before it) over P(printed)."""
        return log(self.base[token] / self.model.p1[self.words[token]])

    def taken(self):
        """Expected number of substitutions by each source."""
        taken: cython.double[::1] = _zeros("d", self.n_sources)
        self.tally(taken)
        return [taken[source] for source in range(self.n_sources)]

    @cython.cfunc
    @cython.exceptval(check=False)
    def tally(self, taken: cython.double[::1]) -> cython.void:
        """Share the expected count of every choice out among its sources."""
        choice: cython.Py_ssize_t
        k: cython.Py_ssize_t
        count: cython.double
        for choice in range(self.n_words):
            if self.expected[choice] < NEGLIGIBLE:
                continue
            count = self.expected[choice] / self.channel(choice)
            for k in range(self.link_first[choice], self.link_first[choice + 1]):
                taken[self.link_source[k]] += (
                    count * self.weights[self.link_source[k]] * self.link_share[k]
                )
        for choice in range(self.n_words, self.original.shape[0]):
            taken[self.phrase_source[choice - self.n_words]] += self.expected[choice]

    @cython.cfunc
    @cython.exceptval(check=False)
    def offer(
        self,
        words: cython.double[::1],
        chances: cython.double[::1],
        group: cython.int,
        word: cython.int,
        count: cython.double,
    ) -> cython.void:
        """Count a word that stood in the original as a chance for every source that has it."""
        source: cython.int
        words[group] += count * self.reach(word)
        for source in range(self.n_sources):
            if self.fanout[cython.cast(cython.Py_ssize_t, word) * self.n_sources + source]:
                chances[source] += count * self.rates[group]

    @cython.cfunc
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def channel(self, choice: cython.Py_ssize_t) -> cython.double:
        """P(printed | original), up to the rate: every source prints each of its words alike."""
        k: cython.Py_ssize_t
        p: cython.double = 0.0
        for k in range(self.link_first[choice], self.link_first[choice + 1]):
            p += self.weights[self.link_source[k]] * self.link_share[k]
        return p

    def adapt(self, share: cython.double, trust: cython.double, topic: cython.double, window):
        """Let the whole text, as now restored, speak for the words that belong to it.

        Two adaptations of the language model's ratios. A cache of the text's words is mixed in
        with weight `share` (Kuhn and De Mori, "A Cache-Based Natural Language Model", 1990); a
        token does not count for itself. And a word gains by how well it keeps company with the
        words up to `window` tokens away: `topic` times the sum of its PMI with each. In between,
        ratios are raised to the power `trust`, since a model of short n-grams is surer of itself
        than it should be.
        """
        i: cython.Py_ssize_t
        a: cython.Py_ssize_t
        total: cython.double[::1] = _zeros("d", self.vocabulary)
        likeliest: cython.int[::1] = _zeros("i", len(self.words))
        for i in range(self.words.shape[0]):
            best: cython.Py_ssize_t = self.arc_first[i]
            for a in range(self.arc_first[i], self.arc_first[i + 1]):
                if self.arc_place[a] == 0:
                    total[self.enters(i, a)] += self.posterior[a]
                if self.posterior[a] > self.posterior[best]:
                    best = a
            likeliest[i] = self.enters(i, best)
        around: cython.int[::1] = _zeros("i", DIMENSIONS)
        reach: cython.Py_ssize_t = window
        with cython.nogil:
            self.mix(total, likeliest, around, share, trust, topic / TOPIC_UNIT, reach)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def mix(
        self,
        total: cython.double[::1],
        likeliest: cython.int[::1],
        around: cython.int[::1],
        share: cython.double,
        trust: cython.double,
        topic: cython.double,
        window: cython.Py_ssize_t,
    ) -> cython.void:
        """Weigh every edge anew, given the text's words and the likeliest word of each token."""
        start: cython.Py_ssize_t
        i: cython.Py_ssize_t
        a: cython.Py_ssize_t
        e: cython.Py_ssize_t
        word: cython.int
        cached: cython.double
        printed: cython.double
        company: cython.double
        gain: cython.double
        tokens: cython.Py_ssize_t = self.words.shape[0]
        for i in range(min(window, tokens)):
            self.accompany(around, likeliest[i], 1)
        for i in range(1, tokens):
            if i + window < tokens:
                self.accompany(around, likeliest[i + window], 1)
            if i - window - 1 >= 0:
                self.accompany(around, likeliest[i - window - 1], -1)
            self.accompany(around, likeliest[i], -1)
            printed = 1.0
            company = 0.0
            for a in range(self.arc_first[i], self.arc_first[i + 1]):
                word = self.enters(i, a)
                cached = 0.0
                if (
                    self.arc_choice[a] < self.n_words
                    and word >= FIRST_WORD
                    and total[word] > self.posterior[a]
                ):
                    cached = share * (total[word] - self.posterior[a]) / tokens / self.base[i]
                gain = 0.0
                if self.arc_place[a] == 0 and self.state_first[a] < self.state_first[a + 1]:
                    gain = topic * self.affinity(around, word)
                if a == self.arc_first[i]:
                    printed = power(1.0 - share + cached, trust)
                    company = gain
                gain = exp(gain - company) / printed
                start = self.edge_first[self.state_first[a]]
                for e in range(start, self.edge_first[self.state_first[a + 1]]):
                    self.edge_weight[e] = gain * power(
                        (1.0 - share) * self.edge_ratio[e] + cached, trust
                    )
            self.accompany(around, likeliest[i], 1)

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def accompany(
        self, around: cython.int[::1], word: cython.int, times: cython.int
    ) -> cython.void:
        """Add a word's vector to the sum of those around."""
        d: cython.Py_ssize_t
        row: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, word) * DIMENSIONS
        if row >= self.topics.shape[0]:
            return
        for d in range(DIMENSIONS):
            around[d] += times * self.topics[row + d]

    @cython.cfunc
    @cython.nogil
    @cython.inline
    @cython.exceptval(check=False)
    @cython.boundscheck(False)
    def affinity(self, around: cython.int[::1], word: cython.int) -> cython.double:
        """How well a word keeps company with those around, up to a factor."""
        d: cython.Py_ssize_t
        row: cython.Py_ssize_t = cython.cast(cython.Py_ssize_t, word) * DIMENSIONS
        product: cython.int = 0
        if row >= self.topics.shape[0]:
            return 0.0
        for d in range(DIMENSIONS):
            product += around[d] * self.topics[row + d]
        return product

    def sharpen(self, strength):
        """Let the text's own habits speak: P(printed | original) from its expected counts.

        Dirichlet prior: the channel as `reestimate` left it, worth `strength` occurrences. A word
        that the text keeps elsewhere is less likely to have been replaced here; one that it always
        replaces by the same word was replaced here too.
        """
        slot: cython.Py_ssize_t
        choice: cython.Py_ssize_t
        n: cython.double
        key: cython.Py_ssize_t
        total: cython.double[::1] = _zeros("d", self.vocabulary * self.rates.shape[0] // CLASSES)
        for slot in range(self.role.shape[0]):
            key = self.role[slot] * self.vocabulary
            if self.unknown[slot] == 1.0:
                total[key + self.printed[slot]] += self.kept[slot]
            for choice in range(self.first[slot], self.first[slot + 1]):
                total[key + self.original[choice]] += self.expected[choice]
        for slot in range(self.role.shape[0]):
            key = self.role[slot] * self.vocabulary
            if self.unknown[slot] == 1.0:
                n = total[key + self.printed[slot]] + strength
                self.keep[slot] = (self.kept[slot] + strength * self.keep[slot]) / n
            for choice in range(self.first[slot], self.first[slot + 1]):
                n = total[key + self.original[choice]] + strength
                self.weight[choice] = (self.expected[choice] + strength * self.weight[choice]) / n


def _zeros(code, n):
    """A column of n zeros."""
    return memoryview(array(code, [0]) * n)


def _longer(column, code, n):
    """The column with room for n entries."""
    longer = _zeros(code, n)
    longer[: len(column)] = column
    return longer
