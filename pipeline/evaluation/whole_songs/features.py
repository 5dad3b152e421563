"""Features of a whole song: bars that return, chords, key, tune, density, who plays, structureness.

Chords are the best of 24 triads for each half bar, by the cosine with the time that each pitch class sounds. The tune
is the top line of the pitched track that lies highest in the mean, of those that play two notes a bar or more.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gan.spec import HOLD, ONSET, RollSpec
from pipeline.dataset.whole_songs import WholeSong
from pipeline.evaluation.whole_songs.structureness import RANGES, structureness
from pipeline.scores.keys import key_profiles
from pipeline.scores.notes import Planes, roll_from_notes
from pipeline.scores.structure.song_plan import SongPlan, plan_of_song

MOST_BARS = 96
"""Bars from the first on that are looked at."""
FAR = 4
"""Bars that lie so far apart are no mere continuation of each other."""
PART = 4
"""Bars over which density is followed."""
KEY_BARS = 8
"""Bars whose key is compared with the song's."""
TUNE_NOTES = 2
"""Notes a bar that a tune has at least."""
LAGS = (1, 2, 4, 8)
NAN = float("nan")

EXPLANATIONS = {
    "likeness of the best bar elsewhere": f"of each bar and the most alike at least {FAR} bars away, cosine of onsets",
    **{f"likeness of bars {lag} apart": "cosine of the onsets of two bars" for lag in LAGS},
    "chord clarity": "cosine of what sounds in half a bar and the nearest major or minor triad",
    "chord changes": "half bars whose chord is not that of the one before",
    "different chords": "major and minor triads that occur",
    "different chord trigrams": "share of successions of three chords that are new",
    "key stability": f"stretches of {KEY_BARS} bars in the song's key or its relative",
    "key strength": "correlation with the profile of the key",
    "tune: steps": "moves by a tone or less",
    "tune: leaps": "moves wider than a fifth",
    "tune: range": "semitones between its 5th and 95th percentile",
    "tune: motifs that return": "share of successions of four notes that occurred before",
    "notes a bar": "of all tracks",
    "density arc": f"standard deviation of the density over {PART} bars, in parts of its mean",
    "tracks playing": "tracks with a note in a bar",
    "entries": "tracks that come in or leave at a bar line",
    "plan: bars that return exactly": "share of the tracks' bars whose onsets are those of an earlier one",
    "plan: bars that return varied": "share of the tracks' bars in which some beats are those of an earlier one",
    "plan: bars a section": "mean length of the sections found by self-similarity",
    "plan: sections that return": "share of the sections that have the music of an earlier one",
    **{
        f"structureness, {name}": f"fitness of the best repeated part longer than {low:g} s"
        + (f", up to {high:g} s" if np.isfinite(high) else "")
        for name, (low, high) in RANGES.items()
    },
}
"""What each feature is, by name."""


def song_features(song: WholeSong, spec: RollSpec) -> dict[str, float]:
    """The features by the names of `EXPLANATIONS`; NaN where a song has none."""
    bars = min(song.bars, MOST_BARS)
    notes = song.notes[song.notes["onset"] < bars * spec.steps_per_bar]
    planes = roll_from_notes(notes, spec, bars)
    alike = bar_likeness(planes)
    bar_seconds = spec.quarters_per_bar * 60 / song.tempo_bpm if song.tempo_bpm > 0 else NAN
    found = (
        _returns(alike, planes)
        | _chords(planes, spec)
        | _tune(planes, spec)
        | _texture(planes)
        | _plan(plan_of_song(notes, bars, spec))
        | {f"structureness, {name}": value for name, value in structureness(alike, bar_seconds).items()}
    )
    return {name: float(found.get(name, NAN)) for name in EXPLANATIONS}


def _plan(plan: SongPlan) -> dict[str, float]:
    """How much of the song returns, and its sections."""
    playing = max(1, int(plan.playing.sum()))
    return {
        "plan: bars that return exactly": float(plan.exact.sum() / playing),
        "plan: bars that return varied": float(plan.varied.sum() / playing),
        "plan: bars a section": plan.num_bars / len(plan.starts),
        "plan: sections that return": 1 - len(set(plan.labels)) / len(plan.labels),
    }


def bar_likeness(planes: Planes) -> NDArray[np.float32]:
    """Cosine of the onsets of any two bars, tracks and pitches apart: `[bars, bars]`; 0 with a silent one."""
    bars = planes[ONSET].transpose(1, 0, 2, 3).reshape(planes.shape[2], -1)
    rows = bars[:, bars.any(axis=0)].astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-9))
    found: NDArray[np.float32] = np.clip(rows @ rows.T, 0, 1)
    return found


def _returns(alike: NDArray[np.float32], planes: Planes) -> dict[str, float]:
    """How alike bars are to others."""
    bars = len(alike)
    place = np.arange(bars)
    sounds = planes[ONSET].any(axis=(0, 2, 3))
    best = np.where(np.abs(place[:, None] - place) >= FAR, alike, 0).max(1)[sounds]
    found = {"likeness of the best bar elsewhere": float(best.mean()) if len(best) else NAN}
    for lag in LAGS:
        found[f"likeness of bars {lag} apart"] = float(np.diagonal(alike, lag).mean()) if bars > lag else NAN
    return found


def _chords(planes: Planes, spec: RollSpec) -> dict[str, float]:
    """Chords by half bars, and keys."""
    pitched = list(spec.pitched)
    if not pitched:
        return {}
    sounding = (planes[ONSET] | planes[HOLD])[pitched].sum(0)  # [bars, steps, pitches]
    classes = (np.arange(spec.num_pitches) + spec.lowest_pitch) % 12
    chroma = sounding @ np.eye(12)[classes]  # [bars, steps, 12]
    parts = 2 if spec.steps_per_bar % 2 == 0 else 1
    halves = chroma.reshape(len(chroma) * parts, -1, 12).sum(1)
    triads = np.zeros((24, 12))
    for root in range(12):
        triads[root, [root, (root + 4) % 12, (root + 7) % 12]] = 3**-0.5
        triads[12 + root, [root, (root + 3) % 12, (root + 7) % 12]] = 3**-0.5
    heard = halves.any(1)
    if heard.sum() < 3:
        return {}
    fits = halves[heard] / np.linalg.norm(halves[heard], axis=1, keepdims=True) @ triads.T
    labels = fits.argmax(1).tolist()
    trigrams = list(zip(labels, labels[1:], labels[2:], strict=False))
    total = chroma.sum((0, 1))
    home = int((key_profiles() @ (total - total.mean())).argmax())
    relative = (home + 9) % 12 + 12 if home < 12 else (home + 3) % 12
    stretches = [
        chroma[start : start + KEY_BARS].sum((0, 1)) for start in range(0, len(chroma) - KEY_BARS + 1, KEY_BARS)
    ]
    keys = [int((key_profiles() @ (one - one.mean())).argmax()) for one in stretches if one.any()]
    return {
        "chord clarity": float(fits.max(1).mean()),
        "chord changes": float(np.mean([one != other for one, other in pairwise(labels)])),
        "different chords": len(set(labels)),
        "different chord trigrams": len(set(trigrams)) / len(trigrams),
        "key stability": float(np.mean([key in (home, relative) for key in keys])) if keys else NAN,
        "key strength": float(np.corrcoef(key_profiles()[home], total)[0, 1]) if np.ptp(total) else NAN,
    }


def _tune(planes: Planes, spec: RollSpec) -> dict[str, float]:
    """Moves and motifs of the tune."""
    lines = planes[ONSET].reshape(spec.num_tracks, -1, spec.num_pitches)
    chosen = [track for track in spec.pitched if lines[track].sum() >= TUNE_NOTES * planes.shape[2]]
    if not chosen:
        return {}
    tune = lines[max(chosen, key=lambda track: float(np.nonzero(lines[track])[1].mean()))]  # [time, pitches]
    step = np.nonzero(tune.any(axis=1))[0]
    pitch = spec.num_pitches - 1 - tune[step][:, ::-1].argmax(axis=1)
    move, gap = np.diff(pitch), np.minimum(np.diff(step), spec.steps_per_bar)
    if len(move) < 8:
        return {}
    motifs = [(*move[at : at + 3].tolist(), *gap[at : at + 3].tolist()) for at in range(len(move) - 2)]
    low, high = np.quantile(pitch, [0.05, 0.95])
    return {
        "tune: steps": float((np.abs(move) <= 2).mean()),
        "tune: leaps": float((np.abs(move) > 7).mean()),
        "tune: range": float(high - low),
        "tune: motifs that return": 1 - len(set(motifs)) / len(motifs),
    }


def _texture(planes: Planes) -> dict[str, float]:
    """Density and the tracks that play."""
    notes = planes[ONSET].sum((2, 3)).astype(np.float64)  # [tracks, bars]
    total = notes.sum(0)
    parts = np.array([total[start : start + PART].sum() for start in range(0, len(total) - PART + 1, PART)])
    playing = notes > 0
    return {
        "notes a bar": float(total.mean()),
        "density arc": float(parts.std() / parts.mean()) if len(parts) and parts.any() else NAN,
        "tracks playing": float(playing.sum(0).mean()),
        "entries": float(np.abs(np.diff(playing.astype(np.int64), axis=1)).sum() / len(total)),
    }
