"""Which forms a lemma has, and which lemma and form a printed word may be.

A spinner that inflects looks up the lemma and prints the neighbour in the form of the original:
"threw" becomes "hurled", never "hurl". So both sides of a pair are looked up by form tag.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import lemminflect  # type: ignore[import-untyped, unused-ignore]

from train.lexicons import rows

_UNIVERSAL = {"n": "NOUN", "v": "VERB", "a": "ADJ"}
_PART_OF_UNIVERSAL = {name: part for part, name in _UNIVERSAL.items()}
_PARTS_OF_FILE = {"noun": "n", "verb": "v", "adj": "a"}
# Penn Treebank tags of the forms other than the lemma. Adverbs compare too rarely to matter.
TAGS = {"n": ("NNS",), "v": ("VBZ", "VBD", "VBN", "VBG"), "a": ("JJR", "JJS")}

Forms = dict[str, tuple[str, ...]]


class Analysis(NamedTuple):
    """One reading of a printed word: of which lemma it is which form."""

    lemma: str
    part: str
    tag: str


class Inflector:
    """Forms by lemma and part of speech; irregular ones beyond the dictionary come from a table.

    >>> Inflector({}).forms("throw", "v")["VBD"]
    ('threw',)
    >>> Inflector({}).analyses("threw")
    (Analysis(lemma='throw', part='v', tag='VBD'),)
    """

    def __init__(self, irregular: dict[tuple[str, str], list[str]]) -> None:
        """`irregular` maps (lemma, part of speech) to forms whose tag is not told."""
        self._irregular = irregular
        self._lemmas_of_irregular: dict[str, list[tuple[str, str]]] = {}
        for key, forms in irregular.items():
            for form in forms:
                self._lemmas_of_irregular.setdefault(form, []).append(key)
        self.forms = cache(self._forms)
        self.analyses = cache(self._analyses)

    @classmethod
    def load(cls, lexicons: Path) -> "Inflector":
        """Takes the irregular forms from WordNet's exception lists."""
        irregular: dict[tuple[str, str], list[str]] = {}
        for form, part_name, lemmas in rows(lexicons / "wordnet30_irregular_forms.tsv.gz"):
            part = _PARTS_OF_FILE.get(part_name)
            if part is not None and form.isalpha():
                for lemma in lemmas.split("|"):
                    irregular.setdefault((lemma, part), []).append(form)
        return cls(irregular)

    def _forms(self, lemma: str, part: str) -> Forms:
        """The inflected forms by tag, all spellings; empty for adverbs and unknown adjectives."""
        universal = _UNIVERSAL.get(part)
        if universal is None:
            return {}
        known: dict[str, tuple[str, ...]] = lemminflect.getAllInflections(lemma, upos=universal)
        if not known and part != "a":
            # Adjectives outside the dictionary rarely compare by suffix ("acolder").
            known = lemminflect.getAllInflectionsOOV(lemma, universal)
        forms = {tag: known[tag] for tag in TAGS[part] if tag in known}
        if "VBD" in forms:
            # The dictionary leaves the participle out where it equals the past tense.
            forms.setdefault("VBN", forms["VBD"])
        for form in self._irregular.get((lemma, part), ()):
            tag = _tag_of_irregular(form, part)
            if tag is not None and form not in forms.get(tag, ()):
                forms[tag] = (*forms.get(tag, ()), form)
        if part == "n":
            # A noun without a plural of its own ("information") has only its lemma.
            forms = {tag: tuple(f for f in words if f != lemma) for tag, words in forms.items()}
        return {tag: words for tag, words in forms.items() if words}

    def _analyses(self, word: str) -> tuple[Analysis, ...]:
        """Every reading of the word as an inflected form; none if it is only a lemma."""
        lemmas: dict[str, tuple[str, ...]] = lemminflect.getAllLemmas(word)
        readings = [
            (lemma, _PART_OF_UNIVERSAL[universal])
            for universal, found in lemmas.items()
            if universal in _PART_OF_UNIVERSAL
            for lemma in found
        ]
        readings += self._lemmas_of_irregular.get(word, [])
        return tuple(
            Analysis(lemma, part, tag)
            for lemma, part in dict.fromkeys(readings)
            for tag, forms in self.forms(lemma, part).items()
            if word in forms
        )


def _tag_of_irregular(form: str, part: str) -> str | None:
    """The tag an irregular form's ending gives away; past tense and participle look alike."""
    if part == "n":
        return "NNS"
    if part == "a":
        return {"er": "JJR", "st": "JJS"}.get(form[-2:])
    return "VBG" if form.endswith("ing") else None
