"""Who is said to have said it? The speaker that the words around a quotation name.

The usual attributions of English news, and no more: where the text names nobody in one of them,
there is no speaker. Each looks at a short stretch of text, so what it costs does not grow with
the page.
"""

from __future__ import annotations

import re
from itertools import islice

REACH = 250  # characters before and after a quotation in which its speaker is looked for
MOST_VERBS = 3  # "Pell, who told the council so last year, said"


def attributed(before: str, quoted: str, after: str) -> str | None:
    """Return the speaker of the words `quoted`, as the text around them prints it, or None.

    `before` ends at the opening mark and `after` begins behind the closing one; neither should
    hold another quotation. A pronoun is a speaker too: whom it stands for is not looked up.

    >>> attributed("", "It is open,", " said Nora Pell, who runs a bakery.")
    'Nora Pell'
    >>> attributed("Pell, the mayor, told reporters in Kelmouth that ", "it is open.", "")
    'Pell'
    >>> attributed("It was, according to a spokesman for the town, ", "too much", "")
    'a spokesman for the town'
    >>> attributed("The ", "gift,", " which nobody wanted, was returned.") is None
    True
    """
    before, after = before[-REACH:], after[:REACH]
    return behind(quoted, after) or _ahead(before)


def behind(quoted: str, after: str) -> str | None:
    """Return the speaker that the text after a quotation names, in the same sentence.

    >>> behind("It is open,", " she said."), behind("It is open.", " She said no more.")
    ('she', None)
    """
    if not (
        quoted.rstrip("'’\"”").endswith(_RUNS_ON) or after.lstrip().startswith((",", "–", "—"))
    ):
        return None
    after = after.lstrip(" \t\r\n,–—-")
    if after.startswith(_SOURCE):
        return _named(_SUBJECT.match(after, len(_SOURCE)))
    for verb in islice(_VERB.finditer(after), MOST_VERBS):
        subject = after[: verb.start()].strip()
        found = _SUBJECT.fullmatch(subject) if subject else _SUBJECT.match(after, verb.end() + 1)
        if found:
            return _named(found)
        if _SENTENCE_END.search(subject):
            break
    return None


def continues(quoted: str, between: str) -> bool:
    """Whether the next quotation goes on with the speech of this one, by what stands between them.

    >>> continues("It is open,", " said Nora Pell, who runs a bakery. ")
    True
    >>> continues("It is open,", " said Mr. Pell. It was a dark room, ")
    False
    """
    between = between.strip()
    if not between:
        return True
    if len(between) > REACH or _SENTENCE_END.search(between) or not _HANDS_OVER.search(between):
        return False
    return behind(quoted, between) is not None


def _ahead(before: str) -> str | None:
    """The speaker that the text before a quotation names, right before it."""
    _, source, subject = before.replace("According", "according").rpartition(_SOURCE)
    if source and (found := _SUBJECT.fullmatch(subject.strip())):
        return _named(found)
    verbs = list(_VERB.finditer(before))
    if not verbs or not _LEADS_IN.fullmatch(before, verbs[-1].end()):
        return None
    sentence = _OPENER.sub("", _SENTENCE_END.split(before[: verbs[-1].start()])[-1].strip())
    for names in (
        _PRONOUN_LAST.search,
        _NAME_LAST.search,
        _NOUN_LAST.search,
        _SUBJECT.fullmatch,
    ):
        if found := names(sentence):
            return _named(found)
    return None


def _named(found: re.Match[str] | None) -> str | None:
    if found is None:
        return None
    return " ".join(found["speaker"].split()).removesuffix("’s").removesuffix("'s")


# What can name a speaker: a pronoun, a name, or a noun with an article or a possessor.
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-Ž]"  # the last range has small letters too, but few names begin so
_TITLES = "Mr Mrs Ms Dr Prof Sen Sens Rep Reps Gov Gen Lt Col Capt Sgt Rev Hon St".split()
_NO_NAMES = "|".join(
    "The A An On In At By For From To Of But And Or If As So Yet When While After Before Since"
    " Then Now Also Still Later Earlier Meanwhile However Yesterday Today Tomorrow Monday Tuesday"
    " Wednesday Thursday Friday Saturday Sunday January February March April May June July August"
    " September October November December He She It They We You I That This These Those There What"
    " Who Which His Her Its Their Our My Last Next Some Many One".split()
)
_STOP = "|".join(
    "that who whom whose which what where when while as because since after before if although"
    " though and but or so than then in on at by with from into over under through during about"
    " against is was were are be been being has had have will would can could should may might"
    " must do does did not to also later once recently reportedly yesterday today tomorrow Monday"
    " Tuesday Wednesday Thursday Friday Saturday Sunday".split()
)
_NAME_WORD = (
    rf"(?!(?:{_NO_NAMES})\b)"
    rf"(?:(?:{'|'.join(_TITLES)})\.|(?:[A-Z]\.)+|{_CAPITAL}[\w&-]*(?:[’'](?!s\b)\w+)*)"
)
_PARTICLE = r"(?:(?:de|da|del|der|den|di|dos|du|la|le|van|von|bin|bint|ibn|al|el|ter|of|the|and)\s)"
_NAME = rf"(?<![\w’'.]){_NAME_WORD}(?:\s{_PARTICLE}{{0,2}}{_NAME_WORD}){{0,6}}"
_PRONOUN = r"\b(?:[Hh]e|[Ss]he|[Tt]hey|[Ii]t|[Ww]e|I)\b"
_OWNER = r"(?:[Tt]he|[Aa]n?|[Oo]ne|[Aa]nother|[Hh]is|[Hh]er|[Ii]ts|[Tt]heir|[Oo]ur|[Mm]y|[Ss]ome)\b"
_WORD = rf"(?!(?:{_STOP})\b)[\w’'-]+"
_NOUN = (
    rf"\b(?:(?:{_OWNER}|{_NAME_WORD}[’']s)(?:\s{_WORD}){{1,7}}"
    r"|(?:[Pp]olice|[Oo]fficials|[Aa]uthorities|[Pp]rosecutors|[Rr]esearchers|[Ss]cientists"
    r"|[Cc]ritics|[Ee]xperts|[Aa]nalysts|[Ww]itnesses|[Ll]awyers|[Dd]octors))"
)
_DESCRIBED = rf"(?:(?!(?:{_STOP}|{_OWNER})\b)[a-z][\w-]*\s){{0,5}}"  # "former president" and a name
_ASIDE = r"(?:\s\([^()]{1,40}\))?"
_APPOSITION = r"(?:,\s(?:[^.;:!?]|\.(?!\s+[A-Z])){1,150},)?"
_ADVERB = r"(?:\s(?:has|had|have|also|then|later|once|recently|reportedly|first|even|\w+ly)){0,2}"
_SUBJECT = re.compile(
    rf"{_DESCRIBED}(?P<speaker>{_PRONOUN}|{_NOUN}|{_NAME}){_ASIDE}{_APPOSITION}{_ADVERB},?"
)
_PRONOUN_LAST = re.compile(rf"(?P<speaker>{_PRONOUN}){_ADVERB}$")
# A name behind "the" or "of" is the end of a longer subject.
_NAME_LAST = re.compile(
    rf"(?<!\b[Tt]he\s)(?<!\b(?:of|by|in|to|on|at)\s)(?<!\bfor\s)(?<!\b(?:from|with)\s)"
    rf"(?P<speaker>{_NAME}){_ASIDE}{_ADVERB}$"
)
_NOUN_LAST = re.compile(rf"(?P<speaker>{_NOUN}){_ASIDE}{_ADVERB}$")
_OPENER = re.compile(r"^(?:But|And|Meanwhile|However|Still),?\s")
_SOURCE = "according to "

_VERBS = (
    "said says say told tells tell added adds asked asks wrote writes tweeted tweets replied"
    " replies explained explains stated states declared declares announced announces claimed claims"
    " argued argues noted notes insisted insists warned warns recalled recalls continued continues"
    " concluded concludes admitted admits acknowledged acknowledges suggested suggests joked jokes"
    " quipped remarked observed observes commented comments responded responds answered answers"
    " shouted shouts cried cries whispered yelled exclaimed asserted asserts averred contended"
    " contends complained complains lamented predicted predicts promised promises vowed vows"
    " confirmed confirms testified stressed stresses emphasised emphasized reiterated repeated"
    " countered agreed agrees advised advises urged urges read reads reported reports".split()
)
_VERB = re.compile(rf"\b(?:{'|'.join(_VERBS)})\b")
_RUNS_ON = (",", "?", "!", "…", "...", "—", "–", "-")  # how a quotation ends inside a sentence
_SENTENCE_END = re.compile(
    "".join(rf"(?<!\b{title})" for title in _TITLES) + r"(?<!\b[A-Z])[.!?]['’\")]?\s"
)
_HANDS_OVER = re.compile(r"(?:[.,!?…—–-]|ing:?)$")
# From the verb to the opening mark: nothing, or whom it was told, or where and when it was said.
_LEADS_IN = re.compile(
    r"(?:(?:(?<=told)|(?<=tells)|(?<=asked)|(?<=warned)|(?<=urged)"
    r"|\s(?:in|on|at|to|of|during|after|before|via|by|from|last|this|later|earlier|yesterday)\b)"
    r"(?!.*\b(?:is|was|were|are|has|had|would|will)\b)[^.;:!?]{0,100}(?:[:,]|\sthat)"
    r"|\s*[:,]?|\s+that,?|,?\s+[–—-])\s*"
)
