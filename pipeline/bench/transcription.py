"""Transcription benchmark: recordings transcribed, beside the music that they were made from.

The plain baseline is what one gets from basic-pitch's network at its usual thresholds and librosa's beat tracker, all
notes on one track.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ, read_recording
from pipeline.audio.synthesizers import RATE_HZ, play, soundfont_path
from pipeline.config import compose
from pipeline.dataset.cutting import cutting_settings
from pipeline.errors import UserError
from pipeline.formats import RECORDINGS
from pipeline.progress import bar
from pipeline.scores.score import Part, make_events
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.pitches.multipitch import NoteDecoding, decode_notes, pitch_activations
from pipeline.transcription.training.bands.band_evaluation import band_scores
from pipeline.transcription.training.bands.instrument_examples import label_score
from pipeline.transcription.training.transcription_evaluation import all_counts, read_reference
from pipeline.transcription.transcriber import SHORTEST_BEATS, Transcription, TranscriptionHints, transcribe_samples

EXCERPT_SECONDS = 180
"""So much of each recording is transcribed, from its beginning."""
LEAD_SECONDS = 1.3
"""Silence before music that is rendered here, so that its beats do not begin with the file."""
PLAIN = NoteDecoding(onset=0.5, frame=0.3, gap_frames=11, shortest_frames=11, unstruck_frame=0.3)
"""basic-pitch's own thresholds; it bridges as many frames, and takes what is left of the sound for notes too."""

FORMULA = (
    "notes: right pitch, onset at most 50 ms off; beats: 70 ms; drums: right class, 50 ms; rolls: sixteenths in "
    "which a pitch sounds, of each family by itself or of all pitches together, each true bar laid on the beat "
    "nearest to where it begins, or all of it laid by counting from the first common beat; lead: raw pitch and chroma "
    "accuracy; chords: time with root and third right; known: tracks that are said to be known, sure: notes likewise."
)


def measure_transcription(folder: Path, soundfont: Path | None, scratch: Path) -> dict[str, Any]:
    """All pieces of a folder by this program and by the baseline.

    Parameters
    ----------
    folder
        MIDI files; where a recording of the same name lies beside one, that is taken, from whenever it begins.
    soundfont
        The SoundFont that plays the others; null takes the one that comes with pretty_midi.
    scratch
        Where sound is written on the way.
    """
    paths = sorted(path for path in folder.glob("*.mid"))
    if not paths:
        raise UserError(f"--transcription {folder}: there is no MIDI file (.mid) in it.")
    config = compose("data=games")
    spec, tracks = cutting_settings(config).spec, compose("data=games", "tracks=pop").tracks
    contenders: dict[str, Callable[[NDArray[np.float32]], Transcription]] = {
        "albumgan": lambda samples: transcribe_samples(samples, TranscriptionHints()),
        "baseline": transcribe_plainly,
    }
    pieces: dict[str, Any] = {}
    for path in bar(paths, len(paths), "transcription", "pieces"):
        recording = recording_beside(path)
        if recording is None:
            recording = rendered(path, soundfont, scratch)
        samples = read_recording(recording, 600).samples[: EXCERPT_SECONDS * SAMPLE_RATE_HZ]
        reference = read_reference(path, decode_notes(pitch_activations(samples), PLAIN), len(samples) / SAMPLE_RATE_HZ)
        labelled = label_score(path, tracks, spec)
        rows = {}
        for name, contender in contenders.items():
            began = time.perf_counter()
            found = contender(samples)
            seconds = time.perf_counter() - began
            counts = all_counts(found, reference, spec, config.tracks)
            scores = {key: one.f1 for key, one in counts.items()} | band_scores(found, labelled, reference.offset)
            rows[name] = {key: None if math.isnan(one) else one for key, one in scores.items()}
            rows[name]["seconds_per_minute"] = 60 * seconds / (len(samples) / SAMPLE_RATE_HZ)
        pieces[path.stem] = rows
    return {
        "formula": FORMULA,
        "pieces": pieces,
        "means": {name: means([one[name] for one in pieces.values()]) for name in contenders},
    }


def means(rows: list[dict[str, float | None]]) -> dict[str, float | None]:
    """Means over the pieces that have a figure."""
    found: dict[str, float | None] = {}
    for key in rows[0]:
        values = [value for row in rows if (value := row[key]) is not None]
        found[key] = float(np.mean(values)) if values else None
    return found


def recording_beside(path: Path) -> Path | None:
    """The recording of a MIDI file's name."""
    return next((found for suffix in RECORDINGS if (found := path.with_suffix(suffix)).is_file()), None)


def rendered(path: Path, soundfont: Path | None, scratch: Path) -> Path:
    """The sound of a MIDI file."""
    import soundfile

    sound = play(path.read_bytes(), soundfont_path(str(soundfont) if soundfont else None), "midirenderer")
    sound = np.concatenate([np.zeros((int(LEAD_SECONDS * RATE_HZ), 2), np.float32), sound])
    target = scratch / f"{path.stem}.flac"
    soundfile.write(target, 0.8 * sound / max(float(np.abs(sound).max()), 1e-6), RATE_HZ)
    return target


def transcribe_plainly(samples: NDArray[np.float32]) -> Transcription:
    """Baseline transcription: basic-pitch, librosa beats, one track."""
    import soxr
    from librosa.beat import beat_track

    pitches = decode_notes(pitch_activations(samples), PLAIN)
    sound = soxr.resample(samples, SAMPLE_RATE_HZ, 22050)
    _, found = beat_track(y=sound, sr=22050, units="time")
    beat = float(np.median(np.diff(found))) if len(found) > 1 else 0.5
    first, last = (float(found[0]), float(found[-1])) if len(found) else (0.0, 0.0)
    end = len(samples) / SAMPLE_RATE_HZ
    before, after = np.arange(first - beat, -beat, -beat)[::-1], np.arange(last + beat, end + beat, beat)
    moments = np.concatenate([before, found if len(found) else [0.0], after])
    beats = Beats(moments, 4)
    onset = np.maximum(beats.position(pitches["start"]), 0)
    duration = np.maximum(beats.position(pitches["end"]) - onset, SHORTEST_BEATS)
    events = make_events(onset, duration, pitches["pitch"], pitches["velocity"])
    return Transcription((Part("Piano", 0, False, events),), beats, (pitches,), end)
