"""What the page computes by itself is what the program computes: attributes, windows, chords, keys, random numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page

from gan.chords import CHORD_TONES, QUALITIES
from gan.spec import RollSpec, Track
from pipeline.scores.chords.symbols import read_progression
from pipeline.scores.keys import read_key
from pipeline.scores.notes import notes_from_roll, roll_from_notes
from pipeline.songs.chord_requests import EVERYWHERE, RequestedChords
from pipeline.songs.inpaint.window_inpainting import attributes_of, next_window
from pipeline.studio.export.static_page import OWN_PAGE
from tests.studio.export.conftest import static_host

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")), bars=4, num_pitches=40, lowest_pitch=30)
CHORDS = {"qualities": list(QUALITIES), "tones": [list(tones) for tones in CHORD_TONES.values()]}
MODEL = {
    "tracks": [{"name": track.name, "is_drum": track.is_drum} for track in SPEC.tracks],
    "bars": SPEC.bars,
    "steps_per_bar": SPEC.steps_per_bar,
    "steps_per_beat": SPEC.steps_per_beat,
    "num_pitches": SPEC.num_pitches,
    "lowest_pitch": SPEC.lowest_pitch,
    "lowest_pitches": [0, 0, 0],
    "pitch_range": SPEC.num_pitches,
}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of the host that has the modules."""
    with static_host(OWN_PAGE) as address:
        page = browser.new_page()
        page.goto(address + "page.css")
        yield page
        page.close()


def call(page: Page, module: str, body: str, value: Any) -> Any:
    """What some words of JavaScript give, `it` being the module."""
    return page.evaluate(
        f"async (value) => {{ const it = await import(new URL('{module}', location.href)); {body} }}", value
    )


def test_attributes_are_those_that_python_measures(page: Page) -> None:
    random = np.random.default_rng(3)
    planes = random.random((2, 3, SPEC.bars, SPEC.steps_per_bar, SPEC.num_pitches)) < 0.04
    planes[1, 0] = False
    planes[1, 1:, :, 3:7, 12:20] = True  # long notes, some over the bar line
    planes[1, 1, :, :, 30] = True
    notes = notes_from_roll(planes, SPEC.lowest_pitch)
    kept = np.array([[True, True, False, True], [True] * 4, [False, True, True, False]])
    tracks = [
        [[int(one["onset"]), int(one["length"]), int(one["pitch"])] for one in notes[notes["track"] == track]]
        for track in range(3)
    ]
    rolls = roll_from_notes(notes, SPEC, SPEC.bars)
    expected = attributes_of(torch.from_numpy(rolls), torch.from_numpy(kept), SPEC)
    body = """
      const grid = new it.Grid(value.model), { keptNotes } = await import(new URL("sampler.js", location.href));
      value.tracks.forEach((notes, track) => grid.add(track, keptNotes(notes, value.kept[track], 16), 0));
      const found = it.attributesOf(grid, (track, bar) => value.kept[track][bar]);
      return Array.from(found, (one) => (Number.isNaN(one) ? null : one));
    """
    found = call(page, "attributes.js", body, {"model": MODEL, "tracks": tracks, "kept": kept.tolist()})
    values = np.array([np.nan if one is None else one for one in found])
    np.testing.assert_allclose(values, expected.numpy(), rtol=1e-5)


def test_windows_are_those_of_the_program(page: Page) -> None:
    random = np.random.default_rng(1)
    for bars in (4, 9):
        made = random.random((30, bars)) < 0.6
        found = call(page, "sampler.js", "return value.map((open) => it.nextWindow(open, 4));", (~made).tolist())
        expected = [next_window(row[None], 4) for row in made]
        assert [None if one is None else tuple(one) for one in found] == expected


@pytest.mark.parametrize(
    "text",
    [
        "Am F C G",
        "Am F | C G",
        "Dm7 G7 | Cmaj7 | %",
        "F#m7b5 B7 | Em | N.C.",
        "C/E Bbmaj7, Esus4 Gdim",
        "Ebaug | Hm Fis7",
    ],
)
def test_chords_and_their_key_are_read_alike(page: Page, text: str) -> None:
    rows = read_progression(text)
    body = "const rows = it.readProgression(value[0], value[1]); return [rows, it.keyOfChords(rows, value[1])];"
    found, key = call(page, "chords.js", body, [text, CHORDS])
    assert found == rows.tolist()
    expected = RequestedChords({EVERYWHERE: rows}).key
    assert (key["tonic"], key["minor"]) == (expected.tonic, expected.is_minor)


def test_keys_move_to_the_common_one_alike(page: Page) -> None:
    names = ["C major", "A minor", "F# minor", "Eb major", "Bb minor", "G"]
    found = call(page, "chords.js", "return value.map((name) => it.shiftToCommon(it.readKey(name)));", names)
    assert found == [read_key(name).shift_to_common for name in names]


def test_random_numbers_are_standard_normal_and_the_seeds_own(page: Page) -> None:
    body = "return value.map((seed) => Array.from(new it.Random(seed).normals(20000)));"
    first, same, other = (np.array(one) for one in call(page, "random.js", body, [5, 5, 6]))
    assert (first == same).all() and not (first == other).any()
    assert abs(first.mean()) < 0.03 and abs(first.std() - 1) < 0.03 and abs(np.corrcoef(first, other)[0, 1]) < 0.03
