"""Folders of texts, read as documents and split into training, validation and test."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.artefacts import file_hash, fingerprint
from pipeline.errors import UserError
from pipeline.lyrics.texts import Texts
from pipeline.lyrics.verse import Document, Speller, parse
from pipeline.places import PROGRAM

OWN_LYRICS = PROGRAM / "data" / "lyrics"
"""The lyrics written for this project."""
SUFFIXES = {".txt", ".md"}
MAX_BYTES = 50_000_000
"""Larger files are skipped: the text is held in memory."""
MIN_CHARACTERS = 5_000
"""Less text than this teaches a model nothing but itself."""
MIN_DOCUMENTS = 3
"""One for each side of the split."""
HELD_OUT = 0.05
"""Share of the documents held out for validation, and again for test."""

CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u00b4`", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013", "-"),
        **dict.fromkeys("\u00a0\u2000\u2002\u2003\u2009\u200a\u202f\u3000\t", " "),
        **dict.fromkeys("\u200b\u200c\u200d\ufeff\u00ad\r", ""),
        "\u2014": " - ",
        "\u2026": "...",
    }
)


@dataclass(frozen=True)
class Corpus:
    """Documents by side of the split, and the files that could not be used (path and reason)."""

    training: tuple[Document, ...]
    validation: tuple[Document, ...]
    test: tuple[Document, ...]
    skipped: tuple[tuple[Path, str], ...]

    @property
    def num_characters(self) -> int:
        """Characters of all lines of all documents."""
        return sum(document.num_characters for document in (*self.training, *self.validation, *self.test))


def text_files(path: str | None) -> list[Path]:
    """The files that `lyrics.path` names, sorted; a folder is searched to the bottom for .txt and .md.

    Raises
    ------
    UserError
        When there is no such path, or no text file in it.
    """
    place = OWN_LYRICS if path is None else Path(path).expanduser()
    if not place.exists():
        raise UserError(f"lyrics.path={place} does not exist; give a text file or a folder of .txt or .md files.")
    if place.is_file():
        return [place]
    files = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise UserError(f"lyrics.path={place} holds no .txt or .md file; give a folder of texts or one text file.")
    return files


def files_fingerprint(path: str | None) -> str:
    """Fingerprint of the bytes of all text files, whatever their names."""
    return fingerprint(sorted(file_hash(file) for file in text_files(path)))


def read_corpus(path: str | None) -> Corpus:
    """Read, clean, parse and split the texts at `path`.

    Raises
    ------
    UserError
        When there is nothing usable, or too little of it.
    """
    documents: dict[str, Document] = {}
    skipped: list[tuple[Path, str]] = []
    files = text_files(path)
    for file in files:
        try:
            found = parse(clean(read_text(file)))
        except ValueError as error:
            skipped.append((file, str(error)))
            continue
        if not found:
            skipped.append((file, "no words in it"))
        for document in found:
            documents.setdefault(document.digest, document)
    place = OWN_LYRICS if path is None else path
    if not documents:
        file, reason = skipped[0]
        raise UserError(f"lyrics.path={place} holds no usable text: {file.name}: {reason}.")
    total = sum(document.num_characters for document in documents.values())
    if total < MIN_CHARACTERS or len(documents) < MIN_DOCUMENTS:
        raise UserError(
            f"lyrics.path={place} holds {total:,} characters in {len(documents)} texts; a language model needs at "
            f"least {MIN_CHARACTERS:,} in {MIN_DOCUMENTS} texts, and starts to be readable at about 100,000."
        )
    training, validation, test = split(documents.values())
    return Corpus(training, validation, test, tuple(skipped))


def texts_of(corpus: Corpus) -> Texts:
    """All documents encoded, spelt by what the training side teaches about names."""
    speller = Speller.of(corpus.training)
    training, validation, test = (
        [*map(speller.document, side)] for side in (corpus.training, corpus.validation, corpus.test)
    )
    return Texts.of(training, validation, test)


def split(documents: Iterable[Document]) -> tuple[tuple[Document, ...], tuple[Document, ...], tuple[Document, ...]]:
    """Training, validation and test: 90/5/5 in the order of the documents' hashes, at least one each held out."""
    ranked = sorted(documents, key=lambda document: document.digest)
    held = max(1, round(HELD_OUT * len(ranked)))
    return tuple(ranked[2 * held :]), tuple(ranked[:held]), tuple(ranked[held : 2 * held])


def read_text(path: Path) -> str:
    """The UTF-8 text of a file; `ValueError` says why it can't be used."""
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES // 1_000_000} MB; cut it into smaller files")
    data = path.read_bytes()
    if not data.strip():
        raise ValueError("empty")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError("UTF-16, not UTF-8; save it again as UTF-8")
    control = sum(data.count(byte) for byte in (*range(9), *range(14, 32), 127))
    if b"\0" in data or control > 0.01 * len(data):
        raise ValueError("not a text (binary data)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = data[error.start]
        raise ValueError(
            f"not UTF-8 (byte 0x{byte:02x} at position {error.start:,}); save it again as UTF-8"
        ) from error


def clean(text: str) -> str:
    """One kind of quotes, dashes and spaces; no control characters; at most one blank line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(CHARACTERS)
    text = re.sub(r"[^\S\n]+", " ", re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", "", text))
    text = "\n".join(line.strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()
