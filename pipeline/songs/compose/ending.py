"""Endings: the closing cadence of a song, on its tonic, held to the end of a bar."""

from __future__ import annotations

import numpy as np

from gan.spec import RollSpec
from pipeline.scores.keys import Key
from pipeline.scores.notes import NOTE, Notes, cut_overlaps

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


def ending_score(notes: Notes, num_bars: int, spec: RollSpec, key: Key) -> float:
    """How well the notes of `num_bars` bars close, from 0 to 1.

    1 when the last chord is the tonic triad with the root in the bass, sounding in every track that plays in the last
    bar, and beginning in the last bar with a beat left to ring.
    """
    num_steps = num_bars * spec.steps_per_bar
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


def add_ending(notes: Notes, num_bars: int, spec: RollSpec, key: Key) -> tuple[Notes, int]:
    """Music with an ending: its last chord rings to the end of the bar if it closes, or else a bar is added.

    Parameters
    ----------
    notes, num_bars, spec
        The music; no two notes of one track and pitch overlap.
    key
        Its tonic is where the song ends.

    Returns
    -------
    notes, num_bars
        With as many bars or one more.
    """
    if ending_score(notes, num_bars, spec, key) == 1.0:
        return _ring_out(notes, num_bars, spec), num_bars
    return _add_closing_bar(notes, notes, num_bars, spec, key), num_bars + 1


def end_in_last_bar(notes: Notes, num_bars: int, spec: RollSpec, key: Key) -> Notes:
    """Music whose last bar holds its ending: its last chord rings if it closes, or else the tonic takes its place.

    The tracks end that sound in one of the last two bars, or all where fewer than two of the pitched ones do.
    """
    if ending_score(notes, num_bars, spec, key) == 1.0:
        return _ring_out(notes, num_bars, spec)
    begin = (num_bars - 1) * spec.steps_per_bar
    before = notes[notes["onset"] < begin]
    before["length"] = np.minimum(before["length"], begin - before["onset"])
    late = notes[notes["onset"] + notes["length"] > begin - spec.steps_per_bar]
    tracks = np.unique(late["track"])
    if np.isin(spec.pitched, tracks).sum() < min(2, len(spec.pitched)):
        tracks = np.unique(notes["track"])
    ending = notes[np.isin(notes["track"], tracks)]
    return _add_closing_bar(before, ending, num_bars - 1, spec, key)


def _ring_out(notes: Notes, num_bars: int, spec: RollSpec) -> Notes:
    """The notes with the last chord held to the end of the last bar."""
    num_steps = num_bars * spec.steps_per_bar
    step, _ = last_chord(notes, spec, num_steps)
    notes = notes.copy()
    ringing = np.isin(notes["track"], spec.pitched) & (notes["onset"] <= step)
    ringing &= notes["onset"] + notes["length"] > step
    notes["length"][ringing] = num_steps - notes["onset"][ringing]
    return cut_overlaps(notes)


def _add_closing_bar(notes: Notes, ending: Notes, num_bars: int, spec: RollSpec, key: Key) -> Notes:
    """The notes and, after `num_bars` bars, a bar with the tonic for the tracks of `ending`."""
    num_steps = num_bars * spec.steps_per_bar
    last = last_of_tracks(ending, spec)
    if len(last):  # the bass does not end where it happened to be last, but where it usually is
        lowest = int(np.argmin(last["pitch"]))
        usual = ending["pitch"][ending["track"] == last["track"][lowest]].mean()
        last["pitch"][lowest] = round((int(last["pitch"][lowest]) + float(usual)) / 2)
    final = closing_chord(last, spec, key)
    final["onset"], final["length"] = num_steps, spec.steps_per_bar
    hits = _closing_hits(ending, spec, num_steps)
    return cut_overlaps(np.concatenate([notes, final, hits]))


def last_of_tracks(notes: Notes, spec: RollSpec) -> Notes:
    """The last note or chord of each pitched track."""
    by_track = [notes[notes["track"] == track] for track in spec.pitched]
    return np.concatenate(
        [np.empty(0, NOTE), *(own[own["onset"] == own["onset"].max()] for own in by_track if len(own))]
    )


def closing_chord(chord: Notes, spec: RollSpec, key: Key) -> Notes:
    """The tonic triad as near to `chord` as voices can move: the lowest takes the root, the others what is next.

    Where nobody would sing the third, the voice for which it is nearest does.
    """
    final = chord.copy()
    if not len(final):
        return final
    root, third, fifth = triad(key)
    lowest = int(np.argmin(final["pitch"]))
    ground = nearest(int(chord["pitch"][lowest]), (root,), spec)
    for voice, pitch in enumerate(chord["pitch"].tolist()):
        final["pitch"][voice] = ground if voice == lowest else nearest(pitch, (root, third, fifth), spec, ground)
    if len(final) > 1 and third not in final["pitch"] % 12:
        others = [voice for voice in range(len(final)) if voice != lowest]
        near = {voice: nearest(int(chord["pitch"][voice]), (third,), spec, ground) for voice in others}
        chosen = min(others, key=lambda voice: (abs(near[voice] - int(chord["pitch"][voice])), -near[voice]))
        final["pitch"][chosen] = near[chosen]
    return final


def nearest(pitch: int, pitch_classes: tuple[int, ...], spec: RollSpec, least: int = 0) -> int:
    """The pitch of the roll next to `pitch`, from `least` on, with one of the pitch classes; below rather than above.

    Where the roll has none there, `pitch` itself.
    """
    inside = range(max(least, spec.lowest_pitch), spec.lowest_pitch + spec.num_pitches)
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
