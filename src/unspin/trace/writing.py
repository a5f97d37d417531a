"""How does an index come to be, and how is it changed? Building it, adding to it, removing.

    killed while it is built     there is no index of that name, or the one that it was to replace;
                                 what is left lies beside it, and the next build removes it
    ... while it takes the name  there is none, or one of the two; the next build puts the old one
    of another one               back, if there is none
    killed while one adds to it  it is as it was before; the same command adds everything
    killed after that            all is there, and tantivy tidies up when it is written to next

A writer holds tantivy's lock, which ends with its process.
"""

from __future__ import annotations

import glob
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from unspin.scan import records
from unspin.scan.job import Advance, ScanError, Shard
from unspin.scan.manifest import TEMPORARY
from unspin.scan.run import nested
from unspin.trace import articles, folder, store
from unspin.trace.articles import Article, Named, Skipped, TraceError

if TYPE_CHECKING:
    import tantivy

_HEAP_BYTES = 128_000_000  # what tantivy collects before it writes a segment
_MIN_HEAP_BYTES = 15_000_000  # less is refused

# What the dictionary is trained on.
_SAMPLES = 1_000  # twice as many take 0.3 s more, and 0.1 % less room
_SAMPLES_CHARACTERS = 10_000_000
_MIN_SAMPLES = 100
_WORDS_BYTES = 112_640

_OLD = ".old"


class Added(NamedTuple):
    """What came of the articles that were to be added.

    Of `articles` those in `replaced` took the place of one with the same id, which can have been
    among them; `skipped` says how many were left out for which reason; `bytes` are those of the
    texts.
    """

    articles: int
    replaced: int
    skipped: Counter[str]
    bytes: int


def build(
    inputs: Sequence[str],
    out: Path,
    named: Named = Named(),  # noqa: B008 - it cannot change
    *,
    overwrite: bool = False,
    advance: Callable[[Advance], None] = articles.quiet,
) -> Added:
    """Build an index of the articles of files, folders, patterns and addresses.

    It has its name once it is whole.

    Args:
        inputs: what holds the articles.
        out: the folder that the index will be.
        named: the fields or columns of the articles; detected where not named.
        overwrite: put it in the place of an index that is there.
        advance: is told of every batch that was read, and of every file.

    Raises:
        TraceError: an input cannot be read, no article is in it, or the index cannot be written.
    """
    if out.is_symlink() or not out.name:
        out = out.resolve()  # it is renamed, which a link and "." cannot be
    libraries = folder.libraries()
    with _saving(out):
        _sweep(out)
    _refuse(out, overwrite=overwrite)
    shards = articles.find(inputs)
    _keep_apart(inputs, shards, out)
    with _beside(out) as temporary, _saving(out):
        (temporary / folder.TANTIVY).mkdir()
        index = libraries.tantivy.Index(store.schema(), str(temporary / folder.TANTIVY))
        with _writing(index, out) as writer:
            found = articles.read(shards, named, advance)
            first = _first(found)
            words = _trained(first)
            added = _put(chain(first, found), index, writer, store.Codec(words))
            if not added.articles:
                raise TraceError(f"no article to index in {', '.join(inputs)}{_told(added)}")
        folder.write_settings(temporary, words)
        _name(temporary, out)
    return added


def add(
    inputs: Sequence[str],
    index: Path,
    named: Named = Named(),  # noqa: B008
    *,
    advance: Callable[[Advance], None] = articles.quiet,
) -> Added:
    """Add articles to an index, all of them or, if something is wrong, none.

    Those whose ids are there replace what has them. Who has opened the index sees them when it
    opens it again.

    Raises:
        TraceError: an input cannot be read, or there is no index that can be written to.
    """
    folder.read_settings(index)
    shards = articles.find(inputs)
    _keep_apart(inputs, shards, index)
    opened = folder.open_tantivy(index)
    with _saving(index), _writing(opened, index) as writer:
        # Read once nobody can put another index in its place any more.
        codec = store.Codec(folder.read_words(index, folder.read_settings(index)))
        return _put(articles.read(shards, named, advance), opened, writer, codec)


def remove(ids: Iterable[str], index: Path) -> int:
    """Remove the articles of these ids from an index; return how many of them were there.

    Raises:
        TraceError: there is no index that can be written to.
    """
    folder.read_settings(index)
    opened = folder.open_tantivy(index)
    with _saving(index), _writing(opened, index) as writer:
        before = _count(opened)
        for id_ in ids:
            writer.delete_documents_by_term("id", records.encodable(id_))
        writer.commit()
        return before - _count(opened)


def _put(
    found: Iterable[Article | Skipped],
    index: tantivy.Index,
    writer: tantivy.IndexWriter,
    codec: store.Codec,
) -> Added:
    """Add articles and commit."""
    before = _count(index)
    searcher = index.searcher()
    number = size = 0
    skipped: Counter[str] = Counter()
    seen: set[bytes] = set()
    for article in found:
        if isinstance(article, Skipped):
            skipped[article.reason] += 1
            continue
        # Only what may be there: tantivy keeps in memory what it is to delete.
        key = blake2b(article.id.encode(), digest_size=8).digest()
        if key in seen or (before and searcher.doc_freq("id", article.id)):
            writer.delete_documents_by_term("id", article.id)
        seen.add(key)
        slice_ = (before + number) // store.SLICE % store.SLICES
        for document in store.documents(article, codec, slice_):
            writer.add_document(document)
        number += 1
        size += len(article.text.encode())
    if number:
        writer.commit()
    return Added(number, before + number - _count(index), skipped, size)


def _count(index: tantivy.Index) -> int:
    index.reload()
    return store.articles(index.searcher(), index.schema)


def _told(added: Added) -> str:
    reasons = [f"{count:,} × {reason}" for reason, count in added.skipped.most_common(3)]
    return f" ({'; '.join(reasons)})" if reasons else ""


# --- the writer


@contextmanager
def _writing(index: tantivy.Index, path: Path) -> Iterator[tantivy.IndexWriter]:
    """Hold an index as its only writer; what was not committed is forgotten.

    Raises:
        TraceError: another one holds it.
    """
    writer = _locked(index, path)
    try:
        # What a killed commit has left would have the names of what this one is to write.
        writer.garbage_collect_files()
        yield writer
    except BaseException:
        with suppress(ValueError):
            writer.rollback()
            writer.garbage_collect_files()
        raise
    finally:
        # It ends the threads, and the lock; what failed in them has been raised.
        with suppress(ValueError):
            writer.wait_merging_threads()


def _locked(index: tantivy.Index, path: Path, heap: int = _HEAP_BYTES) -> tantivy.IndexWriter:
    try:
        return index.writer(heap, 1)
    except ValueError as error:
        if "LockBusy" not in str(error):
            raise
        raise TraceError(
            f"another process is writing to {path}: run this again when it has ended"
        ) from None


@contextmanager
def _saving(path: Path) -> Iterator[None]:
    """Say of what goes wrong with tantivy or the disk here that the index cannot be written."""
    try:
        yield
    except ScanError as error:
        raise TraceError(str(error)) from error
    except (OSError, ValueError) as error:
        reason = str(error)
        if "writer was killed" in reason:
            # All that tantivy tells of a full disk.
            reason = "there is no room for it, or a file cannot be written for another reason"
        raise TraceError(
            f"{path} cannot be written: {reason}; nothing was changed, and what was there stays"
        ) from error


# --- the dictionary


def _first(found: Iterator[Article | Skipped]) -> list[Article | Skipped]:
    """As many of the first articles as a dictionary is trained on."""
    first: list[Article | Skipped] = []
    characters = 0
    for article in found:
        first.append(article)
        characters += len(article.text) if isinstance(article, Article) else 0
        if len(first) >= _SAMPLES or characters >= _SAMPLES_CHARACTERS:
            break
    return first


def _trained(found: Sequence[Article | Skipped]) -> bytes | None:
    """A dictionary for texts like these; None if they are too few to make one."""
    zstandard = folder.libraries().zstandard
    samples = [
        store.split(article.text)[0].encode() for article in found if isinstance(article, Article)
    ]
    if len(samples) < _MIN_SAMPLES:
        return None
    size = min(_WORDS_BYTES, sum(map(len, samples)) // 20)
    try:
        words: bytes = zstandard.train_dictionary(size, samples).as_bytes()
    except zstandard.ZstdError:
        # So it says of texts that have too little in common, or too much.
        return None
    return words


# --- the folder


def _refuse(out: Path, *, overwrite: bool) -> None:
    """See to it that nothing is lost in whose place the index would be.

    Raises:
        TraceError: something is there.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise TraceError(f"{out} is no folder: name one for the index with -o")
    if not any(out.iterdir()):
        return
    if not (out / folder.INDEX).exists():
        raise TraceError(f"{out} is not empty, and no index: name a new folder with -o")
    if not overwrite:
        raise TraceError(
            f"{out} is an index already: add to it with `unspin index add`, or build it anew with"
            " --overwrite"
        )


def _keep_apart(inputs: Sequence[str], shards: Sequence[Shard], out: Path) -> None:
    """See to it that no index is taken for articles, now or the next time.

    Raises:
        TraceError: one lies in the other.
    """
    target = out.resolve()
    for name in (*inputs, *(path for shard in shards for path in shard.paths)):
        lies = nested(name, target)
        if lies == "in":
            raise TraceError(f"the input {name} lies in the index {out}: name another folder")
        if lies == "around":
            raise TraceError(
                f"the index {out} lies in the input {name}, where it would be taken for articles:"
                " name a folder elsewhere"
            )


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder beside the index that will be, which is gone afterwards if it was not renamed.

    Raises:
        TraceError: it cannot be written.
    """
    temporary = out.parent / f".{out.name}.{uuid4().hex}{TEMPORARY}"
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise TraceError(f"{out} cannot be written: {error.strerror or error}") from None
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(out: Path) -> None:
    """Remove what builds have left that were killed, and put back what they had put aside.

    Raises:
        TraceError: one of them is still building.
    """
    # Whole digests, for an index can be called "news" and another "news.old".
    pattern = f".{glob.escape(out.name)}." + "[0-9a-f]" * 32
    for left in out.parent.glob(f"{pattern}{_OLD}{TEMPORARY}"):
        if not out.exists():
            left.rename(out)
    for left in out.parent.glob(f"{pattern}{TEMPORARY}"):
        with _alone(left, out):
            left.unlink() if left.is_symlink() else shutil.rmtree(left)


def _name(temporary: Path, out: Path) -> None:
    """Give an index its name, and remove the one that has it."""
    if not (out / folder.INDEX).exists():
        temporary.rename(out)
        return
    old = temporary.with_name(temporary.name.removesuffix(TEMPORARY) + _OLD + TEMPORARY)
    with _alone(out, out):
        out.rename(old)
        temporary.rename(out)
    # The index is in its place by now; what cannot be removed is swept up by the next build.
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _alone(path: Path, out: Path) -> Iterator[None]:
    """Hold what may be an index as its only writer.

    Raises:
        TraceError: another one holds it.
    """
    writer = None
    # What cannot be opened cannot be written to by anybody either.
    with suppress(ValueError):
        index = folder.libraries().tantivy.Index.open(str(path / folder.TANTIVY))
        writer = _locked(index, out, _MIN_HEAP_BYTES)
    try:
        yield
    finally:
        if writer is not None:
            writer.wait_merging_threads()
