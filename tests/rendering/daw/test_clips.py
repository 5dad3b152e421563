"""Clips and stems of a song, before they are written as a project of any kind."""

from __future__ import annotations

import numpy as np

from pipeline.rendering.daw.clips import chord_clips, master_gain, note_clips, quarters_at, seconds_at_tick, stems_of
from pipeline.scores.chords.symbols import read_progression
from tests.daw_makers import long_song, noises
from tests.song_makers import song_of

BAR = 4 * 480


def test_a_section_is_a_clip_from_bar_line_to_bar_line() -> None:
    clips = note_clips(song_of(humanized=1.0), 2)
    assert [(clip.name, clip.start, clip.end) for clip in clips] == [("verse", 0, BAR), ("chorus", BAR, 2 * BAR)]


def test_sections_that_a_note_is_held_across_share_a_clip_and_none_is_cut() -> None:
    song = long_song(humanized=0.0, swing=0.5)
    (clip,) = note_clips(song, 2)
    assert (clip.name, clip.start, clip.end) == ("verse + chorus", 0, 8 * BAR)
    assert [14 * 120, 18 * 120, 40] in clip.notes[:, :3].tolist()


def test_a_section_in_which_a_track_is_silent_has_no_clip() -> None:
    assert [clip.name for clip in note_clips(song_of([(1, 60, 20, 4), (2, 36, 0, 4)]), 1)] == ["chorus"]


def test_notes_swing_and_are_late_or_early_as_they_are_played() -> None:
    song = song_of([(1, 60, 18, 2), (1, 62, 20, 2)], swing=0.6, timing_ticks=np.array([0, -20], np.int16))
    (clip,) = note_clips(song, 1)
    assert (clip.start + clip.notes[:, :2]).tolist() == np.stack(song.bounds_ticks(), axis=1).tolist()


def test_a_note_played_before_its_section_begins_with_it() -> None:
    song = song_of([(1, 60, 16, 2)], timing_ticks=np.array([-20], np.int16))
    assert note_clips(song, 1)[0].notes[0, :2].tolist() == [0, 240]


def test_chords_are_clips_with_their_names_and_pitch_classes() -> None:
    clips = chord_clips(song_of(composed_chords=read_progression("C/E Am | N.C. G7")))
    assert [(clip.name, clip.start, clip.end) for clip in clips] == [
        ("C/E", 0, BAR // 2),
        ("Am", BAR // 2, BAR),
        ("G7", 3 * BAR // 2, 2 * BAR),
    ]
    assert [sorted({pitch % 12 for pitch in clip.notes[:, 2]}) for clip in clips] == [
        [0, 4, 7],
        [0, 4, 9],
        [2, 5, 7, 11],
    ]
    assert clips[0].notes[:, 2].min() % 12 == 4


def test_quarters_and_seconds_agree_through_the_tempo_map_and_behind_its_end() -> None:
    song = long_song()
    for tick in (0, 480, 28 * 480, 29 * 480 + 100, 32 * 480, 40 * 480):
        assert np.isclose(quarters_at(song, seconds_at_tick(song, tick)), tick / 480)


def test_stems_stand_in_the_order_of_the_tracks_and_a_record_comes_last() -> None:
    song = song_of()
    stems = stems_of(song, noises(song, ("Record", "Bass", "Drums")))
    assert [stem.path for stem in stems] == ["stems/drums.wav", "stems/bass.wav", "stems/record.wav"]


def test_a_stem_over_full_scale_is_softer_in_its_file_and_as_loud_by_its_fader() -> None:
    song = song_of()
    loud = noises(song, ("Bass",), peak=1.5)
    (stem,) = stems_of(song, loud)
    assert np.isclose(np.abs(stem.sound).max(), 1) and np.allclose(stem.sound * stem.gain, loud["Bass"], atol=1e-6)


def test_the_master_fader_keeps_the_sum_of_the_stems_under_full_scale() -> None:
    song = song_of()
    stems = noises(song, ("Drums", "Bass"), peak=0.9)
    total = stems["Drums"] + stems["Bass"]
    assert np.abs(total).max() > 1 > np.abs(total * master_gain(stems)).max()
    assert master_gain(noises(song, ("Drums", "Bass"), peak=0.4)) == 1
