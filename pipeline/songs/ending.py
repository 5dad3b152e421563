"""How a song ends: on its tonic, held to the end of a bar."""

from __future__ import annotations

import numpy as np

from gan.spec import RollSpec
from pipeline.scores.keys import Key
from pipeline.scores.notes import NOTE, Notes, Planes, cut_overlaps, notes_from_roll, roll_from_notes

KICK, CRASH = 36, 49


def triad(key: Key) -> tuple[int, int, int]:
    """Pitch classes of the tonic triad: root, third, fifth."""
    return key.tonic, (key.tonic + 4 - key.is_minor) % 12, (key.tonic + 7) % 12


def last_chord(notes: Notes, spec: RollSpec, num_steps: int) -> tuple[int, Notes]:
    """The step of the last onset of a pitched track, and all pitched notes that sound there; (0, none) if silent."""
    pitched = notes[np.isin(notes["track"], spec.pitched) & (notes["onset"] < num_steps)]
    if not len(pitched):
        return 0, pitched
    step = int(pitched["onset"].max())
    return step, pitched[(pitched["onset"] <= step) & (pitched["onset"] + pitched["length"] > step)]


def closeness(planes: Planes, spec: RollSpec, key: Key) -> float:
    """How well music closes, from 0 to 1: 1 when its last chord is the tonic triad with the root in the bass, sounding
    in every track that plays in the last bar, and beginning in the last bar with a beat left to ring.
    """
    num_steps = planes.shape[2] * spec.steps_per_bar
    notes = notes_from_roll(planes, spec.lowest_pitch)
    step, chord = last_chord(notes, spec, num_steps)
    if not len(chord):
        return 0.0
    root, third, fifth = triad(key)
    fits = float(np.mean(np.isin(chord["pitch"] % 12, (root, third, fifth))))
    grounded = bool(int(chord["pitch"].min()) % 12 == root)
    in_last_bar = bool(num_steps - spec.steps_per_bar <= step <= num_steps - spec.steps_per_beat)
    ends = notes["onset"] + notes["length"]
    playing = notes["track"][np.isin(notes["track"], spec.pitched) & (ends > num_steps - spec.steps_per_bar)]
    together = set(playing.tolist()) == set(chord["track"].tolist())
    if fits == 1 and grounded and in_last_bar and together and third in chord["pitch"] % 12:
        return 1.0
    return 0.5 * fits + 0.15 * grounded + 0.1 * in_last_bar + 0.1 * together


def close(planes: Planes, spec: RollSpec, key: Key) -> Planes:
    """Music with an ending: its last chord rings to the end of the bar if it closes, or else a bar is added.

    Parameters
    ----------
    planes, spec
        Bool `[2, tracks, bars, steps, pitches]`; the result has as many bars or one more.
    key
        Its tonic is where the song ends.
    """
    bars = planes.shape[2]
    num_steps = bars * spec.steps_per_bar
    notes = notes_from_roll(planes, spec.lowest_pitch)
    step, _ = last_chord(notes, spec, num_steps)
    if closeness(planes, spec, key) == 1.0:
        ringing = np.isin(notes["track"], spec.pitched) & (notes["onset"] <= step)
        ringing &= notes["onset"] + notes["length"] > step
        notes["length"][ringing] = num_steps - notes["onset"][ringing]
        return roll_from_notes(notes, spec, bars)
    last = last_of_tracks(notes, spec)
    if len(last):  # the bass does not end where it happened to be last, but where it usually is
        lowest = int(np.argmin(last["pitch"]))
        usual = notes["pitch"][notes["track"] == last["track"][lowest]].mean()
        last["pitch"][lowest] = round((int(last["pitch"][lowest]) + float(usual)) / 2)
    final = closing_chord(last, spec, key)
    final["onset"], final["length"] = num_steps, spec.steps_per_bar
    hits = _closing_hits(notes, spec, num_steps)
    return roll_from_notes(cut_overlaps(np.concatenate([notes, final, hits])), spec, bars + 1)


def last_of_tracks(notes: Notes, spec: RollSpec) -> Notes:
    """The last note or chord of each pitched track."""
    last = [mine[mine["onset"] == mine["onset"].max()] for mine in _by_track(notes, spec) if len(mine)]
    return np.concatenate(last) if last else np.empty(0, NOTE)


def _by_track(notes: Notes, spec: RollSpec) -> list[Notes]:
    return [notes[notes["track"] == track] for track in spec.pitched]


def closing_chord(chord: Notes, spec: RollSpec, key: Key) -> Notes:
    """The tonic triad as near to `chord` as voices can move: the lowest takes the root, the others what is next.

    Where nobody would sing the third, the voice for which it is nearest does.
    """
    final = chord.copy()
    if not len(final):
        return final
    root, third, fifth = triad(key)
    lowest = int(np.argmin(final["pitch"]))
    for voice, pitch in enumerate(chord["pitch"].tolist()):
        final["pitch"][voice] = nearest(pitch, (root,) if voice == lowest else (root, third, fifth), spec)
    if len(final) > 1 and third not in final["pitch"] % 12:
        others = [voice for voice in range(len(final)) if voice != lowest]
        near = {voice: nearest(int(chord["pitch"][voice]), (third,), spec) for voice in others}
        chosen = min(others, key=lambda voice: (abs(near[voice] - int(chord["pitch"][voice])), -near[voice]))
        final["pitch"][chosen] = near[chosen]
    return final


def nearest(pitch: int, pitch_classes: tuple[int, ...], spec: RollSpec) -> int:
    """The pitch of the roll next to `pitch` that has one of the pitch classes; below rather than above.

    In a roll of less than an octave without one, `pitch` itself.
    """
    inside = range(spec.lowest_pitch, spec.lowest_pitch + spec.num_pitches)
    fitting = [other for other in inside if other % 12 in pitch_classes]
    return min(fitting, key=lambda other: (abs(other - pitch), other), default=pitch)


def _closing_hits(notes: Notes, spec: RollSpec, step: int) -> Notes:
    """One hit a drum track at `step`: kick and crash where the song has them, else its most frequent drum."""
    hits = []
    for track, kind in enumerate(spec.tracks):
        pitches = notes["pitch"][notes["track"] == track]
        if kind.is_drum and len(pitches):
            drums = [drum for drum in (KICK, CRASH) if drum in pitches] or [int(np.bincount(pitches).argmax())]
            hits += [(track, drum, step, 1) for drum in drums]
    return np.array(hits, NOTE)
