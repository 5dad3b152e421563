"""Pictures: the right size, notes where they are, the same bytes for the same music."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray

from gan.spec import HOLD, ONSET, RollSpec, Track
from pipeline.drawing.palette import SURFACE, TRACK_COLOURS, rgb, track_colour
from pipeline.drawing.piano_rolls import Frame, paint
from pipeline.drawing.plots import SAMPLE_SIZE, SONG_BOX, SONG_SIZE, draw_learning, draw_samples, draw_song
from pipeline.pages.album.cover import SIZE, draw_cover
from pipeline.scores.notes import Planes, notes_from_roll

SPEC = RollSpec((Track("Soprano"), Track("Bass")), num_pitches=48, lowest_pitch=36)
BAND = RollSpec((Track("Drums", is_drum=True), Track("Piano")), num_pitches=48, lowest_pitch=36)
Pixels = NDArray[np.uint8]


def silence(spec: RollSpec = SPEC, bars: int = 4) -> Planes:
    return np.zeros((2, spec.num_tracks, bars, spec.steps_per_bar, spec.num_pitches), dtype=bool)


def add(planes: Planes, track: int, pitch: int, bar: int, step: int, length: int) -> None:
    """One note of a MIDI pitch."""
    flat = planes.reshape(*planes.shape[:2], -1, planes.shape[-1])
    start = bar * planes.shape[3] + step
    flat[ONSET, track, start, pitch - 36] = True
    flat[HOLD, track, start + 1 : start + length, pitch - 36] = True


def pixels(path: Path) -> Pixels:
    return np.asarray(np.round(imread(path)[..., :3] * 255), dtype=np.uint8)


def near(image: Pixels, colour: str) -> NDArray[np.bool_]:
    """Where the image has the hue of a track: its body, darker than its pure colour."""
    body = rgb(colour) * 0.82 + rgb(SURFACE) * 0.18
    return np.asarray(np.abs(image - body).max(-1) <= 2)


def a_phrase(seed: int) -> Planes:
    random = np.random.default_rng(seed)
    planes = silence()
    for track, low in ((0, 60), (1, 40)):
        for beat in range(16):
            add(planes, track, low + int(random.integers(12)), beat // 4, beat % 4 * 4, 4)
    return planes


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
    frame = Frame.around(notes, SPEC, 64)
    for width in (128, 372, 1512):
        height = 200
        image = paint(notes, SPEC, frame, width, height)
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
    image = paint(notes, SPEC, Frame.around(notes, SPEC, 64), 400, 200)
    assert near(image, track_colour(0)).sum() == pytest.approx(near(image, track_colour(1)).sum(), rel=0.3)
    assert near(image, track_colour(0)).sum() > 100


def test_drums_lie_in_their_own_strip_below() -> None:
    planes = silence(BAND)
    add(planes, 0, 36, bar=0, step=0, length=1)
    add(planes, 0, 42, bar=0, step=2, length=1)
    add(planes, 1, 40, bar=0, step=0, length=16)
    notes = notes_from_roll(planes, BAND.lowest_pitch)
    frame = Frame.around(notes, BAND, 64)
    image = paint(notes, BAND, frame, 640, 200)
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
    draw_samples(tmp_path / "samples.png", np.stack([planes]), spec, "step 0")
    draw_cover(tmp_path / "cover.png", [planes], "", "", 1)
    assert pixels(tmp_path / "song.png").std() > 5


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


def test_the_cover_follows_the_music(tmp_path: Path) -> None:
    covers: dict[str, bytes] = {}
    for name, seed, song in (("one", 1, 1), ("again", 1, 1), ("other", 1, 2), ("colours", 2, 1)):
        draw_cover(tmp_path / f"{name}.png", [a_phrase(song)], "Salt on the Window", "AlbumGAN", seed)
        covers[name] = (tmp_path / f"{name}.png").read_bytes()
    assert covers["one"] == covers["again"]
    assert len(set(covers.values())) == 3
    image = pixels(tmp_path / "one.png")
    assert image.shape == (SIZE, SIZE, 3)
    assert image.std() > 20


@pytest.mark.parametrize(
    "title", ["X", "One Two Three Four Five Six Seven Eight Nine Ten " * 2, "$a_1$ 雨 \\n", "W" * 80]
)
def test_any_title_fits_the_cover(title: str, tmp_path: Path) -> None:
    draw_cover(tmp_path / "cover.png", [a_phrase(1)], title, "Nobody", 1)
    image = pixels(tmp_path / "cover.png").astype(int)
    edge = image[: SIZE // 3, -40:]
    assert (edge == edge[0, 0]).all(), "no letter touches the right edge"


RECORDS: list[Mapping[str, Any]] = [
    {
        "step": step,
        "seconds": step * 0.1,
        "generator_loss": 2.0 - step / 1000,
        "discriminator_loss": 1.0,
        "overlap": step / 1000,
        "rates": {"Soprano": 3.0, "Bass": float("nan")},
        "warnings": ["x"],
    }
    for step in range(25, 1000, 25)
]


def test_learning_curves_show_figures_and_the_data(tmp_path: Path) -> None:
    draw_learning(tmp_path / "without.png", RECORDS, {})
    draw_learning(tmp_path / "with.png", RECORDS, {"overlap": 0.9})
    without, with_data = pixels(tmp_path / "without.png"), pixels(tmp_path / "with.png")
    assert without.shape == with_data.shape == (300, 3 * 480 + 40, 3)
    changed = (without != with_data).any(-1)
    assert changed[:, :500].any(), "a reference line in the overlap's panel"
    assert not changed[60:, 540:].any(), "and in no other"
    fewer = [{key: value for key, value in record.items() if key != "overlap"} for record in RECORDS]
    draw_learning(tmp_path / "fewer.png", fewer, {})
    assert pixels(tmp_path / "fewer.png").shape == (300, 2 * 480 + 40, 3)


@pytest.mark.parametrize("records", [[], [{"step": 25}], [{"step": 25, "loss": 1.0}], [{"loss": float("inf")}]])
def test_learning_curves_of_almost_nothing(records: list[Mapping[str, Any]], tmp_path: Path) -> None:
    draw_learning(tmp_path / "learning.png", records, {"loss": 1.0})
    assert pixels(tmp_path / "learning.png").std() > 1


def seen_by(kind: str, colour: str) -> NDArray[np.float64]:
    """Linear RGB as protanopes or deuteranopes see it (Machado, Oliveira and Fernandes 2009, severity 1)."""
    matrices = {
        "all": np.eye(3),
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    }
    return np.clip(np.asarray(matrices[kind]) @ (rgb(colour) / 255.0) ** 2.2, 0, 1)


@pytest.mark.parametrize("kind", ["all", "protan", "deutan"])
def test_tracks_stay_apart_for_colour_blind_eyes(kind: str) -> None:
    seen = [seen_by(kind, colour) ** (1 / 2.2) for colour in (*TRACK_COLOURS[:6], SURFACE)]
    for one, other in itertools.combinations(range(len(seen)), 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 0.2, (one, other)
