"""Cleaner of texts, block by block: markup and times out of all, chords and what lyric sites add out of songs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.lyrics.cleaning.chords import without_chords
from pipeline.lyrics.cleaning.lyric_sites import without_site
from pipeline.lyrics.cleaning.markup import is_page, page_text, without_markup
from pipeline.lyrics.cleaning.mojibake import repair_mojibake
from pipeline.lyrics.cleaning.section_headings import with_tags
from pipeline.lyrics.cleaning.tally import CleaningTally
from pipeline.lyrics.cleaning.timed_lyrics import without_times

INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


def cleaned(blocks: Iterable[str], kind: str, tally: CleaningTally) -> Iterator[str]:
    """The words of one text, which comes in blocks of whole lines; a clean one is not changed by a letter.

    Parameters
    ----------
    blocks
        The text as it stands in the file.
    kind
        `song`, `essay` or `book`: of the last two only what can't be prose is cleaned.
    tally
        Counts what is removed and repaired.
    """
    found = CleaningTally()
    rest = iter(blocks)
    for block in rest:
        if is_page(block):  # its end may say what its beginning is
            page, repaired = repair_mojibake(block + "".join(rest))
            found.repair("character of mojibake", repaired)
            found.repair("saved web page")
            text = page_text(page)
            yield clean_text(
                text if kind == "song" else text.replace("# Title: ", "# " if kind == "essay" else "", 1), kind, found
            )
        else:
            yield clean_text(block, kind, found)
    tally.add(found)


def clean_text(text: str, kind: str, tally: CleaningTally) -> str:
    """One block of `cleaned`."""
    text, repaired = repair_mojibake(text)
    tally.repair("character of mojibake", repaired)
    if kind == "song" and not text.isascii():
        for letter in INVISIBLE:
            text = text.replace(letter, "")
        text = text.replace("\u00a0", " ")
    text = without_times(without_markup(text, tally), kind == "song", tally)
    if kind != "song":
        return text
    return with_tags(without_site(without_chords(text, tally), tally), tally)
