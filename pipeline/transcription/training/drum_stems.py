"""Training data for drum transcription: stems of half a minute, drums and other instruments rendered apart.

Of each stem log band power and hits are kept, so that any drums are mixed with any music by adding powers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import RATE_HZ, play, soundfont_path
from pipeline.errors import UserError
from pipeline.progress import bar
from pipeline.transcription.drums.drum_map import CLOSED_HAT, DRUMS, KICK, SAME_DRUM, SNARE
from pipeline.transcription.drums.features import band_power
from pipeline.transcription.training.sampled_kits import SampledKit, find_kits, play_kit, read_kit

SECONDS = 30.0
"""Length of a stem."""

TICKS_PER_SECOND = 960
OTHER_PERCUSSION = -1
"""Drum number of percussion that is no part of a drum kit."""

KIT_PROGRAMS = (0, 0, 0, 8, 16, 24, 25, 32)
"""Programs of channel 10 that drums are played with: standard, room, power, electronic, TR-808 and jazz kit."""

FLOOR = 1e-10
"""Band power that counts as silence (-100 decibels)."""

NUM_SHARES = 10
"""Number of shares that files are in, by the hashes of their names: 0 is for evaluation, 1 for validation."""

FEWEST_NOTES = 20
"""A file with fewer notes of a kind has no stem of that kind."""

TRIES = 200
"""Files looked at for one stem before giving up."""

VALIDATION_SHARE = 1
"""The share of files by which thresholds are set."""


@dataclass(frozen=True)
class MidiNotes:
    """Notes of a MIDI file: `pitched` and `drums`, rows of start and end in seconds, pitch, velocity, program."""

    pitched: NDArray[np.float64]
    drums: NDArray[np.float64]


@dataclass(frozen=True)
class BandPowerStem:
    """A rendered stem.

    Attributes
    ----------
    log_power
        Log band power, float16 `[frames, BANDS]`.
    hits
        Rows of seconds, number in `DRUMS` (or `OTHER_PERCUSSION`), velocity.
    """

    log_power: NDArray[np.float16]
    hits: NDArray[np.float32]


def is_held_out(path: Path) -> bool:
    """Whether a file is for evaluation rather than for training."""
    return share_of(path) == 0


def share_of(path: Path) -> int:
    """Which of the `NUM_SHARES` shares of all files this one is in: 0 evaluates, 1 sets thresholds, others train."""
    return int(hashlib.sha256(path.name.encode()).hexdigest(), 16) % NUM_SHARES


def read_notes(path: Path) -> MidiNotes | None:
    """Read all notes of a MIDI file; none where it can't be read."""
    import symusic

    try:
        read: Any = symusic.Score(str(path))
        score = read.to("second")
    except Exception:  # symusic raises kinds of its own
        return None
    rows: dict[bool, list[NDArray[np.float64]]] = {True: [np.zeros((0, 5))], False: [np.zeros((0, 5))]}
    for track in score.tracks:
        notes = track.notes.numpy()
        columns = (notes["time"], notes["time"] + notes["duration"], notes["pitch"], notes["velocity"])
        programs = np.full(len(notes["time"]), track.program)
        rows[bool(track.is_drum)].append(np.stack([*columns, programs], axis=1).astype(np.float64))
    return MidiNotes(np.concatenate(rows[False]), np.concatenate(rows[True]))


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


def midi_of(notes: NDArray[np.float64], drums: bool) -> bytes:
    """A MIDI file of rows of start, end, pitch, velocity and program."""
    import symusic

    score: Any = symusic.Score(TICKS_PER_SECOND // 2)
    score.tempos.append(symusic.Tempo(0, 120))
    for program in np.unique(notes[:, 4]):
        track: Any = symusic.Track(program=int(program), is_drum=drums)
        for start, end, pitch, velocity, _ in notes[notes[:, 4] == program]:
            ticks = round(start * TICKS_PER_SECOND)
            length = max(round((end - start) * TICKS_PER_SECOND), 1)
            track.notes.append(symusic.Note(ticks, length, int(pitch), int(np.clip(velocity, 1, 127))))
        score.tracks.append(track)
    return bytes(score.dumps_midi())


def render(midi: bytes, soundfont: Path) -> NDArray[np.float32]:
    """Render a MIDI file to mono sound at `SAMPLE_RATE_HZ`."""
    import soxr

    sound: NDArray[np.float32] = soxr.resample(
        play(midi, soundfont, "midirenderer").mean(axis=1), RATE_HZ, SAMPLE_RATE_HZ
    )
    return sound


def hits_of(notes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Rows of seconds, number in `DRUMS` (or `OTHER_PERCUSSION`) and velocity."""
    drum = [DRUMS.index(SAME_DRUM[int(key)]) if int(key) in SAME_DRUM else OTHER_PERCUSSION for key in notes[:, 2]]
    return np.stack([notes[:, 0], np.asarray(drum, np.float64).reshape(-1), notes[:, 3]], axis=1).astype(np.float32)


def drum_stem(notes: NDArray[np.float64], played_by: Path | SampledKit, random: np.random.Generator) -> BandPowerStem:
    """Augmented drum stem: a passage at another speed and strength, played by a SoundFont or a sampled kit."""
    passage = excerpt(notes, random, random.uniform(0.8, 1.25))
    passage[:, 3] = np.clip(passage[:, 3] * random.uniform(0.7, 1.2), 5, 127)
    hits = hits_of(passage)
    known = hits[:, 1] >= 0
    if isinstance(played_by, SampledKit):
        drum = np.asarray(DRUMS, np.int16)[hits[known, 1].astype(int)]
        has = np.isin(drum, list(played_by.drums))
        hits = hits[known][has]
        sound = play_kit(played_by, hits[:, 0].astype(np.float64), drum[has], hits[:, 2].astype(np.int16), random)
    else:
        passage[:, 2] = [_general_midi(int(key)) for key in passage[:, 2]]
        passage[:, 4] = random.choice(KIT_PROGRAMS)
        sound = render(midi_of(passage, drums=True), played_by)
    return BandPowerStem(_log_power(_augment(sound, random)), hits)


def music_stem(notes: NDArray[np.float64], soundfont: Path, random: np.random.Generator) -> BandPowerStem:
    """Augmented stem without drums: a passage at another speed and pitch, now and then on other instruments."""
    passage = excerpt(notes, random, random.uniform(0.8, 1.25))
    passage[:, 2] = np.clip(passage[:, 2] + random.integers(-5, 6), 0, 127)
    if random.random() < 0.3:
        programs = {program: int(random.integers(0, 104)) for program in np.unique(passage[:, 4])}
        passage[:, 4] = [programs[program] for program in passage[:, 4]]
    sound = render(midi_of(passage, drums=False), soundfont)
    return BandPowerStem(_log_power(_augment(sound, random)), np.zeros((0, 3), np.float32))


def _general_midi(key: int) -> int:
    """The key that General MIDI has for one of Roland's electronic drums."""
    return {22: 42, 26: 46, 58: 43}.get(key, key)


def _augment(sound: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Augmentation of sound: full scale, now and then reverberation or overdrive."""
    from scipy.signal import fftconvolve

    sound = sound / max(float(np.abs(sound).max(initial=0)), 1e-6)
    if random.random() < 0.3:
        length = int(random.uniform(0.1, 0.7) * SAMPLE_RATE_HZ)
        room = random.standard_normal(length) * 10 ** (-3 * np.arange(length) / length) / np.sqrt(length / 7)
        sound = sound + random.uniform(0.05, 0.3) * fftconvolve(sound, room)[: len(sound)].astype(np.float32)
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
    """Where stems come from: MIDI files by folder, SoundFonts and sampled kits."""

    folders: Sequence[Sequence[Path]]
    soundfonts: Sequence[Path]
    kits: Sequence[Path]

    def share(self, wanted: Sequence[int]) -> StemSources:
        """The same with the files of some shares only, without folders that have none."""
        folders = [[path for path in folder if share_of(path) in wanted] for folder in self.folders]
        return StemSources([folder for folder in folders if folder], self.soundfonts, self.kits)


def find_sources(folders: Sequence[Path], soundfonts: Sequence[Path], kits: Sequence[Path]) -> StemSources:
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
    return StemSources(found, [soundfont_path(str(path)) for path in soundfonts], complete)


def make_stem_set(sources: StemSources, drums: int, music: int, seed: int, cache: Path | None) -> StemSet:
    """Render `drums` and `music` stems to train on and an eighth as many to validate on.

    Raises
    ------
    UserError
        The MIDI files have too few drum notes or too few other notes.
    """
    training = sources.share(range(VALIDATION_SHARE + 1, NUM_SHARES))
    validation = sources.share([VALIDATION_SHARE])
    if not (training.folders and validation.folders):  # a handful of files
        training = validation = sources
    return StemSet(
        make_stems(training, "drums", drums, seed, cache),
        make_stems(training, "music", music, seed + 1, cache),
        make_stems(validation, "drums", max(drums // 8, 1), seed + 2, cache),
        make_stems(validation, "music", max(music // 8, 1), seed + 3, cache),
    )


def make_stems(sources: StemSources, kind: str, number: int, seed: int, cache: Path | None) -> list[BandPowerStem]:
    """So many stems of a kind, `drums` or `music`; each depends on the sources, the seed and its number only."""
    names = [str(path) for files in (*sources.folders, sources.soundfonts, sources.kits) for path in files]
    identity = hashlib.sha256("\n".join([kind, str(seed), *names]).encode()).hexdigest()[:12]
    stems = []
    for index in bar(range(number), number, f"rendering {kind}", "stem"):
        path = cache / f"{kind}-{identity}-{index:04d}.npz" if cache else None
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
    elif sources.kits and random.random() < 0.5:
        kit = read_kit(sources.kits[int(random.integers(len(sources.kits)))])
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


def _draw_notes(sources: StemSources, kind: str, random: np.random.Generator) -> MidiNotes:
    """The notes of a random file that has enough of a kind, each folder as often as the others."""
    for _ in range(TRIES):
        folder = sources.folders[int(random.integers(len(sources.folders)))]
        notes = read_notes(folder[int(random.integers(len(folder)))])
        if notes is not None and len(notes.drums if kind == "drums" else notes.pitched) >= FEWEST_NOTES:
            return notes
    what = "drum notes" if kind == "drums" else "notes other than drums"
    raise UserError(f"The MIDI files have too few {what} to train on: name more with --midi.")


def _is_complete(kit: SampledKit) -> bool:
    """Whether a kit has what every drummer plays."""
    return {KICK, SNARE, CLOSED_HAT} <= kit.drums.keys()
