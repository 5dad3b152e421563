"""Pieces whose beats are known, in memory and as MIDI files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.transcription.drums.drum_map import HIT
from pipeline.transcription.pitches.multipitch import PITCH
from pipeline.transcription.training.beat_examples import AnnotatedPiece, MetreExample, make_examples, onsets_of
from pipeline.transcription.training.beat_excerpts import is_for_training


def piece(bpm: float = 100.0, bars: int = 12, seed: int = 0, first: float = 0.5) -> AnnotatedPiece:
    """Bass and chord on the bar line, a melody in eighths, kick and snare alternating."""
    rng = np.random.default_rng(seed)
    beats = first + 60 / bpm * np.arange(4 * bars + 4)
    notes, hits = [], []
    for bar in range(bars):
        line = 4 * bar
        notes += [(line, 4.0, 36 + (0, 5, 7, 9)[bar % 4], 100), *((line, 2.0, pitch, 70) for pitch in (60, 64, 67))]
        notes += [(line + eighth / 2, 0.4, 72 + int(rng.integers(8)), 80) for eighth in range(8)]
        hits += [(line + beat, (36, 38)[beat % 2], 100) for beat in range(4)]
    count = np.arange(len(beats))
    notes_table, hits_table = np.zeros(len(notes), PITCH), np.zeros(len(hits), HIT)
    for index, (start, length, pitch, velocity) in enumerate(notes):
        notes_table[index] = *np.interp([start, start + length], count, beats), pitch, velocity
    for index, (start, pitch, velocity) in enumerate(hits):
        hits_table[index] = np.interp(start, count, beats), pitch, velocity
    return AnnotatedPiece(np.sort(notes_table, order="start"), hits_table, beats, 4, True, True)


def example_of(known: AnnotatedPiece) -> MetreExample:
    """The training example that a piece in 4/4 gives as it is."""
    (example,) = make_examples(known, onsets_of(known), 1.0)
    return example


def write_piece(path: Path, bpm: float, bars: int = 16) -> None:
    """The piece as a MIDI file of two tracks."""
    import symusic

    known = piece(bpm, bars, first=0.0)
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, bpm))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    song, drums = symusic.Track("song", 0, False), symusic.Track("drums", 0, True)
    tick = 480 * bpm / 60
    for note in known.notes:
        start, end = round(note["start"] * tick), round(note["end"] * tick)
        song.notes.append(symusic.Note(start, end - start, int(note["pitch"]), int(note["velocity"])))
    for hit in known.hits:
        drums.notes.append(symusic.Note(round(hit["start"] * tick), 60, int(hit["pitch"]), int(hit["velocity"])))
    score.tracks.extend([song, drums])
    score.dump_midi(str(path))


def training_names(count: int) -> list[str]:
    """File names of the half for training."""
    return [name for name in (f"song{number}.mid" for number in range(50)) if is_for_training(Path(name))][:count]
