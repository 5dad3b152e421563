"""The stems that the drum network learns from: drawn from folders of MIDI files, rendered once, kept on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.progress import bar
from pipeline.transcription.drums.kit import CLOSED_HAT, KICK, SNARE
from pipeline.transcription.drums.sampled_kits import Kit, find_kits, read_kit
from pipeline.transcription.drums.stems import HELD_OUT, Passage, Stem, drum_stem, music_stem, read_notes, share_of

FEWEST_NOTES = 20
"""A file with fewer notes of a kind has no stem of that kind."""

TRIES = 200
"""Files looked at for one stem before giving up."""

VALIDATION_SHARE = 1
"""The share of files by which thresholds are set."""


@dataclass(frozen=True)
class Material:
    """Stems: drums and music to learn from, and of other files to set thresholds by."""

    drums: list[Stem]
    music: list[Stem]
    other_drums: list[Stem]
    other_music: list[Stem]


@dataclass(frozen=True)
class Library:
    """Where stems come from: MIDI files by folder, SoundFonts and sampled kits."""

    folders: Sequence[Sequence[Path]]
    soundfonts: Sequence[Path]
    kits: Sequence[Path]

    def share(self, wanted: Sequence[int]) -> Library:
        """The same with the files of some shares only, without folders that have none."""
        folders = [[path for path in folder if share_of(path) in wanted] for folder in self.folders]
        return Library([folder for folder in folders if folder], self.soundfonts, self.kits)


def find_library(folders: Sequence[Path], soundfonts: Sequence[Path], kits: Sequence[Path]) -> Library:
    """The MIDI files below each folder and the kits below each directory.

    Raises
    ------
    UserError
        A folder holds no MIDI file or no kit, or a SoundFont can't be read.
    """
    found = []
    for folder in folders:
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
        if not files:
            raise UserError(f"--midi {folder}: there is no MIDI file below it.")
        found.append(files)
    complete = [path for directory in kits for path in find_kits(directory) if _is_complete(read_kit(path))]
    return Library(found, [soundfont_path(str(path)) for path in soundfonts], complete)


def make_material(library: Library, drums: int, music: int, seed: int, cache: Path | None) -> Material:
    """Render `drums` and `music` stems to learn from and an eighth as many to set thresholds by.

    Raises
    ------
    UserError
        The MIDI files have too few drum notes or too few other notes.
    """
    teaching = library.share(range(VALIDATION_SHARE + 1, HELD_OUT))
    checking = library.share([VALIDATION_SHARE])
    if not (teaching.folders and checking.folders):  # a handful of files
        teaching = checking = library
    return Material(
        make_stems(teaching, "drums", drums, seed, cache),
        make_stems(teaching, "music", music, seed + 1, cache),
        make_stems(checking, "drums", max(drums // 8, 1), seed + 2, cache),
        make_stems(checking, "music", max(music // 8, 1), seed + 3, cache),
    )


def make_stems(library: Library, kind: str, number: int, seed: int, cache: Path | None) -> list[Stem]:
    """So many stems of a kind, `drums` or `music`; each depends on the library, the seed and its number only."""
    names = [str(path) for files in (*library.folders, library.soundfonts, library.kits) for path in files]
    identity = hashlib.sha256("\n".join([kind, str(seed), *names]).encode()).hexdigest()[:12]
    stems = []
    for index in bar(range(number), number, f"{kind} to hear", "stem"):
        path = cache / f"{kind}-{identity}-{index:04d}.npz" if cache else None
        stems.append(_kept(path) or _render(library, kind, np.random.default_rng((seed, index)), path))
    return stems


def _kept(path: Path | None) -> Stem | None:
    """The stem in a file, where there is one."""
    if path is None or not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as file:
        return Stem(file["log_power"], file["hits"])


def _render(library: Library, kind: str, random: np.random.Generator, path: Path | None) -> Stem:
    """One stem of a kind, also written to `path`."""
    notes = _draw(library, kind, random)
    soundfont = library.soundfonts[int(random.integers(len(library.soundfonts)))]
    if kind == "music":
        stem = music_stem(notes.pitched, soundfont, random)
    elif library.kits and random.random() < 0.5:
        kit = read_kit(library.kits[int(random.integers(len(library.kits)))])
        stem = drum_stem(notes.drums, kit, random)
    else:
        stem = drum_stem(notes.drums, soundfont, random)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        with partial.open("wb") as file:
            np.savez(file, log_power=stem.log_power, hits=stem.hits)
        partial.replace(path)
    return stem


def _draw(library: Library, kind: str, random: np.random.Generator) -> Passage:
    """The notes of a random file that has enough of a kind, each folder as often as the others."""
    for _ in range(TRIES):
        folder = library.folders[int(random.integers(len(library.folders)))]
        notes = read_notes(folder[int(random.integers(len(folder)))])
        if notes is not None and len(notes.drums if kind == "drums" else notes.pitched) >= FEWEST_NOTES:
            return notes
    what = "drum notes" if kind == "drums" else "notes other than drums"
    raise UserError(f"The MIDI files have too few {what} to learn from: name more with --midi.")


def _is_complete(kit: Kit) -> bool:
    """Whether a kit has what every drummer plays."""
    return {KICK, SNARE, CLOSED_HAT} <= kit.drums.keys()
