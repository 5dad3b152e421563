"""Multipitch estimation: pitched notes out of sound, by the network of basic-pitch.

Bittner, Bosch, Rubinstein, Meseguer-Brocal and Ewert, "A lightweight instrument-agnostic model for polyphonic note
transcription and multipitch estimation" (ICASSP 2022). The network comes with the package as an ONNX file, which is
read where it lies: the package itself is never imported. Framing and the decoding of notes are our own.
"""

from __future__ import annotations

import importlib.util
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UserError

PITCH = np.dtype([("start", np.float64), ("end", np.float64), ("pitch", np.int16), ("velocity", np.int16)])
"""One pitched note: start and end in seconds, MIDI pitch, velocity 1 to 127."""

Pitches = NDArray[np.void]
"""A structured array `[notes]` of dtype `PITCH`, sorted by start."""

NETWORK_FILE = "saved_models/icassp_2022/nmp.onnx"
NETWORK_RATE_HZ = 22050
HOP = 256
"""Samples from one frame of the network to the next: 86 frames a second."""
WINDOW_FRAMES = 172
WINDOW = 2 * NETWORK_RATE_HZ - HOP
"""Samples that the network takes at once."""
MARGIN_FRAMES = 16
"""At both ends of a window the network knows too little: so many frames are taken from the windows beside it."""
KEPT_FRAMES = WINDOW_FRAMES - 2 * MARGIN_FRAMES
LOWEST_PITCH, NUM_PITCHES = 21, 88
"""The network's pitches are a piano's keys."""
BATCH = 8
"""Windows that go through the network at once."""

FRAME_SECONDS = HOP / NETWORK_RATE_HZ


@dataclass(frozen=True)
class NoteDecoding:
    """Thresholds of note decoding.

    These values have the best F1 of notes and of rolls on 18 pieces rendered with two SoundFonts.
    """

    onset: float = 0.55
    """A local maximum of the onsets above this begins a note."""
    frame: float = 0.27
    """A note lasts while its pitch is above this."""
    gap_frames: int = 11
    """So many frames below it are bridged."""
    shortest_frames: int = 5
    """Shorter notes are dropped."""
    unstruck_frame: float = 0.3
    """What sounds without an onset is a note where it is this sure on average..."""
    unstruck_frames: int = 11
    """...and lasts this long."""


@dataclass(frozen=True)
class PitchActivations:
    """Output of the network for each frame (86 a second) and each of 88 pitches from `LOWEST_PITCH`.

    Attributes
    ----------
    onsets, frames, contours
        Float32 `[frames, 88]` from 0 to 1: whether a note begins, whether one sounds, and whether a fundamental lies
        within the semitone.
    """

    onsets: NDArray[np.float32]
    frames: NDArray[np.float32]
    contours: NDArray[np.float32]


def find_pitches(samples: NDArray[np.float32], decoding: NoteDecoding | None = None) -> Pitches:
    """Transcribe the pitched notes of a recording.

    Parameters
    ----------
    samples
        Mono sound at 44,100 Hz, float32 `[samples]`.
    decoding
        Other thresholds than the usual ones.

    Returns
    -------
    Notes, sorted by start, then by pitch.

    Raises
    ------
    UserError
        The package that has the network is not installed.
    """
    return decode_notes(pitch_activations(samples), decoding or NoteDecoding())


def network_path() -> Path:
    """The network's file. Raises `UserError` where its package is not installed."""
    found = importlib.util.find_spec("basic_pitch")
    places = list(found.submodule_search_locations or []) if found else []
    for place in places:
        path = Path(place) / NETWORK_FILE
        if path.is_file():
            return path
    raise UserError(
        "the network that finds pitches is not installed: pip install --no-deps basic-pitch==0.4.0 brings it."
    )


def pitch_activations(samples: NDArray[np.float32]) -> PitchActivations:
    """Run the network over a recording, float32 `[samples]` at 44,100 Hz, in windows of two seconds that overlap."""
    import onnxruntime
    import soxr

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(str(network_path()), options, providers=["CPUExecutionProvider"])
    input_name = session.get_inputs()[0].name
    names = [f"StatefulPartitionedCall:{output}" for output in (2, 1, 0)]
    sound = soxr.resample(samples, SAMPLE_RATE_HZ, NETWORK_RATE_HZ)
    num_frames = -(-len(sound) // HOP)
    num_windows = -(-num_frames // KEPT_FRAMES)
    padded = np.zeros((num_windows - 1) * KEPT_FRAMES * HOP + WINDOW, np.float32)
    lead = MARGIN_FRAMES * HOP
    part = sound[: len(padded) - lead]
    padded[lead : lead + len(part)] = part
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[:: KEPT_FRAMES * HOP]
    found: list[list[NDArray[np.float32]]] = [[], [], []]
    for start in range(0, num_windows, BATCH):
        outputs = session.run(names, {input_name: np.ascontiguousarray(windows[start : start + BATCH])[..., None]})
        for one, parts in zip(outputs, found, strict=True):
            parts.append(one[:, MARGIN_FRAMES : MARGIN_FRAMES + KEPT_FRAMES].reshape(-1, one.shape[-1]))
    onset, frame, fine = (np.concatenate(parts)[:num_frames] for parts in found)
    # of three bins a semitone the second of each is its middle, counted from the one below the first
    contour = np.pad(fine, ((0, 0), (1, 0)))[:, :-1].reshape(-1, NUM_PITCHES, 3).max(axis=2)
    return PitchActivations(onset, frame, contour)


def decode_notes(activations: PitchActivations, decoding: NoteDecoding) -> Pitches:
    """Note decoding: each note lasts from its onset to the next of its pitch, or until its pitch is silent."""
    rows = []
    for index in range(activations.frames.shape[1]):
        onset, frame = activations.onsets[:, index], activations.frames[:, index]
        starts = _peaks(onset, decoding.onset)
        for first, last in _runs(frame > decoding.frame, decoding.gap_frames):
            inside = starts[(starts >= first - 2) & (starts < last)]
            edges = [*inside.tolist(), last]
            rows += [
                (_exact(onset, begin), end, index, float(frame[begin:end].mean()))
                for begin, end in itertools.pairwise(edges)
                if end - begin >= decoding.shortest_frames
            ]
            before = edges[0]
            if before - first >= decoding.unstruck_frames and frame[first:before].mean() >= decoding.unstruck_frame:
                rows.append((float(first), before, index, float(frame[first:before].mean())))
    notes = np.zeros(len(rows), PITCH)
    if rows:
        start, end, index, strength = np.array(rows).T
        notes["start"] = start * FRAME_SECONDS
        notes["end"] = end * FRAME_SECONDS
        notes["pitch"] = index + LOWEST_PITCH
        notes["velocity"] = np.clip(np.rint(127 * strength), 1, 127)
    return np.sort(notes, order=("start", "pitch"))


def _peaks(values: NDArray[np.float32], threshold: float) -> NDArray[np.int64]:
    """Where `values` `[frames]` has a local maximum of at least `threshold`."""
    padded = np.pad(values, 1, constant_values=-1.0)
    inner = padded[1:-1]
    peaks: NDArray[np.int64] = np.flatnonzero((inner >= threshold) & (inner > padded[:-2]) & (inner >= padded[2:]))
    return peaks


def _runs(sounding: NDArray[np.bool_], gap: int) -> list[tuple[int, int]]:
    """First and past-last frame of each stretch that sounds, gaps of at most `gap` frames bridged."""
    edges = np.flatnonzero(np.diff(np.pad(sounding, 1).astype(np.int8)))
    firsts, lasts = edges[::2], edges[1::2]
    far = firsts[1:] - lasts[:-1] > gap
    firsts, lasts = firsts[np.r_[True, far][: len(firsts)]], lasts[np.r_[far, True][: len(lasts)]]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _exact(values: NDArray[np.float32], peak: int) -> float:
    """Where a maximum lies between the frames, by a parabola through it and its neighbours."""
    if not 0 < peak < len(values) - 1:
        return float(peak)
    before, at, after = (float(one) for one in values[peak - 1 : peak + 2])
    bend = before - 2 * at + after
    return peak + 0.5 * (before - after) / bend if bend < 0 else float(peak)
