"""Texts of any kind and size: read, split into training, validation and test, and encoded.

In memory that does not grow with the text: files become documents in a disk buffer, the characters and names of the
training side are counted, then all become tokens. The tokens of a large corpus lie in files that are mapped, and serve
again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import UserError
from pipeline.files import fingerprint, require_space
from pipeline.lyrics.cleaning.tally import CleaningTally
from pipeline.lyrics.corpus.csv_tables import TABLE, is_table
from pipeline.lyrics.corpus.disk_buffer import DiskBuffer, Numbers
from pipeline.lyrics.corpus.document_reader import NUM_PIECES, DocumentReader
from pipeline.lyrics.corpus.encoded_texts import EncodedTexts, StoredTexts, TextSplit, load_texts, store_texts
from pipeline.lyrics.corpus.song_lyrics import Speller
from pipeline.lyrics.corpus.text_files import OWN_LYRICS, file_size, files_fingerprint, text_files
from pipeline.lyrics.corpus.vocabulary import SUBWORD_SAMPLE, Characters, Subwords, Vocabulary
from pipeline.progress import counter
from pipeline.settings.lyrics import LyricsSettings

CORPUS_FORMAT = 2
"""Number of the way in which texts are read: what is kept of another is read anew."""
LARGE = 20_000_000
"""Bytes of text from which on tokens lie in files, and progress is shown."""
MIN_CHARACTERS, MIN_FINE_TUNING = 5_000, 500
"""Less text than this teaches a model nothing but itself; the second where it goes on from another's checkpoint."""
MIN_DOCUMENTS = 3
"""One for each side of the split."""
NAMES_SAMPLE = 5_000_000
"""Characters of the training side that names are learnt from."""
TOKENS_FOLDER = "texts"
"""Where the tokens of a large corpus lie."""


@dataclass(frozen=True)
class TextCorpus:
    """Encoded texts, and what was left out of them.

    Attributes
    ----------
    texts
        The documents by side, encoded; those of a large corpus are mapped from files.
    skipped
        Files, and rows of tables, that could not be used: path and reason.
    titles
        Titles of documents of the training side.
    num_characters
        Of all documents, each counted once.
    cleaned
        What was removed from the texts and repaired in them.
    """

    texts: EncodedTexts
    skipped: tuple[tuple[Path, str], ...]
    titles: frozenset[str]
    num_characters: int
    cleaned: CleaningTally


def read_texts(settings: LyricsSettings, folder: Path, known: Vocabulary | None = None) -> TextCorpus:
    """Read, clean, split and encode the texts at `lyrics.path`.

    Songs are spelt as `song_lyrics.Speller` does it, essays as `essays.spell_essay`, books as `essays.spell_book`; each
    document begins with `song_lyrics.START`.

    Parameters
    ----------
    settings
        `kind`, `path`, `column`, `clean`, `model.tokens` and `model.vocabulary_size` count.
    folder
        The stage's own directory; tokens of more than `LARGE` bytes of text are kept in it.
    known
        The vocabulary of the checkpoint that is fine-tuned: characters are added to it, subwords are taken as they
        are. Then `MIN_FINE_TUNING` characters are enough.

    Raises
    ------
    UserError
        When there is nothing usable, or too little of it.
    """
    _check_known(settings, known)
    files = text_files(settings.path)
    num_bytes = sum(map(file_size, files))
    if settings.column is not None and not any(map(is_table, files)):
        raise UserError(
            f"lyrics.column={settings.column} is for {TABLE} files, but {_named_path(settings)} holds none."
        )
    key = _key(settings, known) if num_bytes > LARGE else None
    if key is not None and (kept := load_texts(folder / TOKENS_FOLDER, key)):
        return _corpus_of(kept)
    folder.mkdir(parents=True, exist_ok=True)
    require_space(folder, 4 * num_bytes if key else 0, "Reading the texts")
    with DiskBuffer(folder) as buffer:
        skipped, tally = _read_files(files, num_bytes, settings, buffer)
        num_characters = int(buffer.sizes.sum())
        if len(buffer) < NUM_PIECES and num_characters < num_bytes // 2:
            # most of the bytes were no text of ours: the pieces have to be smaller
            buffer.cut(0)
            skipped, tally = _read_files(files, num_characters, settings, buffer)
        _check_amount(settings, buffer, skipped, known is not None)
        facts = {
            "skipped": [[str(file), reason] for file, reason in skipped],
            "num_characters": int(buffer.sizes[buffer.different()].sum()),
            "cleaned": tally.to_json(),
        }
        return _corpus_of(_encode(buffer, facts, settings, known, folder / TOKENS_FOLDER if key else None, key or ""))


def _check_known(settings: LyricsSettings, known: Vocabulary | None) -> None:
    """A checkpoint's tokens can't be exchanged."""
    tokens = settings.model.tokens
    if known is not None and (tokens == "characters") != isinstance(known, Characters):
        other = "characters" if isinstance(known, Characters) else "subwords"
        raise UserError(f"lyrics.init={settings.init} reads {other}; give lyrics.model.tokens={other}, not {tokens}.")


def _named_path(settings: LyricsSettings) -> str:
    return f"lyrics.path={settings.path or OWN_LYRICS}"


def _key(settings: LyricsSettings, known: Vocabulary | None) -> str:
    """Changes when the encoded texts may."""
    model = settings.model
    size = model.vocabulary_size if model.tokens == "subwords" else None
    learnt = known and hashlib.sha256(repr([known.decode([one]) for one in range(len(known))]).encode()).hexdigest()
    return fingerprint(
        [
            CORPUS_FORMAT,
            files_fingerprint(settings),
            settings.kind,
            settings.column,
            settings.clean,
            model.tokens,
            size,
            learnt,
        ]
    )


def _read_files(
    files: Sequence[Path], num_bytes: int, settings: LyricsSettings, buffer: DiskBuffer
) -> tuple[tuple[tuple[Path, str], ...], CleaningTally]:
    """Read all files into `buffer`; gives those that can't be used, and why, and what was cleaned."""
    reader = DocumentReader(settings.kind, settings.column, num_bytes, len(files) == 1, settings.clean)
    skipped: list[tuple[Path, str]] = []
    with _shown(num_bytes, "lyrics: reading", num_bytes > LARGE) as on_bytes:
        for file in files:
            try:
                left_out = reader.read(file, buffer, on_bytes)
            except ValueError as error:
                left_out = str(error)
            if left_out:
                skipped.append((file, left_out))
    return tuple(skipped), reader.tally


@contextmanager
def _shown(num_bytes: int, label: str, is_long: bool) -> Iterator[Callable[[int], object]]:
    """Progress in megabytes, where it takes long: call what it gives with bytes."""
    if not is_long:
        yield lambda size: None
        return
    rest = 0
    with counter(round(num_bytes / 1e6), label, "MB") as count:

        def on_bytes(size: int) -> None:
            nonlocal rest
            whole, rest = divmod(rest + size, 1_000_000)
            count(whole)

        yield on_bytes


def _check_amount(
    settings: LyricsSettings, buffer: DiskBuffer, skipped: Sequence[tuple[Path, str]], is_fine_tuning: bool
) -> None:
    """Raise `UserError` when there is no text, or too little."""
    if not len(buffer):
        file, reason = skipped[0]
        more = f" ({len(skipped) - 1:,} more files can't be used either)" if len(skipped) > 1 else ""
        raise UserError(f"{_named_path(settings)} holds no usable text: {file.name}: {reason}{more}.")
    different = buffer.different()
    total = int(buffer.sizes[different].sum())
    needed = MIN_FINE_TUNING if is_fine_tuning else MIN_CHARACTERS
    if total < needed or len(different) < MIN_DOCUMENTS:
        ways = "" if is_fine_tuning else f" ({MIN_FINE_TUNING:,} with lyrics.init, which goes on from another model)"
        raise UserError(
            f"{_named_path(settings)} holds {total:,} characters in {len(different)} different texts; a language model "
            f"needs at least {needed:,} in {MIN_DOCUMENTS}{ways}, and starts to be readable at about 100,000."
        )


def _encode(
    buffer: DiskBuffer,
    facts: dict[str, Any],
    settings: LyricsSettings,
    known: Vocabulary | None,
    folder: Path | None,
    key: str,
) -> StoredTexts:
    """Split, learn the vocabulary of the training side, and encode all sides, in memory or into `folder`."""
    split = buffer.split()
    spell: Callable[[str], str] = str
    if settings.kind == "song":
        sample = buffer.texts(buffer.spread(split.training, NAMES_SAMPLE))
        spell = Speller.of(line for text in sample for line in text.split("\n")).document
    # the training side is read twice, for its vocabulary and for its tokens
    counted = buffer.spread(split.training, SUBWORD_SAMPLE) if settings.model.tokens == "subwords" else split.training
    total = int(buffer.sizes[np.concatenate([counted, split.training, split.validation, split.test])].sum())
    with _shown(total, "lyrics: encoding", folder is not None) as on_bytes:

        def spelt(numbers: Numbers) -> Iterator[str]:
            for text in buffer.texts(numbers):
                on_bytes(len(text))
                yield spell(text)

        vocabulary = _learn(spelt(counted), settings, known)
        facts = facts | {"titles": sorted(buffer.titles(split.training))}
        sides = tuple(spelt(numbers) for numbers in (split.training, split.validation, split.test))
        if folder is not None:
            return store_texts(folder, key, sides, vocabulary, facts)
        return StoredTexts(EncodedTexts(vocabulary, *(TextSplit.of(side, vocabulary) for side in sides)), facts)


def _learn(spelt: Iterator[str], settings: LyricsSettings, known: Vocabulary | None) -> Vocabulary:
    """The vocabulary of the training side, out of what is read of it."""
    if settings.model.tokens == "subwords":
        return known or Subwords.of(spelt, settings.model.vocabulary_size)
    counts: Counter[str] = Counter()
    for batch in _batches(spelt):
        codes, found = np.unique(np.frombuffer(batch.encode("utf-32-le", "replace"), dtype="<u4"), return_counts=True)
        counts.update(dict(zip(map(chr, codes.tolist()), found.tolist(), strict=True)))
    return Characters.of(counts, known.symbols) if isinstance(known, Characters) else Characters.of(counts)


def _batches(texts: Iterator[str]) -> Iterator[str]:
    """Texts joined until there is a million characters."""
    batch, filled = [], 0
    for text in texts:
        batch.append(text)
        filled += len(text)
        if filled > 1_000_000:
            yield "".join(batch)
            batch, filled = [], 0
    yield "".join(batch)


def _corpus_of(stored: StoredTexts) -> TextCorpus:
    facts = stored.facts
    skipped = tuple((Path(file), reason) for file, reason in facts["skipped"])
    cleaned = CleaningTally.of_json(facts["cleaned"])
    return TextCorpus(stored.texts, skipped, frozenset(facts["titles"]), facts["num_characters"], cleaned)
