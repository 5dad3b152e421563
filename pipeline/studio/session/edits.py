"""Edits of a song by hand: notes drawn and erased, instruments, tempo, swing, volume, key, more bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.errors import UserError
from pipeline.scores.chords.symbols import transpose_rows, unknown_chords
from pipeline.scores.instruments import DRUM_SETS
from pipeline.scores.keys import key_name
from pipeline.scores.notes import Notes, cut_overlaps, make_notes
from pipeline.scores.swing import check_swing
from pipeline.songs.key_and_tempo import comfortable_ranges, share_out_of_range
from pipeline.songs.provenance import Origin
from pipeline.songs.request import FASTEST_BPM, SLOWEST_BPM
from pipeline.songs.song import Section, Song
from pipeline.studio.session.cell_request import typed_key
from pipeline.studio.session.model import StudioModel

MOST_DRAWN = 4096
"""Notes that one edit may draw or erase."""
MOST_BARS = 1024
"""Of a song."""
ENDING_BARS = 2
"""Bars at the end of a song in which it may slow down."""
MODE_CHANGES = {True: {4: 3, 9: 8, 11: 10}, False: {3: 4, 8: 9, 10: 11}}
"""Degrees in semitones that a major (False) or minor (True) key has in place of others'."""
CONTINUATION = "made"
"""The role of a section that a song goes on with."""


def with_notes(song: Song, track: int, add: Sequence[Sequence[int]], remove: Sequence[Sequence[int]]) -> Song:
    """The song with notes of a track erased and others drawn.

    Parameters
    ----------
    song, track
        The song, and the index of the track.
    add
        (step, length, pitch, velocity) of each: kept within the song and its pitches. A note that begins inside another
        of its pitch ends that one.
    remove
        (step, pitch) of each; a note is also meant where it sounds at the step.

    Raises
    ------
    UserError
        There is no such track, or nothing to erase where it was asked.
    """
    check_track(song, track)
    if len(add) + len(remove) > MOST_DRAWN:
        raise UserError(f"Draw at most {MOST_DRAWN} notes at once.")
    stays = np.ones(len(song.notes), np.bool_)
    cells = np.zeros((song.spec.num_tracks, song.num_bars), np.bool_)
    for step, pitch in remove:
        hit = _sounding(song.notes, track, int(step), int(pitch)) & stays
        stays &= ~hit
        _mark(cells, song.notes[hit], song.spec)
    if remove and not add and stays.all():
        raise UserError("There is no note to erase there.")
    drawn, velocities = _drawn(song, track, add)
    _mark(cells, drawn, song.spec)
    for note in drawn:  # one drawn where another begins replaces it
        same = (song.notes["pitch"] == note["pitch"]) & (song.notes["onset"] == note["onset"])
        stays &= ~(same & (song.notes["track"] == track))
    changed = put_together(
        song,
        np.concatenate([song.notes[stays], drawn]),
        np.concatenate([song.velocities[stays], velocities]),
        np.concatenate([song.timing_ticks[stays], np.zeros(len(drawn), np.int16)]),
    )
    return replace(changed, origins=np.where(cells, Origin.DRAWN, song.all_origins).astype(np.uint8))


def put_together(song: Song, notes: Notes, velocities: NDArray[np.uint8], timing_ticks: NDArray[np.int16]) -> Song:
    """The song with these notes in any order, each with its velocity and timing; overlaps are cut."""
    table = cut_overlaps(notes)
    places = {place: index for index, place in enumerate(zip(*(notes[name].tolist() for name in PLACE), strict=True))}
    index = np.array([places[place] for place in zip(*(table[name].tolist() for name in PLACE), strict=True)], np.intp)
    return replace(song, notes=table, velocities=velocities[index], timing_ticks=timing_ticks[index])


PLACE = ("track", "pitch", "onset")


def check_track(song: Song, track: int) -> None:
    """Raise `UserError` for a track that the song does not have."""
    if not 0 <= track < song.spec.num_tracks:
        raise UserError(f"There is no track {track}; there are {', '.join(song.spec.names)}.")


def with_instrument(song: Song, track: int, program: int) -> Song:
    """The song with another General MIDI program (0 to 127) for a track, of drums a drum set's."""
    check_track(song, track)
    is_drum = song.spec.tracks[track].is_drum
    if is_drum and program not in DRUM_SETS.values():
        sets = ", ".join(f"{number} {name}" for name, number in DRUM_SETS.items())
        raise UserError(f"Program {program} is no drum set; there are {sets}.")
    if not 0 <= program <= 127:
        raise UserError(f"Programs count from 0 to 127, so {program} is none.")
    programs = [program if index == track else own for index, own in enumerate(song.programs)]
    return replace(song, programs=tuple(programs))


def with_tempo(song: Song, tempo_bpm: float) -> Song:
    """The song at another tempo at its beginning; all others move in proportion, and so does its slowing down."""
    if not SLOWEST_BPM <= tempo_bpm <= FASTEST_BPM:
        raise UserError(
            f"The tempo must lie between {SLOWEST_BPM:g} and {FASTEST_BPM:g} beats a minute, not {tempo_bpm:g}."
        )
    _check_no_loop(song, "tempo")
    ratio = tempo_bpm / song.tempo_bpm
    tempi = [(step, tempo_bpm if step == 0 else own * ratio) for step, own in song.tempo_map]
    return replace(song, tempo_map=tuple(tempi))


def with_swing(song: Song, swing: float) -> Song:
    """The song with another swing, from 0.5 (straight) to 0.75."""
    try:
        check_swing(swing, song.spec)
    except ValueError as error:
        raise UserError(f"{error}.") from error
    return replace(song, swing=float(swing))


def with_volume(song: Song, track: int, volume: float) -> Song:
    """The song with another volume of a track, from 0 to 1."""
    check_track(song, track)
    if not 0 <= volume <= 1:
        raise UserError(f"A volume lies between 0 and 1, not {volume:g}.")
    volumes = [float(volume) if index == track else own for index, own in enumerate(song.volumes)]
    return replace(song, volumes=tuple(volumes))


def transposed_to(song: Song, key: str, model: StudioModel) -> Song:
    """The song in another key: moved up or down, whichever its instruments like better.

    From major to minor and back thirds, sixths and sevenths change, and chords are recognised anew.
    """
    target, own = typed_key(key), typed_key(song.key)
    if target == own:
        raise UserError(f"The song is in {song.key} already.")
    _check_no_loop(song, "key")
    pitched = np.isin(song.notes["track"], song.spec.pitched)
    notes = song.notes.copy()
    if target.is_minor != own.is_minor:
        changes = MODE_CHANGES[target.is_minor]
        degrees = (notes["pitch"] - own.tonic) % 12
        moved = np.array([changes.get(degree, degree) for degree in range(12)], np.int32)[degrees] - degrees
        notes["pitch"] += np.where(pitched, moved, 0).astype(np.int32)
    up = (target.tonic - own.tonic) % 12
    ranges = comfortable_ranges(model.inpainter.statistics.sounding, song.programs, model.spec)
    shifts = []
    for shift in (up, up - 12):
        there = notes.copy()
        there["pitch"] += np.where(pitched, shift, 0).astype(np.int32)
        shifts.append((share_out_of_range(there, ranges, song.spec), abs(shift), shift))
    shift = min(shifts)[2]
    notes["pitch"] += np.where(pitched, shift, 0).astype(np.int32)
    _keep_tracks_inside(notes, song.spec)
    notes["pitch"] = [_inside(pitch, song.spec) for pitch in notes["pitch"].tolist()]
    chords = song.composed_chords
    if chords is not None:
        same = target.is_minor == own.is_minor
        chords = transpose_rows(chords, shift) if same else unknown_chords(len(chords))
    changed = put_together(song, notes, song.velocities, song.timing_ticks)
    return replace(changed, key=key_name(target), composed_chords=chords)


def lengthened(song: Song, bars: int) -> Song:
    """The song with so many silent bars more, in a section of their own; where it slowed down, its new end does.

    Their chords are those of its last section, again.
    """
    if bars < 1 or song.num_bars + bars > MOST_BARS:
        raise UserError(f"A song goes on by 1 to {MOST_BARS - song.num_bars} bars, not {bars}.")
    number = 1 + sum(section.role == CONTINUATION for section in song.sections)
    section = Section(f"{CONTINUATION} {number}", CONTINUATION, song.num_bars, bars)
    more = bars * song.spec.steps_per_bar
    ending = (song.num_bars - ENDING_BARS) * song.spec.steps_per_bar
    slows = [tempo for step, tempo in song.tempo_map if step > ending]
    before = [tempo for step, tempo in song.tempo_map if step <= ending]
    moves = bool(slows) and [before[-1], *slows] == sorted([before[-1], *slows], reverse=True)
    tempi = [(step + more if moves and step > ending else step, tempo) for step, tempo in song.tempo_map]
    last = next((one for one in reversed(song.sections) if one.num_bars > ENDING_BARS), song.sections[-1])
    end = min(last.first_bar + last.num_bars, max(1, song.num_bars - 1))  # without the last bar, its ending
    progression = song.chords[2 * last.first_bar : 2 * end]
    return replace(
        song,
        sections=(*song.sections, section),
        tempo_map=tuple(tempi),
        composed_chords=np.concatenate([song.chords, np.resize(progression, (2 * bars, progression.shape[1]))]),
        origins=None if song.origins is None else np.pad(song.origins, [(0, 0), (0, bars)]),
    )


def _check_no_loop(song: Song, what: str) -> None:
    if song.loops:
        raise UserError(f"The loops of {song.loops[0].record} keep their {what}, so that of the song can't change.")


def _sounding(notes: Notes, track: int, step: int, pitch: int) -> NDArray[np.bool_]:
    """The note of a track and pitch that sounds at a step, bool `[notes]`."""
    here = (notes["onset"] <= step) & (step < notes["onset"] + notes["length"])
    return np.asarray(here & (notes["track"] == track) & (notes["pitch"] == pitch))


def _mark(cells: NDArray[np.bool_], notes: Notes, spec: RollSpec) -> None:
    """Set the cells in which notes sound."""
    for track, _, onset, length in notes.tolist():
        cells[track, onset // spec.steps_per_bar : (onset + length - 1) // spec.steps_per_bar + 1] = True


def _drawn(song: Song, track: int, add: Sequence[Sequence[int]]) -> tuple[Notes, NDArray[np.uint8]]:
    """Drawn notes, inside the song, with their velocities; of two at one place the last counts."""
    spec, last = song.spec, {}
    for step, length, pitch, velocity in add:
        onset = min(max(int(step), 0), song.num_steps - 1)
        inside = min(max(int(pitch), spec.lowest_pitch), spec.lowest_pitch + spec.num_pitches - 1)
        last[onset, inside] = (min(max(int(length), 1), song.num_steps - onset), min(max(int(velocity), 1), 127))
    if not last:
        return song.notes[:0], np.zeros(0, np.uint8)
    rows = sorted((onset, pitch, length, velocity) for (onset, pitch), (length, velocity) in last.items())
    onsets, pitches, lengths, velocities = zip(*rows, strict=True)
    return make_notes(track, pitches, onsets, lengths), np.array(velocities, np.uint8)


def _keep_tracks_inside(notes: Notes, spec: RollSpec) -> None:
    """Move tracks that leave the pitches of a spec by an octave as a whole, where they fit then: lines don't break."""
    low, high = spec.lowest_pitch, spec.lowest_pitch + spec.num_pitches - 1
    for track in spec.pitched:
        mine = notes["track"] == track
        pitches = notes["pitch"][mine]
        octave = 0 if not len(pitches) else 12 * (pitches.min() < low) - 12 * (pitches.max() > high)
        if octave and low <= pitches.min() + octave and pitches.max() + octave <= high:
            notes["pitch"][mine] += octave


def _inside(pitch: int, spec: RollSpec) -> int:
    """A pitch moved by octaves into those of a spec."""
    low, high = spec.lowest_pitch, spec.lowest_pitch + spec.num_pitches - 1
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch
