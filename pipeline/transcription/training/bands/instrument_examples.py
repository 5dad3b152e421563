"""Training data for multi-instrument transcription: passages of MIDI files rendered as varied mixes, with what is true.

Parts are told apart as in `tracks=pop`: the tune, and families of General MIDI programs. POP909's three parts are given
instruments, a bass line out of the piano's lowest notes and drums of the Groove data set on its own beats, so that its
tunes are heard in a band.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.chords import NO_CHORD, QUALITIES
from gan.spec import RollSpec
from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import RATE_HZ, play
from pipeline.scores.chords.recognition import recognise_chords
from pipeline.scores.quantisation import BarSpan, quantise
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Score
from pipeline.scores.tracks import assign
from pipeline.settings.data import TracksSettings
from pipeline.transcription.instruments.features import FRAME_HOP, SpectralFeatures, spectral_features
from pipeline.transcription.instruments.network import FAMILIES, FRAMES_PER_STEP, step_count
from pipeline.transcription.pitches.multipitch import LOWEST_PITCH, NETWORK_RATE_HZ, NUM_PITCHES, pitch_activations
from pipeline.transcription.training.rendering.midi_rendering import add_reverberation

SECONDS = 40.0
"""Length of a passage."""
NO_FAMILY = -1
"""Family of sound effects and percussion with pitches, of which nothing is asked."""

NOTE = np.dtype(
    [
        ("start", np.float64),
        ("end", np.float64),
        ("pitch", np.int16),
        ("velocity", np.int16),
        ("program", np.int16),
        ("family", np.int8),
        ("is_lead", np.bool_),
    ]
)
"""A pitched note in seconds, with the index of its family in `FAMILIES`."""
HIT = np.dtype([("start", np.float64), ("pitch", np.int16), ("velocity", np.int16)])
CHORD = np.dtype(
    [("start", np.float64), ("end", np.float64), ("root", np.int8), ("quality", np.int8), ("bass", np.int8)]
)
"""A chord in seconds; a root of -1 is no chord."""

LEAD_PROGRAMS = (52, 53, 54, 52, 53, 54, 73, 64, 65, 66, 68, 71, 40, 56, 80, 81, 26, 27, 29, 30, 0, 11, 22, 75, 85)
BRIDGE_PROGRAMS = (48, 49, 50, 24, 25, 27, 61, 89, 4, 11, 73, 68)
CHORD_PROGRAMS = (0, 0, 0, 1, 2, 4, 5, 24, 25, 26, 48)
"""General MIDI programs (from 0) that play POP909's MELODY, BRIDGE and PIANO."""
HIGHEST_BASS = 50
"""What of POP909's piano is below may become a bass line."""


@dataclass(frozen=True)
class LabelledSong:
    """The notes of a piece in seconds with family and tune, its drum hits and its chords."""

    notes: NDArray[np.void]
    hits: NDArray[np.void]
    chords: NDArray[np.void]


@dataclass(frozen=True)
class InstrumentExample:
    """A rendered passage and what is true of it.

    Attributes
    ----------
    features
        What the network reads.
    sounding, onsets
        Bool `[steps, 88, len(FAMILIES) + 1]`: whether a note of each family, and last of the tune, sounds or begins.
    asked
        Bool `[steps, 88]`: False where something sounds that has no family.
    chords
        Dtype `CHORD`, in seconds of the passage.
    """

    features: SpectralFeatures
    sounding: NDArray[np.bool_]
    onsets: NDArray[np.bool_]
    asked: NDArray[np.bool_]
    chords: NDArray[np.void]


def family_of(program: int, tracks: TracksSettings) -> int:
    """The index in `FAMILIES` of the track that lists a program."""
    homes = [track.name for track in tracks.tracks if program in track.programs]
    return FAMILIES.index(homes[0]) if homes and homes[0] in FAMILIES else NO_FAMILY


def label_score(path: Path, tracks: TracksSettings, spec: RollSpec) -> LabelledSong:
    """A MIDI file with its parts told apart as `tracks=pop` does it, and its chords recognised from its notes.

    Raises `UnusableError` where it cannot be read or has no notes.
    """
    score = read_scores(path, 100)[0]
    found = assign(score, tracks)
    taken: list[NDArray[np.void]] = [np.zeros(0, NOTE)]
    hits: list[NDArray[np.void]] = [np.zeros(0, HIT)]
    for one in found:
        rows = np.zeros(len(one.events), NOTE)
        rows["start"] = score.seconds_at(one.events["onset"])
        rows["end"] = score.seconds_at(one.events["onset"] + one.events["duration"])
        rows["pitch"], rows["velocity"] = one.events["pitch"], one.events["velocity"]
        if tracks.tracks[one.track].is_drum:
            own = np.zeros(len(rows), HIT)
            for name in HIT.names or ():
                own[name] = rows[name]
            hits.append(own)
            continue
        rows["program"], rows["family"] = one.program, family_of(one.program, tracks)
        rows["is_lead"] = one.track == tracks.lead
        taken.append(rows)
    known = {id(part) for one in found for part in one.parts}
    for part in score.parts:
        if id(part) not in known and not part.is_drum and len(part.events):
            rows = np.zeros(len(part.events), NOTE)
            rows["start"] = score.seconds_at(part.events["onset"])
            rows["end"] = score.seconds_at(part.events["onset"] + part.events["duration"])
            rows["pitch"], rows["velocity"] = part.events["pitch"], part.events["velocity"]
            rows["program"], rows["family"] = part.program, NO_FAMILY
            taken.append(rows)
    return LabelledSong(np.concatenate(taken), np.concatenate(hits), _chords_of(score, tracks, spec))


def _chords_of(score: Score, tracks: TracksSettings, spec: RollSpec) -> NDArray[np.void]:
    """Chord recognition from notes, half bar by half bar of four quarter notes."""
    bars = int(np.ceil(score.end / spec.beats_per_bar))
    rows = recognise_chords(quantise(assign(score, tracks), BarSpan(0.0, bars, 0), spec), bars, spec)
    edges = score.seconds_at(np.arange(2 * bars + 1) * spec.beats_per_bar / 2)
    chords = np.zeros(len(rows), CHORD)
    chords["start"], chords["end"] = edges[:-1], edges[1:]
    for column, name in enumerate(("root", "quality", "bass")):
        chords[name] = np.where(rows[:, 1] == NO_CHORD, -1, rows[:, column])
    return chords


def label_pop909(
    path: Path, labels: Path, grooves: Sequence[Path], tracks: TracksSettings, random: np.random.Generator
) -> LabelledSong:
    """A song of POP909 as a band: other instruments, now and then a bass line and drums, and its annotated chords."""
    import symusic

    read: Any = symusic.Score(str(path))
    score = read.to("second")
    programs = {
        "MELODY": int(random.choice(LEAD_PROGRAMS)),
        "BRIDGE": int(random.choice(BRIDGE_PROGRAMS)),
        "PIANO": int(random.choice(CHORD_PROGRAMS)),
    }
    taken = []
    for track in score.tracks:
        columns = track.notes.numpy()
        rows = np.zeros(len(columns["time"]), NOTE)
        rows["start"], rows["end"] = columns["time"], columns["time"] + columns["duration"]
        rows["pitch"], rows["velocity"] = columns["pitch"], columns["velocity"]
        program = programs[track.name]
        rows["program"], rows["family"] = program, family_of(program, tracks)
        rows["is_lead"] = track.name == "MELODY"
        if track.name == "PIANO" and random.random() < 0.75:
            low = rows["pitch"] <= HIGHEST_BASS
            rows["family"][low], rows["program"][low] = FAMILIES.index("Bass"), int(random.choice((32, 33, 34, 38, 39)))
            high = low & (rows["pitch"] > 43)
            rows["pitch"][high] -= 12
        taken.append(rows)
    beats = np.loadtxt(labels / f"{path.stem}.beats.txt", ndmin=2)
    hits = _groove(beats, grooves, random) if random.random() < 0.75 and len(grooves) else np.zeros(0, HIT)
    return LabelledSong(np.concatenate(taken), hits, read_chord_labels(labels / f"{path.stem}.chords.txt"))


def _groove(beats: NDArray[np.float64], grooves: Sequence[Path], random: np.random.Generator) -> NDArray[np.void]:
    """A drummer's playing repeated on the beats of a song."""
    import symusic

    read: Any = symusic.Score(str(grooves[int(random.integers(len(grooves)))]))
    quarter = read.to("quarter")
    columns = quarter.tracks[0].notes.numpy()
    length = max(int(np.ceil(float(columns["time"].max()) / 4)) * 4, 4)
    copies = int(np.ceil(len(beats) / length))
    at = (columns["time"][None] + length * np.arange(copies)[:, None]).ravel()
    first = int(np.argmax(beats[:, 1] > 0))
    at = at + first
    inside = at < len(beats) - 1
    hits = np.zeros(int(inside.sum()), HIT)
    hits["start"] = np.interp(at[inside], np.arange(len(beats)), beats[:, 0])
    hits["pitch"] = np.tile(columns["pitch"], copies)[inside]
    hits["velocity"] = np.tile(columns["velocity"], copies)[inside]
    hits["pitch"] = [{22: 42, 26: 46, 58: 43}.get(int(key), int(key)) for key in hits["pitch"]]
    return hits


_LABEL_QUALITIES = {
    "maj": "maj", "maj6": "maj", "min": "min", "min6": "min", "7": "7", "9": "7", "maj7": "maj7", "maj9": "maj7",
    "min7": "min7", "min9": "min7", "minmaj7": "min", "dim": "dim", "dim7": "dim", "hdim7": "m7b5", "aug": "aug",
    "sus4": "sus4", "sus2": "sus4", "11": "sus4", "13": "7", "maj13": "maj7", "min11": "min7", "sus4(b7)": "sus4",
}  # fmt: skip
_NAMES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_DEGREES = {"1": 0, "2": 2, "3": 4, "4": 5, "5": 7, "6": 9, "7": 11, "9": 2}


def read_chord_labels(path: Path) -> NDArray[np.void]:
    """Chord labels in the syntax of Harte et al. (2005): start, end, `C:min7/b3` a line, in seconds."""
    rows = []
    for line in path.read_text().splitlines():
        start, end, label = line.split("\t")
        rows.append((float(start), float(end), *_parse_label(label)))
    return np.array(rows, CHORD)


def _parse_label(label: str) -> tuple[int, int, int]:
    """Root, index of the quality and bass of a chord label; -1 each where it names no chord."""
    name, _, bass = label.partition("/")
    root_name, _, quality = name.partition(":")
    if root_name[:1] not in _NAMES:
        return -1, -1, -1
    root = (_NAMES[root_name[0]] + root_name.count("#") - root_name[1:].count("b")) % 12
    plain = quality.partition("(")[0] or "maj"
    own = _LABEL_QUALITIES.get(plain, "min" if plain.startswith("min") else "maj")
    degree = bass.lstrip("b#")
    step = _DEGREES.get(degree, 0) - bass.count("b") + bass.count("#") if bass else 0
    return root, list(QUALITIES).index(own), (root + step) % 12


def passage(song: LabelledSong, random: np.random.Generator) -> LabelledSong:
    """A random passage of `SECONDS`, at another speed and in another key, the first note soon."""
    speed, shift = random.uniform(0.85, 1.2), int(random.integers(-5, 7))
    starts = np.concatenate([song.notes["start"], song.hits["start"]]) / speed
    first = random.uniform(starts.min(), max(float(starts.max()) - SECONDS, float(starts.min())) + 1e-6) - 0.15
    moved = []
    for rows in (song.notes, song.hits, song.chords):
        own = rows.copy()
        for name in ("start", "end"):
            if name in (own.dtype.names or ()):
                own[name] = own[name] / speed - first
        moved.append(own)
    notes, hits, chords = moved
    notes = notes[(notes["start"] >= 0) & (notes["start"] < SECONDS - 0.2)]
    notes["end"] = np.minimum(notes["end"], SECONDS)
    notes["pitch"] += shift
    notes = notes[(notes["pitch"] >= LOWEST_PITCH) & (notes["pitch"] < LOWEST_PITCH + NUM_PITCHES)]
    hits = hits[(hits["start"] >= 0) & (hits["start"] < SECONDS - 0.2)]
    chords = chords[(chords["end"] > 0) & (chords["start"] < SECONDS)]
    sounds = chords["root"] >= 0
    for name in ("root", "bass"):
        chords[name][sounds] = (chords[name][sounds] + shift) % 12
    return LabelledSong(notes, hits, chords)


def other_instruments(song: LabelledSong, random: np.random.Generator) -> LabelledSong:
    """The same played by other programs of the same eight of General MIDI."""
    notes = song.notes.copy()
    for program in np.unique(notes["program"]).tolist():
        if program < 112 and random.random() < 0.5:
            notes["program"][song.notes["program"] == program] = program // 8 * 8 + int(random.integers(8))
    return replace(song, notes=notes)


def render_mix(song: LabelledSong, soundfont: Path, random: np.random.Generator) -> NDArray[np.float32]:
    """A passage as mono sound at 44,100 Hz, mixed anew: levels, places, room, overdrive, tone and noise vary."""
    import soxr
    import symusic

    score: Any = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, 120))
    groups: list[tuple[int, bool, Any]] = [
        (int(program), False, song.notes[(song.notes["program"] == program) & (song.notes["is_lead"] == is_lead)])
        for program in np.unique(song.notes["program"])
        for is_lead in (False, True)
    ]
    if len(song.hits):
        groups.append((int(random.choice((0, 0, 0, 8, 16, 24, 25, 32))), True, song.hits))
    for program, is_drum, rows in groups:
        if not len(rows):
            continue
        track: Any = symusic.Track(program=program, is_drum=is_drum)
        volume = int(random.integers(60, 128))
        track.controls.append(symusic.ControlChange(0, 7, volume))
        track.controls.append(symusic.ControlChange(0, 10, int(np.clip(64 + 25 * random.standard_normal(), 0, 127))))
        for row in rows:
            start = round(float(row["start"]) * 960)
            length = 120 if is_drum else max(round(float(row["end"] - row["start"]) * 960), 1)
            track.notes.append(symusic.Note(start, length, int(row["pitch"]), int(np.clip(row["velocity"], 1, 127))))
        score.tracks.append(track)
    stereo = play(bytes(score.dumps_midi()), soundfont, "midirenderer")
    sound: NDArray[np.float32] = soxr.resample(stereo.mean(axis=1), RATE_HZ, SAMPLE_RATE_HZ)
    whole = np.zeros(round(SECONDS * SAMPLE_RATE_HZ), np.float32)
    whole[: min(len(sound), len(whole))] = sound[: len(whole)]
    return _varied(whole, random)


def _varied(sound: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Augmentation of sound, full scale at the end: now and then a room, overdrive, another tone, noise."""
    from scipy.signal import butter, sosfilt

    sound = sound / max(float(np.abs(sound).max(initial=0)), 1e-6)
    varied: NDArray[np.floating] = sound
    if random.random() < 0.35:
        varied = add_reverberation(sound, random, longest_seconds=0.9, loudest=0.4)
    if random.random() < 0.3:
        varied = np.tanh(random.uniform(1.5, 4) * varied)
    if random.random() < 0.5:
        tilt = random.uniform(-0.5, 0.5)
        low = sosfilt(butter(1, random.uniform(300, 2000), output="sos", fs=SAMPLE_RATE_HZ), varied)
        varied = (1 + tilt) * low + (1 - tilt) * (varied - low)
    if random.random() < 0.2:
        varied = sosfilt(butter(6, random.uniform(3500, 12000), output="sos", fs=SAMPLE_RATE_HZ), varied)
    if random.random() < 0.3:
        varied = varied + 10 ** random.uniform(-4, -2) * random.standard_normal(len(varied))
    return (varied / max(float(np.abs(varied).max(initial=0)), 1e-6)).astype(np.float32)


def make_example(song: LabelledSong, sound: NDArray[np.float32]) -> InstrumentExample:
    """Features of a rendered passage and the rolls of what sounds in it."""
    features = spectral_features(sound, pitch_activations(sound))
    steps = step_count(len(features))
    sounding, onsets = np.zeros((2, steps, NUM_PITCHES, len(FAMILIES) + 1), bool)
    asked = np.ones((steps, NUM_PITCHES), bool)
    per_second = NETWORK_RATE_HZ / FRAME_HOP / FRAMES_PER_STEP
    for note in song.notes:
        first = min(int(note["start"] * per_second), steps - 1)
        past = min(max(round(float(note["end"]) * per_second), first + 1), steps)
        pitch = int(note["pitch"]) - LOWEST_PITCH
        if note["family"] == NO_FAMILY:
            asked[first:past, pitch] = False
            continue
        columns = [int(note["family"])] + ([len(FAMILIES)] if note["is_lead"] else [])
        sounding[first:past, pitch, columns] = True
        onsets[first, pitch, columns] = True
    return InstrumentExample(features, sounding, onsets, asked, song.chords)


def write_example(path: Path, example: InstrumentExample) -> None:
    """Write an example into one file, labels as bits."""
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            spectrum=example.features.spectrum,
            activations=example.features.activations,
            sounding=np.packbits(example.sounding),
            onsets=np.packbits(example.onsets),
            asked=np.packbits(example.asked),
            steps=len(example.sounding),
            chords=example.chords,
        )


def read_example(path: Path) -> InstrumentExample:
    """Read an example back."""
    with np.load(path, allow_pickle=False) as file:
        steps, shape = int(file["steps"]), (NUM_PITCHES, len(FAMILIES) + 1)

        def bits(name: str, *shape: int) -> NDArray[np.bool_]:
            return np.unpackbits(file[name], count=int(np.prod(shape))).reshape(shape).astype(bool)

        return InstrumentExample(
            SpectralFeatures(file["spectrum"], file["activations"]),
            bits("sounding", steps, *shape),
            bits("onsets", steps, *shape),
            bits("asked", steps, NUM_PITCHES),
            file["chords"],
        )
