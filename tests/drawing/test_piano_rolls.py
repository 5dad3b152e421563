"""Piano rolls: the right size, notes where they are, the same bytes for the same music."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from gan.spec import RollSpec, Track
from pipeline.drawing.palette import QUIET_TEXT, SURFACE, rgb, track_colour
from pipeline.drawing.piano_rolls import (
    SAMPLE_SIZE,
    SONG_BOX,
    SONG_SIZE,
    RollFrame,
    draw_samples,
    draw_song,
    paint_roll,
)
from pipeline.scores.notes import notes_from_roll
from tests.drawing.pictures import BAND, SPEC, a_phrase, add, near, pixels, silence


def test_a_note_lies_at_its_bar_and_pitch(tmp_path: Path) -> None:
    planes = silence(bars=8)
    add(planes, 0, 72, bar=6, step=8, length=8)
    add(planes, 1, 48, bar=0, step=0, length=4)
    draw_song(tmp_path / "song.png", planes, SPEC, [("verse", 0, 8)], "One note", 120)
    image = pixels(tmp_path / "song.png")
    assert image.shape == (SONG_SIZE[1], SONG_SIZE[0], 3)
    left, top, right, bottom = SONG_BOX
    roll = image[top:bottom, left:right]
    rows, columns = np.nonzero(near(roll, track_colour(0)))
    share = (columns.min() / roll.shape[1], columns.max() / roll.shape[1])
    assert share == pytest.approx((6.5 / 8, 7 / 8), abs=0.005), "a step is 0.0078"
    low_rows, low_columns = np.nonzero(near(roll, track_colour(1)))
    assert low_columns.max() / roll.shape[1] == pytest.approx(1 / 32, abs=0.01)
    semitone = roll.shape[0] / (72 - 48 + 3)
    assert low_rows.mean() - rows.mean() == pytest.approx(24 * semitone, abs=semitone / 2)


def test_repeated_notes_are_seen_as_two() -> None:
    planes = silence()
    add(planes, 0, 60, bar=1, step=0, length=4)
    add(planes, 0, 60, bar=1, step=4, length=4)
    notes = notes_from_roll(planes, SPEC.lowest_pitch)
    frame = RollFrame.around(notes, SPEC, 64)
    for width in (128, 372, 1512):
        height = 200
        image = paint_roll(notes, SPEC, frame, width, height)
        line = image[(frame.row(60, height) + frame.row(61, height)) // 2]
        inside = line[frame.column(16, width) : frame.column(24, width)]
        sounds = near(inside, track_colour(0)) | (inside.astype(int).sum(-1) > 500)
        runs = [bool(key) for key, _ in itertools.groupby(sounds)]
        assert runs == [True, False, True, False], width


def test_voices_in_unison_are_both_seen() -> None:
    planes = silence()
    add(planes, 0, 60, bar=0, step=0, length=16)
    add(planes, 1, 60, bar=0, step=0, length=16)
    notes = notes_from_roll(planes, SPEC.lowest_pitch)
    image = paint_roll(notes, SPEC, RollFrame.around(notes, SPEC, 64), 400, 200)
    assert near(image, track_colour(0)).sum() == pytest.approx(near(image, track_colour(1)).sum(), rel=0.3)
    assert near(image, track_colour(0)).sum() > 100


def test_drums_lie_in_their_own_strip_below() -> None:
    planes = silence(BAND)
    add(planes, 0, 36, bar=0, step=0, length=1)
    add(planes, 0, 42, bar=0, step=2, length=1)
    add(planes, 1, 40, bar=0, step=0, length=16)
    notes = notes_from_roll(planes, BAND.lowest_pitch)
    frame = RollFrame.around(notes, BAND, 64)
    image = paint_roll(notes, BAND, frame, 640, 200)
    strip = 200 - frame.drum_pixels(200, BAND)
    assert near(image[strip:], track_colour(0)).any()
    assert not near(image[:strip], track_colour(0)).any()
    assert not near(image[strip:], track_colour(1)).any()
    kick, hat = (np.nonzero(near(image, track_colour(0))[:, at : at + 10].any(1))[0].mean() for at in (0, 20))
    assert kick > hat, "the lower drum lies lower"


@pytest.mark.parametrize("spec", [SPEC, BAND, RollSpec((Track("Drums", is_drum=True),))], ids=lambda s: s.names[0])
def test_silence_is_drawn_too(spec: RollSpec, tmp_path: Path) -> None:
    planes = silence(spec)
    draw_song(tmp_path / "song.png", planes, spec, [("a very long name", 0, 1), ("b", 1, 3)], "$x$ <b>", 90)
    image = pixels(tmp_path / "song.png")
    left, top, right, bottom = SONG_BOX
    roll = image[top:bottom, left:right]
    assert not any(near(roll, track_colour(track)).any() for track in range(spec.num_tracks)), "no note"
    lines = np.flatnonzero((roll == rgb(QUIET_TEXT)).all(-1).all(0))
    assert lines == pytest.approx([0, roll.shape[1] / 4], abs=1), "where sections begin"
    draw_samples(tmp_path / "samples.png", np.stack([planes]), spec, "step 0")
    box = pixels(tmp_path / "samples.png")[56 : 56 + SAMPLE_SIZE[1], 44 : 44 + SAMPLE_SIZE[0]]
    assert (box == rgb(SURFACE)).all(-1).mean() > 0.5 and (box.max(-1) > 140).any(), "the word silence is in it"


def test_samples_share_one_pitch_axis(tmp_path: Path) -> None:
    low, high = silence(), silence()
    add(low, 0, 48, 0, 0, 64)
    add(high, 0, 72, 0, 0, 64)
    draw_samples(tmp_path / "samples.png", np.stack([low, high, low, low, high]), SPEC, "step 500")
    found = near(pixels(tmp_path / "samples.png"), track_colour(0))
    width, height = SAMPLE_SIZE
    first = np.nonzero(found[60 : 50 + height, 50:width].any(1))[0].mean()
    second = np.nonzero(found[60 : 50 + height, 60 + width : 40 + 2 * width].any(1))[0].mean()
    assert first - second > height / 2
    assert found[60 + height :, :].any(), "the fifth phrase starts a second row"


def test_a_slower_end_moves_the_time_axis(tmp_path: Path) -> None:
    planes = a_phrase(1)
    for name, tempo in (("even", 60.0), ("map", ((0, 60.0),)), ("slower", ((0, 60.0), (32, 30.0)))):
        draw_song(tmp_path / f"{name}.png", planes, SPEC, [("verse", 0, 4)], "Song", tempo)
    even, same, slower = ((tmp_path / f"{name}.png").read_bytes() for name in ("even", "map", "slower"))
    assert even == same
    left, _, right, bottom = SONG_BOX
    ticks = [
        np.nonzero(pixels(tmp_path / f"{n}.png")[bottom + 3, left:right].max(-1) > 100)[0] for n in ("even", "slower")
    ]
    assert np.ptp(np.diff(ticks[0])) <= 1
    assert np.diff(ticks[1])[0] > 1.8 * np.diff(ticks[1])[-1]
    assert slower != even


def test_chords_stand_above_the_sections_where_they_have_room(tmp_path: Path) -> None:
    planes, sections = a_phrase(1), [("verse", 0, 4)]
    near_each_other = [(0, "Am7/G"), (1, "F"), (16, "C/E"), (63, "Gm7b5/Db")]
    for name, chords in (("none", []), ("all", near_each_other), ("some", [near_each_other[0], near_each_other[2]])):
        draw_song(tmp_path / f"{name}.png", planes, SPEC, sections, "Song", 60.0, chords)
    none, every, some = (pixels(tmp_path / f"{name}.png") for name in ("none", "all", "some"))
    changed = np.nonzero((none != some).any(-1))
    left, top, *_ = SONG_BOX
    assert changed[0].max() < top - 32 and changed[0].min() > 36, "between title and sections"
    assert changed[1].min() == pytest.approx(left, abs=3)
    assert np.array_equal(every, some), "what would overlap the symbol before, or the edge, is left out"
