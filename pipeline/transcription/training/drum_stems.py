"""Training data for drum transcription: stems of half a minute, drums and other instruments rendered apart.

Of each stem log band power and hits are kept, so that any drums are mixed with any music by adding powers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.progress import bar
from pipeline.transcription.drums.drum_map import DRUMS, SAME_DRUM
from pipeline.transcription.drums.features import band_power
from pipeline.transcription.training.rendering.midi_rendering import (
    MidiNotes,
    add_reverberation,
    midi_of,
    read_notes,
    render,
)
from pipeline.transcription.training.rendering.sampled_kits import (
    KIT_PROGRAMS,
    SampledKit,
    find_kits,
    mixed_kit,
    play_kit,
    read_kit,
)
from pipeline.transcription.training.rendering.synthetic_kits import synthetic_kit

SECONDS = 30.0
"""Length of a stem."""

ROLAND_KEYS = {22: 42, 26: 46, 58: 43}
"""The keys that General MIDI has for those of Roland's electronic drums."""

PERCUSSION_KEYS = (54, 56, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 73, 74, 75, 76, 77, 80, 81)
"""Percussion of General MIDI that is no part of a drum kit."""

EXCHANGED, MORE_PERCUSSION = 0.25, 0.4
"""Share of the drum stems in which two drums exchange their parts, and of those with more percussion."""

OTHER_INSTRUMENTS, NUM_PITCHED = 0.5, 116
"""Share of the music that is played on other instruments, and the programs (piano to woodblock) they are drawn from."""

RENDERED = 0.35
"""Share of the drum stems that a SoundFont plays as it is; the others have drums of different kits."""

SYNTHETIC_KITS = 4
"""Synthetic kits beside those of samples, from which each drum of a mixed kit is drawn."""

FLOOR = 1e-10
"""Band power that counts as silence (-100 decibels)."""

NUM_SHARES = 10
"""Number of shares that files are in, by the hashes of their names: 0 is for evaluation, 1 for validation."""

FEWEST_NOTES = 20
"""A file with fewer notes of a kind has no stem of that kind."""

MOST_VALIDATION_STEMS = 60
"""Stems of a kind to validate on, at most."""

TRIES = 200
"""Files looked at for one stem before giving up."""

VALIDATION_SHARE = 1
"""The share of files by which thresholds are set."""


@dataclass(frozen=True)
class BandPowerStem:
    """A rendered stem.

    Attributes
    ----------
    log_power
        Log band power, float16 `[frames, BANDS]`.
    hits
        Rows of seconds, number in `DRUMS`, velocity.
    """

    log_power: NDArray[np.float16]
    hits: NDArray[np.float32]


def is_held_out(path: Path) -> bool:
    """Whether a file is for evaluation rather than for training."""
    return share_of(path) == 0


def share_of(path: Path, salt: bytes = b"") -> int:
    """Which of the `NUM_SHARES` shares of all files this one is in: 0 evaluates, 1 sets thresholds, others train.

    By a hash of its name; each `salt` parts the files anew.
    """
    return int(hashlib.sha256(salt + path.name.encode()).hexdigest(), 16) % NUM_SHARES


def excerpt(notes: NDArray[np.float64], random: np.random.Generator, speed: float) -> NDArray[np.float64]:
    """Random excerpt of `SECONDS` of the notes, at so many times their speed, the first note soon."""
    if not len(notes):
        return notes
    scaled = notes.copy()
    scaled[:, :2] /= speed
    latest = max(float(scaled[:, 0].max()) - SECONDS, float(scaled[:, 0].min()))
    first = random.uniform(scaled[:, 0].min(), latest + 1e-6)
    inside: NDArray[np.float64] = scaled[(scaled[:, 0] >= first) & (scaled[:, 0] < first + SECONDS - 0.5)]
    inside[:, :2] -= first - 0.1
    inside[:, 1] = np.minimum(inside[:, 1], SECONDS)
    return inside


def drum_stem(
    notes: NDArray[np.float64],
    others: NDArray[np.float64],
    played_by: Path | SampledKit,
    random: np.random.Generator,
) -> BandPowerStem:
    """Augmented drum stem: a passage at another speed and strength, played by a SoundFont or a sampled kit.

    Now and then two drums exchange their parts, and other percussion plays what a drum of the song `others` does.
    """
    passage = _excerpt_of_drums(notes, random)
    if random.random() < EXCHANGED:
        passage[:, 2] = _exchanged(passage[:, 2], random)
    if random.random() < MORE_PERCUSSION:
        passage = np.concatenate([passage, _percussion_part(_excerpt_of_drums(others, random), random)])
    keys = passage[:, 2].astype(int)
    drum = np.array([SAME_DRUM.get(key, -key) for key in keys.tolist()], np.int16)
    known = drum > 0
    if isinstance(played_by, SampledKit):
        known &= np.isin(drum, list(played_by.drums))
        sound = play_kit(played_by, passage[:, 0], drum, passage[:, 3].astype(np.int16), random)
    else:
        passage[:, 4] = random.choice(KIT_PROGRAMS)
        sound = render(midi_of(passage, drums=True), played_by)
    row = np.array([DRUMS.index(one) for one in drum[known].tolist()], np.float64)
    hits = np.stack([passage[known, 0], row, passage[known, 3]], axis=1).astype(np.float32)
    return BandPowerStem(_log_power(_augment(sound, random)), hits)


def _excerpt_of_drums(notes: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """A passage of drums at another speed and strength, on keys of General MIDI."""
    passage = excerpt(notes, random, random.uniform(0.8, 1.25))
    passage[:, 2] = [ROLAND_KEYS.get(int(key), key) for key in passage[:, 2]]
    passage[:, 3] = np.clip(passage[:, 3] * random.uniform(0.7, 1.2), 5, 127)
    return passage


def _exchanged(keys: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Keys after two drums have exchanged their parts."""
    one, other = random.choice(DRUMS, 2, replace=False)
    drum = np.array([SAME_DRUM.get(int(key), 0) for key in keys])
    return np.where(drum == one, other, np.where(drum == other, one, keys))


def _percussion_part(passage: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """The part of one drum of a passage, played on another percussion instrument."""
    if not len(passage):
        return passage
    part: NDArray[np.float64] = passage[passage[:, 2] == random.choice(np.unique(passage[:, 2]))]
    part[:, 2] = random.choice(PERCUSSION_KEYS)
    return part


def music_stem(notes: NDArray[np.float64], soundfont: Path, random: np.random.Generator) -> BandPowerStem:
    """Augmented stem without drums: a passage at another speed and pitch, now and then on other instruments."""
    passage = excerpt(notes, random, random.uniform(0.8, 1.25))
    passage[:, 2] = np.clip(passage[:, 2] + random.integers(-5, 6), 0, 127)
    if random.random() < OTHER_INSTRUMENTS:
        programs = {program: int(random.integers(0, NUM_PITCHED)) for program in np.unique(passage[:, 4])}
        passage[:, 4] = [programs[program] for program in passage[:, 4]]
    sound = render(midi_of(passage, drums=False), soundfont)
    return BandPowerStem(_log_power(_augment(sound, random)), np.zeros((0, 3), np.float32))


def _augment(sound: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Augmentation of sound: full scale, now and then reverberation or overdrive."""
    sound = sound / max(float(np.abs(sound).max(initial=0)), 1e-6)
    if random.random() < 0.3:
        sound = add_reverberation(sound, random, longest_seconds=0.7, loudest=0.3)
    if random.random() < 0.25:
        drive = random.uniform(1.5, 4)
        sound = np.tanh(drive * sound)
    return sound


def _log_power(sound: NDArray[np.float32]) -> NDArray[np.float16]:
    """Log band power over `SECONDS`, `[frames, BANDS]`."""
    whole = np.zeros(int(SECONDS * SAMPLE_RATE_HZ), np.float32)
    whole[: len(sound)] = sound[: len(whole)]
    return np.log(np.maximum(band_power(whole), FLOOR)).astype(np.float16)


@dataclass(frozen=True)
class StemSet:
    """Stems of drums and of music to train on, and of other files to validate thresholds on."""

    drums: list[BandPowerStem]
    music: list[BandPowerStem]
    validation_drums: list[BandPowerStem]
    validation_music: list[BandPowerStem]


@dataclass(frozen=True)
class StemSources:
    """Where stems come from: MIDI files by folder, SoundFonts, and the kits that drums are drawn from.

    `rendered` is the share of the drum stems that a SoundFont plays as it is, `synthetic` the number of synthetic kits
    beside `kits`.
    """

    folders: Sequence[Sequence[Path]]
    soundfonts: Sequence[Path]
    kits: Sequence[Path]
    rendered: float = RENDERED
    synthetic: int = SYNTHETIC_KITS

    def share(self, wanted: Sequence[int]) -> StemSources:
        """The same with the files of some shares only, without folders that have none."""
        folders = [[path for path in folder if share_of(path) in wanted] for folder in self.folders]
        return replace(self, folders=[folder for folder in folders if folder])


def find_sources(folders: Sequence[Path], soundfonts: Sequence[Path], kits: Sequence[Path]) -> StemSources:
    """The MIDI files below each folder; SoundFonts and the kits below each directory.

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
    fonts = [soundfont_path(str(path)) for path in soundfonts]
    return StemSources(found, fonts, [*fonts, *(path for directory in kits for path in find_kits(directory))])


def make_stem_set(
    sources: StemSources, validation_kits: Sequence[Path], drums: int, music: int, seed: int, keep: Path | None
) -> StemSet:
    """Render `drums` and `music` stems to train on, and an eighth as many, 60 at most, to validate on.

    Parameters
    ----------
    sources
        What all are made from.
    validation_kits
        Directories of the kits that play the drums to validate on and none to train on; without any, all kits do both.
    drums, music, seed, keep
        Numbers of stems, and what `make_stems` takes.

    Raises
    ------
    UserError
        The MIDI files have too few drum notes or too few other notes.
    """
    training = sources.share(range(VALIDATION_SHARE + 1, NUM_SHARES))
    validation = sources.share([VALIDATION_SHARE])
    if not (training.folders and validation.folders):  # a handful of files
        training = validation = sources
    apart = [path for directory in validation_kits for path in find_kits(directory)]
    if apart:
        training = replace(training, kits=[path for path in training.kits if path not in apart])
        validation = replace(validation, kits=apart, rendered=0.0, synthetic=0)
    return StemSet(
        make_stems(training, "drums", drums, seed, keep),
        make_stems(training, "music", music, seed + 1, keep),
        make_stems(validation, "drums", _validation(drums), seed + 2, keep),
        make_stems(validation, "music", _validation(music), seed + 3, keep),
    )


def _validation(number: int) -> int:
    """How many stems validate where so many are trained on."""
    return min(max(number // 8, 1), MOST_VALIDATION_STEMS)


def make_stems(sources: StemSources, kind: str, number: int, seed: int, keep: Path | None) -> list[BandPowerStem]:
    """So many stems of a kind, `drums` or `music`; each depends on the sources, the seed and its number only."""
    names = [str(path) for files in (*sources.folders, sources.soundfonts, sources.kits) for path in files]
    identity = hashlib.sha256("\n".join([kind, str(seed), *names]).encode()).hexdigest()[:12]
    stems = []
    for index in bar(range(number), number, f"rendering {kind}", "stem"):
        path = keep / f"{kind}-{identity}-{index:04d}.npz" if keep else None
        stems.append(_cached_stem(path) or _render_stem(sources, kind, np.random.default_rng((seed, index)), path))
    return stems


def _cached_stem(path: Path | None) -> BandPowerStem | None:
    """The stem in a file, where there is one."""
    if path is None or not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as file:
        return BandPowerStem(file["log_power"], file["hits"])


def _render_stem(sources: StemSources, kind: str, random: np.random.Generator, path: Path | None) -> BandPowerStem:
    """One stem of a kind, also written to `path`."""
    notes = _draw_notes(sources, kind, random)
    soundfont = sources.soundfonts[int(random.integers(len(sources.soundfonts)))]
    if kind == "music":
        stem = music_stem(notes.pitched, soundfont, random)
    else:
        others = _draw_notes(sources, kind, random).drums
        mixed = random.random() >= sources.rendered
        kit = mixed_kit(_kits(tuple(sources.kits), sources.synthetic), random) if mixed else None
        stem = drum_stem(notes.drums, others, kit or soundfont, random)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        with partial.open("wb") as file:
            np.savez(file, log_power=stem.log_power, hits=stem.hits)
        partial.replace(path)
    return stem


@cache
def _kits(paths: tuple[Path, ...], synthetic: int) -> list[SampledKit]:
    """The kits at the paths, read once, and so many synthetic ones."""
    return [*(read_kit(path) for path in paths), *(synthetic_kit(np.random.default_rng(n)) for n in range(synthetic))]


def _draw_notes(sources: StemSources, kind: str, random: np.random.Generator) -> MidiNotes:
    """The notes of a random file that has enough of a kind, each folder as often as the others."""
    for _ in range(TRIES):
        folder = sources.folders[int(random.integers(len(sources.folders)))]
        notes = read_notes(folder[int(random.integers(len(folder)))])
        if notes is not None and len(notes.drums if kind == "drums" else notes.pitched) >= FEWEST_NOTES:
            return notes
    what = "drum notes" if kind == "drums" else "notes other than drums"
    raise UserError(f"The MIDI files have too few {what} to train on: name more with --midi.")
