"""Which lines of a page are no part of its article?

Counters, credits, share lines, captions that are no sentence: they are reported and never
edited. A line is only called furniture on positive evidence, since an article's line that is
set apart by mistake is never restored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from unspin.text import foreign

MAX_LINE = 300  # characters; whatever is longer is a paragraph


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and reason of every line of furniture, without the white space around it.

    >>> text = "Bridge closed\\n\\nShare this on Facebook\\n\\nIt shut at noon.\\nSource Al Jazeera"
    >>> [(text[start:end], reason) for start, end, reason in find(text)]
    [('Share this on Facebook', 'share line'), ('Source Al Jazeera', 'source credit')]
    """
    first = True
    for match in re.finditer(r"[^\r\n]+", text):
        line = match[0].strip()
        if not line:
            continue
        reason = why(line, first=first)
        first = False
        if reason is not None:
            start = match.start() + match[0].index(line)
            yield start, start + len(line), reason


def why(line: str, *, first: bool = False) -> str | None:
    """Return the reason why a line is furniture, or None where it is the article's.

    The `first` line of a page is its headline, which looks like a caption or a credit.

    >>> why("Trending now 5"), why("Trending now is a film about trains.")
    ('trending counter', None)
    """
    if len(line) <= MAX_LINE:
        words = frozenset(re.findall(r"[^\W\d_]+", line.lower()))
        for marks, vocabulary, reason in _VOCABULARIES:
            if words & marks and words <= vocabulary and not line.endswith((".", "?")):
                return reason
        if re.search(r"\d", line) and words <= _DATE_WORDS:
            return "date line" if words else None
        for pattern, reason in _PATTERNS:
            if pattern.fullmatch(line):
                return reason
        if not first and (credit := _credit(line)):
            return credit
    return "another language" if foreign(line) else None


# A line made of nothing but these words, one of the marks among them.
_NETWORKS = frozenset(
    "facebook twitter whatsapp telegram linkedin reddit pinterest instagram youtube tiktok threads"
    " messenger flipboard bluesky mastodon".split()
)
_SHARE_MARKS = _NETWORKS | {"share", "shares", "tweet", "retweet"}
_SHARE_WORDS = _SHARE_MARKS | frozenset(
    "x print email e mail save copy link like likes send follow us me this on via to the article"
    " story post page with by friends your a and or now news".split()
)
_TIMES = frozenset("ago second minute hour day week month year".split())
_TIMES |= {time + "s" for time in _TIMES} | frozenset(
    "min mins hr hrs sec secs yang lalu menit jam hari minggu bulan tahun".split()
)
_TRENDING_WORDS = _TIMES | {"sedang", "trending", "now", "in", "on"}
_DATE_WORDS = _TIMES | frozenset(
    "january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
    " monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri"
    " sat sun am pm a p m gmt utc est edt pst pdt cet bst ist"
    " published updated posted modified on at last date time read reading"
    " st nd rd th of".split()
)
_VOCABULARIES = (
    (_SHARE_MARKS, _SHARE_WORDS, "share line"),
    (frozenset(["trending"]), _TRENDING_WORDS, "trending counter"),
)

_NAME = r"(?-i:[A-Z][\w’'.&-]*)"
_END = r"(?:\s*[:»>›→…|–-].*|\.{3})?"  # nothing more, or a mark and the title it points to
# What the whole of a line says, one pattern a line.
_LINES = {
    "link line": rf"""
        (?:read|see|watch|listen)(?: (?:more|also|next|now))+{_END}
        (?:also|must) (?:read|see|watch){_END}
        read (?:the )?(?:full|original|whole) (?:story|article|post)\b[^.?!]{{0,80}}
        (?:related|similar|more|latest|popular|top) (?:articles|stories|posts|news|links){_END}
        related(?: (?:content|coverage|reading|topics))?{_END}
        (?:recommended|more) for you|you (?:may|might) (?:also )?like.{{0,20}}
        more (?:from|in|on)(?: (?:{_NAME}|this story|the)){{1,5}}
        (?:skip|jump|back) to (?:main )?(?:content|navigation|top|search)
        (?:continue|keep) reading.{{0,40}}
        (?:story|article) continues (?:below|after).{{0,40}}
        click here\b.{{0,80}}
        """,
    "share line": r"follow (?:us|our) .{1,80}",
    "subscribe line": r"""
        subscribe(?: now| today)?!?
        (?:subscribe|sign up|register)\b.*\b(?:newsletters?|notifications|channel|inbox)\b.*
        """,
    "advertisement": r"""
        (?:paid )?advertise(?:ments?|r content)
        sponsored(?: content| by .{1,40})?|promoted(?: content)?
        """,
    "copyright line": r"""
        (?:copyright\b|©|\(c\) ?\d{4}).*
        .{0,120}\ball rights reserved\.?
        (?:terms (?:of (?:use|service)|and conditions)|privacy (?:policy|notice))(?:\W.{0,60})?
        """,
    "cookie line": r"""
        (?:we|this (?:web)?site) uses? cookies\b.*
        by (?:continuing|clicking|using)\b.*\bcookies\b.*
        (?:accept|reject|manage)(?: all)?(?: cookies)?
        cookie (?:policy|settings|preferences|notice)
        """,
    "comment line": r"""
        (?:\d+ )?comments?(?: \(?\d+\)?)?
        (?:leave|post|add|write) a (?:comment|reply)
        """,
    "tag line": r"(?:tags?|categor(?:y|ies)|filed under|posted in)(?:: ?| ).{1,120}(?<![.?!])",
    "byline": rf"(?:(?:written|reported|posted|published) )?by:?(?:,? (?:{_NAME}|and|in)){{2,6}}",
}
_PATTERNS = tuple(
    (re.compile("|".join(map(str.strip, patterns.strip().splitlines())), re.IGNORECASE), reason)
    for reason, patterns in _LINES.items()
)

_SOURCE = re.compile(
    rf"source(?:: ?[^.?!]{{1,60}}|(?: (?:{_NAME}|of|the|and|for)){{1,5}})", re.IGNORECASE
)
_CAPTION = re.compile(
    r"(?:^|[\[(\s])(?:file |)(?:photos?|images?|pictures?|credits?|file|illustration)"
    r"(?: by| credit| courtesy)?(?: ?[:/|]| by | courtesy )"
    r"|getty images|shutterstock|/(?:AP|AFP|EPA|Getty|Reuters)\b|\b(?:AP|AFP|Reuters) photo",
    re.IGNORECASE,
)


def _credit(line: str) -> str | None:
    if _SOURCE.fullmatch(line):
        return "source credit"
    # A caption with a full stop is a sentence, and sentences are restored.
    if len(line.split()) <= 25 and not re.search(r"[.?!]['\"’”)\]]*(?:\s|$)", line):
        return "caption" if _CAPTION.search(line) else None
    return None
