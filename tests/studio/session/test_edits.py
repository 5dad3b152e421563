"""Edits by hand: what is drawn is on the grid, what is erased is gone, and all else stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.scores.chords.symbols import read_progression
from pipeline.scores.keys import NAMES, pitch_class_durations
from pipeline.songs.provenance import Origin
from pipeline.studio.session.edits import (
    lengthened,
    transposed_to,
    with_instrument,
    with_notes,
    with_swing,
    with_tempo,
    with_volume,
)
from pipeline.studio.session.model import StudioModel
from pipeline.studio.session.version_making import MAJOR_SCALE, MINOR_SCALE
from tests.studio_makers import BASS, DRUMS, LEAD, PIANO, band_song, rows_of

SONG = band_song()
RITARDANDO = ((0, 100.0), (164, 96.0), (176, 88.0))


def test_a_drawn_note_comes_in_and_nothing_else_changes() -> None:
    song = with_notes(SONG, BASS, [(2, 2, 50, 101)], [])
    assert rows_of(song) - rows_of(SONG) == {(BASS, 50, 2, 2, 101, 0)}
    assert rows_of(SONG) <= rows_of(song)


def test_drawn_notes_are_kept_within_the_song_and_its_pitches() -> None:
    song = with_notes(SONG, LEAD, [(-5, 0, 3, 0), (9999, 50, 127, 900)], [])
    low, high = SONG.spec.lowest_pitch, SONG.spec.lowest_pitch + SONG.spec.num_pitches - 1
    assert rows_of(song) - rows_of(SONG) == {
        (LEAD, low, 0, 1, 1, 0),
        (LEAD, high, SONG.num_steps - 1, 1, 127, 0),
    }


def test_a_note_drawn_into_another_of_its_pitch_ends_it() -> None:
    song = with_notes(SONG, PIANO, [(4, 2, 69, 90)], [])
    lengths = {
        (onset, length) for _, pitch, onset, length in song.notes[song.notes["track"] == PIANO].tolist() if pitch == 69
    }
    assert {(0, 4), (4, 2)} <= lengths
    (velocity,) = {row[4] for row in rows_of(song) if row[:3] == (PIANO, 69, 0)}
    assert velocity in {row[4] for row in rows_of(SONG) if row[:3] == (PIANO, 69, 0)}


def test_a_note_drawn_where_one_begins_replaces_it() -> None:
    song = with_notes(SONG, PIANO, [(0, 1, 69, 33)], [])
    assert {row[3:5] for row in rows_of(song) if row[:3] == (PIANO, 69, 0)} == {(1, 33)}


def test_erased_notes_are_gone_also_where_they_only_sound() -> None:
    song = with_notes(SONG, PIANO, [], [(0, 69), (20, 65)])
    gone = {row[:3] for row in rows_of(SONG) - rows_of(song)}
    assert gone == {(PIANO, 69, 0), (PIANO, 65, 16)}
    with pytest.raises(UserError, match="no note to erase"):
        with_notes(SONG, PIANO, [], [(12, 69)])


def test_what_a_hand_touched_is_drawn() -> None:
    song = with_notes(SONG, BASS, [(30, 20, 50, 90)], [(100, 36)])
    drawn = np.argwhere(song.all_origins == Origin.DRAWN).tolist()
    assert drawn == [[BASS, 1], [BASS, 2], [BASS, 3], [BASS, 6]]


def test_an_instrument_changes_for_one_track_and_drums_have_sets() -> None:
    song = with_instrument(SONG, BASS, 38)
    assert song.programs[BASS] == 38 and song.programs[:BASS] == SONG.programs[:BASS]
    assert with_instrument(SONG, DRUMS, 25).programs[DRUMS] == 25
    for track, program in ((DRUMS, 38), (BASS, 128), (9, 0)):
        with pytest.raises(UserError):
            with_instrument(SONG, track, program)


def test_another_tempo_keeps_how_the_song_slows_down() -> None:
    song = with_tempo(replace(SONG, tempo_map=RITARDANDO), 50)
    assert song.tempo_map == ((0, 50.0), (164, 48.0), (176, 44.0))
    assert song.seconds == pytest.approx(2 * replace(SONG, tempo_map=RITARDANDO).seconds)
    with pytest.raises(UserError, match="between 20 and 400"):
        with_tempo(SONG, 3)


def test_swing_and_volume() -> None:
    assert with_swing(SONG, 0.6).swing == 0.6 and with_volume(SONG, BASS, 0.25).volumes[BASS] == 0.25
    with pytest.raises(UserError, match="swing must lie between"):
        with_swing(SONG, 0.9)
    with pytest.raises(UserError, match="between 0 and 1"):
        with_volume(SONG, BASS, 1.5)


@pytest.mark.parametrize("key", ["E minor", "C# minor", "C major", "Eb major"])
def test_a_song_comes_into_the_typed_key(model: StudioModel, key: str) -> None:
    song = transposed_to(SONG, key, model)
    assert song.key == key and len(song.notes) == len(SONG.notes)
    tonic, scale = NAMES.index(key.split()[0]), MINOR_SCALE if key.endswith("minor") else MAJOR_SCALE
    sounding = np.flatnonzero(pitch_class_durations(song.notes, song.spec))
    assert {(pitch - tonic) % 12 for pitch in sounding.tolist()} <= set(scale)
    drums = SONG.notes["track"] == DRUMS
    assert np.array_equal(song.notes[song.notes["track"] == DRUMS], SONG.notes[drums])


def test_chords_move_with_the_key(model: StudioModel) -> None:
    chords = np.tile(read_progression("Am F C G"), (3, 1))
    song = transposed_to(replace(SONG, composed_chords=chords), "B minor", model)
    assert np.array_equal(song.chords[:8], read_progression("Bm G D A"))
    with pytest.raises(UserError, match="in A minor already"):
        transposed_to(SONG, "A minor", model)
    with pytest.raises(UserError, match="moll is no key"):
        transposed_to(SONG, "H moll", model)


def test_a_line_that_leaves_the_pitches_moves_as_a_whole(model: StudioModel) -> None:
    bass = SONG.notes["track"] == BASS
    notes = SONG.notes.copy()
    notes["pitch"][bass] = SONG.spec.lowest_pitch + np.arange(bass.sum()) % 8
    for track in (LEAD, PIANO):
        mine = notes["track"] == track
        notes["pitch"][mine] += SONG.spec.lowest_pitch + SONG.spec.num_pitches - 1 - notes["pitch"][mine].max()
    for key in ("G minor", "F# minor", "D minor"):
        song = transposed_to(replace(SONG, notes=notes), key, model)
        after = song.notes["pitch"][song.notes["track"] == BASS]
        assert len(set((after - notes["pitch"][bass]).tolist())) == 1


def test_a_longer_song_slows_down_at_its_new_end() -> None:
    song = lengthened(replace(SONG, tempo_map=RITARDANDO), 4)
    assert song.num_bars == 16 and song.tempo_map == ((0, 100.0), (164 + 64, 96.0), (176 + 64, 88.0))
    assert rows_of(song) == rows_of(SONG)
    assert (song.sections[-1].first_bar, song.sections[-1].num_bars) == (12, 4)
    steady = lengthened(replace(SONG, tempo_map=((0, 100.0), (170, 130.0))), 4)
    assert steady.tempo_map == ((0, 100.0), (170, 130.0)), "what gets faster does not slow down"
    with pytest.raises(UserError, match="goes on by 1 to"):
        lengthened(SONG, 0)
