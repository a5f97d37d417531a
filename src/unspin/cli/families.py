"""`unspin families`: files that say what a spinner prints for what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspin.cli.failures import MENDED, UNREADABLE, explained
from unspin.cli.options import IdField, TextField, tables
from unspin.cli.streams import save, say, write

if TYPE_CHECKING:
    from unspin.families import Comparison, FamilyTable
    from unspin.learn.fingerprint import Fingerprint, Share
    from unspin.learn.resemblance import Resemblance
    from unspin.scan.job import Fields

MOST_SHOWN = 20  # pairs of words

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look at, compare, try and merge families: files of what a spinner prints for what.",
)

Named = Annotated[
    str, typer.Argument(metavar="FAMILY", help="A family file, or the name of one of yours.")
]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


@app.command("list")
def own(json: Json = False) -> None:
    """List the families of your own.

    They are the files NAME.tsv in ~/.local/share/unspin/families, or in unspin/families below
    XDG_DATA_HOME, and --family knows them by NAME.

    \b
    Examples:
      unspin families list
      unspin families list --json | jq -r '.[].name'
    """
    broken = False
    with explained():
        from unspin.families import SUFFIX, FamilyError, directory, read

        rows = []
        for path in sorted(directory().glob(f"*{SUFFIX}")):
            try:
                table = read(path)
            except FamilyError as error:
                broken = True
                say(f"unspin: {error}")
                continue
            rows.append(
                {
                    "name": path.stem,
                    "pairs": len(table.entries),
                    "learned": table.learned,
                    "date": table.date,
                    "path": str(path),
                }
            )
        if json:
            _write_json(rows)
        elif rows:
            header = ("name", "pairs", "learned", "date")
            cells = [
                [f"{row[key]:,}" if key == "pairs" else str(row[key]) for key in header]
                for row in rows
            ]
            write(_aligned([header, *cells], right={1}))
        elif not broken:
            say(f"no families in {directory()}")
    if broken:
        raise typer.Exit(UNREADABLE)


@app.command()
def show(family: Named, json: Json = False) -> None:
    """Show what a family is, its habits, and the pairs of words that were seen most.

    Of its habits, as they were counted on the pages that it was learned from: how much of what
    could be replaced was. Numbers are expected ones, for none of the originals was there to see.

    \b
    Examples:
      unspin families show wave.tsv
      unspin families show wave --json | jq .habits
    """
    with explained():
        from unspin.learn.fingerprint import Fingerprint

        (table,) = tables([family])
        told, mark = _told(table), Fingerprint.read(table)
        if json:
            _write_json(told | {"fingerprint": mark and mark.to_dict()})
        else:
            write(_shown(table, told, mark))


@app.command()
def compare(one: Named, other: Named, json: Json = False) -> None:
    """Say what two families have in common, and whether they may be of one spinner.

    The probability that they are of one, as if half of all families that are compared were: by
    the words that both print for an original, and by their habits, where their files have them.

    \b
    Examples:
      unspin families compare wave.tsv ripple.tsv
      unspin families compare wave ripple --json | jq .one_spinner.probability
    """
    with explained():
        from unspin import families
        from unspin.learn.resemblance import resemblance

        pair = tables([one, other])
        found = families.compare(*pair)
        likeness = resemblance(pair[0], pair[1])
        if json:
            disagree = [disagreement._asdict() for disagreement in found.disagree]
            told = asdict(found) | {"overlap": found.overlap, "disagree": disagree}
            _write_json(told | {"one_spinner": likeness.to_dict()})
        else:
            write(_compared(pair, found, likeness))


@app.command()
def merge(
    family: Annotated[
        list[str], typer.Argument(metavar="FAMILY", help="Family files, or names of yours.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="The file for it.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What it is called.")],
    json: Json = False,
) -> None:
    """Make one family of several files of it, as different people learned them.

    Counts add up; of two files, the one that saw an original more often says more of it.

    \b
    Examples:
      unspin families merge mine.tsv yours.tsv -o wave.tsv --name wave
    """
    from unspin import families

    try:
        families.check_name(name)
    except ValueError as error:
        raise typer.BadParameter(f"--name {error}") from None
    with explained():
        merged = families.merge(tables(family), name)
        save(out, families.write(merged))
        if json:
            told = {"name": name, "pairs": len(merged.entries), "families": len(family)}
            _write_json(told | {"path": str(out)})
        else:
            from unspin.scan.summary import counted

            pairs, of = counted(len(merged.entries), "pair"), len(family)
            write(f"{pairs} of {of} {'family' if of == 1 else 'families'} written to {out}\n")


@app.command("test")
def account(
    family: Named,
    pages: Annotated[
        list[str],
        typer.Argument(
            metavar="PAGES",
            help="Files, folders, patterns or addresses: JSONL, Parquet, WARC, texts, HTML.",
        ),
    ],
    text_field: TextField = None,
    id_field: IdField = None,
    json: Json = False,
) -> None:
    """Say how much of what was spun on pages a family accounts for.

    Each page is read as with `unspin read --family`. A family that accounts for few of the
    substitutions on pages that are spun is not theirs, or not learned well.

    \b
    Examples:
      unspin families test wave.tsv pages/
      unspin families test wave crawl.jsonl.gz --json | jq .of_substitutions
    """
    from unspin.scan.job import Fields, ScanError

    broken: list[str] = []
    with explained(ScanError):
        (table,) = tables([family])
        tried = _tried(table, texts(pages, Fields(text_field, id_field), broken))
        if json:
            _write_json(tried)
        else:
            write(_accounted(tried))
    if broken:
        say(f"unspin: {', '.join(broken)} could not be read to the end; {MENDED}")
        raise typer.Exit(UNREADABLE)


def texts(pages: Sequence[str], fields: Fields, broken: list[str]) -> Iterator[str | None]:
    """The texts of pages, None for those without; of a shard that is broken the name is noted.

    Raises:
        ScanError: there are no such pages.
    """
    from unspin.scan.inputs import find
    from unspin.scan.job import Advance, ShardError
    from unspin.scan.progress import progress
    from unspin.scan.shards import read, stored

    shards = find(pages)
    with progress(len(shards), sum(map(stored, shards)), found="") as advance:
        for shard in shards:
            try:
                for some in read(shard, fields, rows=False):
                    yield from some.batch["text"].to_pylist()
                    advance(Advance(0, some.size, some.batch.num_rows))
            except ShardError as error:
                say(f"unspin: {error}")
                broken.append(shard.name)
            advance(Advance(shards=1))


def _tried(table: FamilyTable, texts: Iterable[str | None]) -> dict[str, Any]:
    """How many pages are spun, how many by the family, and its share of what was substituted."""
    import time

    from unspin.pages import PageError
    from unspin.reader import Reader
    from unspin.scan.batch import Limits

    reader = Reader(families=[table])
    pages = skipped = spun = named = 0
    substitutions = own = 0.0
    for text in texts:
        pages += 1
        try:
            reading = reader.judge(text or "", time.monotonic() + Limits().seconds)
        except PageError:
            skipped += 1
            continue
        if reading.verdict != "spun" or reading.family is None:
            continue
        spun += 1
        named += reading.family.name == table.name
        of_page = reading.rate * reading.words
        substitutions += of_page
        own += of_page * reading.family.weights.get(table.name, 0.0)
    return {
        "name": table.name,
        "pages": pages,
        "skipped": skipped,
        "spun": spun,
        "named": named,
        "substitutions": round(substitutions, 1),
        "of_substitutions": round(own / substitutions, 4) if substitutions else None,
        "left_out": reader.solver.thesaurus.left_out[table.name],
    }


# --- what is printed


def _accounted(tried: dict[str, Any]) -> str:
    from unspin.scan.summary import counted

    def of(part: float, whole: float) -> str:
        return f" ({_percent(part / whole)})" if whole else ""

    name, pages, spun, named = (tried[key] for key in ("name", "pages", "spun", "named"))
    lines = [
        f"{counted(pages, 'page')}, {spun:,} of them spun{of(spun, pages)}",
        f"{named:,} of these by {name}{of(named, spun)}",
    ]
    if spun:
        share = _percent(tried["of_substitutions"])
        lines.append(f"{share} of {tried['substitutions']:,.0f} substitutions are its own")
    if tried["skipped"]:
        lines.append(f"{counted(tried['skipped'], 'page')} could not be read")
    if tried["left_out"]:
        lines.append(
            f"{tried['left_out']:,} of its pairs are not used: the language model does not know"
            " their originals"
        )
    return "".join(f"{line}\n" for line in lines)


def _told(table: FamilyTable) -> dict[str, Any]:
    """What a family is, and its pairs that were seen most."""
    from unspin.families import digest

    entries = sorted(table.entries, key=lambda e: (-e.count, -e.probability, e.original, e.spun))
    return {
        "name": table.name,
        "language": table.language,
        "habits": table.habits,
        "learned": table.learned,
        "date": table.date,
        "licence": table.licence,
        "more": table.more,
        "pairs": len(entries),
        "originals": len({entry.original for entry in entries}),
        "phrases": sum(" " in entry.original + entry.spun for entry in entries),
        "sha256": digest(table),
        "most_seen": [entry._asdict() for entry in entries[:MOST_SHOWN]],
    }


def _shown(table: FamilyTable, told: dict[str, Any], mark: Fingerprint | None) -> str:
    keys = ("name", "language", "learned", "date", "licence")
    facts = [(key, told[key]) for key in keys if told[key]]
    facts += [("habits" if not i else "", habit) for i, habit in enumerate(table.habits)]
    facts += [line for line in table.more if line[0] not in _habit_lines()]
    if mark is not None:
        half = f"{_percent(mark.low)} to {_percent(mark.high)}"
        facts.append(("rate", f"{_percent(mark.rate)} of the words, on half of the pages {half}"))
    phrases = f", {told['phrases']:,} of them phrases" if told["phrases"] else ""
    facts.append(("pairs", f"{told['pairs']:,} for {told['originals']:,} originals{phrases}"))
    facts.append(("sha256", told["sha256"]))
    parts = [_aligned(facts)]
    if mark is not None:
        parts.append(_counted(mark))
    pairs = [
        (e["original"], e["spun"], f"{e['probability']:.4g}", f"{e['count']:,.10g}")
        for e in told["most_seen"]
    ]
    if pairs:
        header = ("original", "spun", "probability", "count")
        parts.append(_aligned([header, *pairs], right={2, 3}))
    return "\n".join(parts)


def _habit_lines() -> tuple[str, ...]:
    from unspin.learn.fingerprint import KEYS

    return KEYS


def _counted(mark: Fingerprint) -> str:
    """What was replaced, of what there was."""
    rows: list[tuple[str, Share]] = [
        ("commonest words", mark.frequent),
        ("base forms", mark.lemmas),
        ("inflected words", mark.inflected),
        ("capitals, of those expected", mark.capitals),
        ("beside punctuation, of those expected", mark.touching),
        ("phrases, of all that was replaced", mark.phrases),
        ("original's ending kept, of inflected words", mark.inflects),
        ("originals seen often, of all that was replaced", mark.explained),
        ("by the usual word, of originals seen often", mark.one_word),
    ]
    cells = [
        (what, f"{share.part:,.0f}", f"{share.whole:,.0f}", _percent(share.ratio))
        for what, share in rows
        if share.whole
    ]
    return _aligned([("", "replaced", "of", "share"), *cells], right={1, 2, 3})


def _likened(found: Resemblance) -> str:
    from unspin.scan.summary import counted

    if found.differing is None:
        habits = "not in both files"
    else:
        habits = f"other {', '.join(found.differing)}" if found.differing else "alike"
    common = counted(found.common, "original")
    return _aligned(
        [
            ("of one spinner", f"with a probability of {_percent(found.probability)}"),
            ("words", f"mostly the same for {found.agreeing:,} of {common} that both replace"),
            ("habits", habits),
        ]
    )


def _percent(part: float) -> str:
    return f"{part:.0%}".replace("%", " %")


def _compared(pair: Sequence[FamilyTable], found: Comparison, likeness: Resemblance) -> str:
    from unspin.scan.summary import counted

    rows = [("", "pairs", "shared", "of its substitutions")]
    for table, pairs, part in zip(pair, found.pairs, (found.in_other, found.in_one), strict=True):
        rows.append((table.name, f"{pairs:,}", f"{found.shared:,}", _percent(part)))
    told = _aligned(rows, right={1, 2, 3}) + f"\n{_likened(likeness)}"
    if found.disagree:
        most = found.disagree[:MOST_SHOWN]
        originals = counted(len(found.disagree), "original")
        told += f"\n{originals} for which they mostly print different words"
        told += f", the {len(most)} commonest:\n" if len(most) < len(found.disagree) else ":\n"
        told += _aligned([("original", pair[0].name, pair[1].name), *most])
    return told


def _aligned(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Rows in columns of equal width, some of them at their right edges."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    flush = set(right)
    lines = []
    for row in rows:
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            blank = " " * (width - cell_len(cell))
            cells.append(blank + cell if place in flush else cell + blank)
        lines.append("  ".join(cells).rstrip())
    return "".join(f"{line}\n" for line in lines)


def _write_json(told: object) -> None:
    write(dumps(told, ensure_ascii=False) + "\n")
