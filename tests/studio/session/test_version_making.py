"""Versions of selected bars: what was asked for is heard in them, and nothing else of the song changes."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
import torch

from gan.chords import same_chords
from pipeline.errors import UserError
from pipeline.scores.chords.recognition import recognise_chords
from pipeline.scores.chords.symbols import read_progression
from pipeline.scores.keys import estimate_key, pitch_class_durations
from pipeline.songs.inpaint.mask import BarMask
from pipeline.songs.song import Song
from pipeline.studio.session.cell_request import cell_request, notes_a_bar
from pipeline.studio.session.model import StudioModel
from pipeline.studio.session.selection import MODES, Selection, VersionRequest
from pipeline.studio.session.version_making import make_versions
from tests.studio_makers import BASS, DRUMS, GUITAR, LEAD, PIANO, band_song, rows_of

SONG = band_song()
BAND = (LEAD, PIANO, GUITAR, BASS)


def versions(
    model: StudioModel, selection: Selection, song: Song = SONG, seed: int = 1, count: int = 5, **request: object
) -> list[Song]:
    """The songs that come of a request."""
    asked = cell_request(song, selection.cells(song), VersionRequest(count=count, **request), model)
    return [made for _, made in make_versions(song, asked, model, count, seed)]


def density(songs: list[Song], cells: BarMask, track: int) -> float:
    """Notes a bar of a track in some cells, the mean of several songs."""
    return float(np.mean([notes_a_bar(song, cells)[track] for song in songs]))


def onsets(song: Song, cells: BarMask) -> set[tuple[int, ...]]:
    return {row[:3] for row in rows_of(song, cells)}


def likeness(one: Song, other: Song, cells: BarMask) -> float:
    """Jaccard index of the onsets in some cells."""
    first, second = onsets(one, cells), onsets(other, cells)
    return len(first & second) / max(1, len(first | second))


def chords_heard(song: Song, first_bar: int, typed: str) -> float:
    """The share of half bars in which typed chords are recognised."""
    wanted = read_progression(typed)
    found = recognise_chords(song.notes, song.num_bars, song.spec)[2 * first_bar :][: len(wanted)]
    rows = [torch.from_numpy(one).float().unsqueeze(0) for one in (found, wanted)]
    return float(same_chords(*rows).nan_to_num(0.0))


@pytest.mark.parametrize(("mode", "track"), [*product(MODES, [BASS]), ("anew", DRUMS), ("like", GUITAR)])
def test_versions_differ_and_leave_all_else_untouched(model: StudioModel, mode: str, track: int) -> None:
    selection = Selection((track,), 4, 6)
    cells = selection.cells(SONG)
    found = versions(model, selection, mode=mode)
    assert len(found) == 5
    marks = {frozenset(onsets(song, cells)) for song in [SONG, *found]}
    assert len(marks) == 6, "each differs from the others, and from what is there"
    for song in found:
        assert rows_of(song, ~cells) == rows_of(SONG, ~cells)
        for kept in ("programs", "volumes", "tempo_map", "sections", "key", "swing"):
            assert getattr(song, kept) == getattr(SONG, kept)


@pytest.mark.parametrize("track", [DRUMS, LEAD])
def test_busier_has_more_notes_and_sparser_fewer(model: StudioModel, track: int) -> None:
    selection = Selection((track,), 4, 6)
    cells = selection.cells(SONG)
    there = notes_a_bar(SONG, cells)[track]
    for mode, sign in (("busier", 1), ("sparser", -1)):
        for song in versions(model, selection, mode=mode):
            assert sign * (notes_a_bar(song, cells)[track] - there) > 0, mode


def test_like_is_nearer_than_anew(model: StudioModel) -> None:
    selection = Selection((LEAD, BASS), 4, 8)
    cells = selection.cells(SONG)
    near, anew = (
        np.mean([likeness(SONG, song, cells) for song in versions(model, selection, mode=mode)])
        for mode in ("like", "anew")
    )
    assert near > anew + 0.2


def test_a_typed_density_is_what_is_played(model: StudioModel) -> None:
    selection = Selection((PIANO, DRUMS), 4, 6)
    cells = selection.cells(SONG)
    few, many = (
        versions(model, selection, density={"Piano": piano, "drums": drums}) for piano, drums in ((3, 6), (12, 16))
    )
    assert density(few, cells, PIANO) + 4 < density(many, cells, PIANO)
    assert density(few, cells, DRUMS) + 4 < density(many, cells, DRUMS)
    (silent,) = versions(model, Selection((PIANO,), 4, 6), density={"Piano": 0})
    assert not onsets(silent, Selection((PIANO,), 4, 6).cells(SONG))


def test_typed_chords_are_heard_and_stand_in_these_bars_alone(model: StudioModel) -> None:
    typed = "Dm G Em Am"
    found = versions(model, Selection(BAND, 4, 8), chords=typed)
    heard = [chords_heard(song, 4, typed) for song in found]
    assert np.mean(heard) > 0.8 > 0.3 > chords_heard(SONG, 4, typed)
    for song in found:
        assert song.composed_chords is not None
        assert np.array_equal(song.composed_chords[8:16], read_progression(typed))
        assert np.array_equal(np.delete(song.composed_chords, slice(8, 16), 0), np.delete(SONG.chords, slice(8, 16), 0))
    free = versions(model, Selection(BAND, 4, 8), chords=typed, condition_strength=0.0)
    assert np.mean([chords_heard(song, 4, typed) for song in free]) < np.mean(heard) - 0.2, "at strength 0 none counts"


def test_a_song_of_another_key_is_made_in_its_key(model: StudioModel) -> None:
    song = band_song(shift=5, key="D minor")
    for made in versions(model, Selection(BAND, 4, 8), song):
        there = made.notes[(made.notes["onset"] >= 64) & (made.notes["onset"] < 128)]
        durations = pitch_class_durations(there, made.spec)
        assert durations[[2, 4, 5, 7, 9, 10, 0]].sum() > 0.85 * durations.sum()


def test_a_typed_key_is_heard(model: StudioModel) -> None:
    found = versions(model, Selection(BAND, 4, 8), key="C# minor")
    keys = [
        estimate_key(
            pitch_class_durations(song.notes[(song.notes["onset"] // 16 >= 4) & (song.notes["onset"] < 128)], song.spec)
        )
        for song in found
    ]
    assert sum(str(key) in ("C# minor", "E major") for key in keys) >= 4
    assert all(song.key == "A minor" for song in found), "the song as a whole stays in its key"


def test_the_tempo_asked_for_changes_what_is_played(model: StudioModel) -> None:
    selection = Selection((DRUMS,), 4, 8)
    slow, fast = (versions(model, selection, tempo_bpm=tempo, count=1)[0] for tempo in (60.0, 160.0))
    assert onsets(slow, selection.cells(SONG)) != onsets(fast, selection.cells(SONG))
    assert slow.tempo_map == SONG.tempo_map


def test_less_is_left_to_chance_at_a_lower_temperature(model: StudioModel) -> None:
    cells = Selection((BASS,), 4, 6).cells(SONG)
    alike = []
    for temperature in (0.0, 1.5):
        asked = cell_request(SONG, cells, VersionRequest(temperature=temperature), model)
        found = [make_versions(SONG, asked, model, 1, seed, seed_is_typed=True)[0][1] for seed in range(5)]
        alike.append(np.mean([likeness(one, other, cells) for one, other in combinations(found, 2)]))
    assert alike[0] > alike[1] + 0.2


def test_the_seed_of_a_version_makes_it_again(model: StudioModel) -> None:
    asked = cell_request(SONG, Selection((BASS,), 2, 7).cells(SONG), VersionRequest(), model)
    found = make_versions(SONG, asked, model, 3, 5)
    assert [seed for seed, _ in found] == [seed for seed, _ in make_versions(SONG, asked, model, 3, 5)]
    seed, song = found[2]
    again, same = make_versions(SONG, asked, model, 2, seed, seed_is_typed=True)[0]
    assert again == seed and rows_of(same) == rows_of(song)


def test_long_selections_are_made_window_by_window(model: StudioModel) -> None:
    told: list[tuple[int, int]] = []
    cells = Selection((BASS,), 1, 11).cells(SONG)
    asked = cell_request(SONG, cells, VersionRequest(), model)
    found = make_versions(SONG, asked, model, 2, 3, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (10, 10) and [done for done, _ in told] == sorted({done for done, _ in told})
    for _, song in found:
        assert {onset // 16 for _, _, onset in onsets(song, cells)} >= set(range(2, 10))
        assert rows_of(song, ~cells) == rows_of(SONG, ~cells)


def test_notes_that_ring_into_a_selection_keep_their_length(model: StudioModel) -> None:
    held = SONG.notes.copy()
    own = (held["track"] == BASS) & (held["onset"] == 60)
    held["length"][own] = 12
    inside = (
        (held["track"] == BASS) & (held["pitch"] == held["pitch"][own][0]) & (held["onset"] > 60) & (held["onset"] < 72)
    )
    keep = ~inside
    song = replace(SONG, notes=held[keep], velocities=SONG.velocities[keep], timing_ticks=SONG.timing_ticks[keep])
    cells = Selection((BASS,), 4, 6).cells(song)
    for made in versions(model, Selection((BASS,), 4, 6), song):
        assert rows_of(made, ~cells) == rows_of(song, ~cells)


def test_made_notes_are_played_as_the_songs_own(model: StudioModel) -> None:
    count = len(SONG.notes)
    machine = replace(SONG, velocities=np.full(count, 77, np.uint8), timing_ticks=np.zeros(count, np.int16))
    loud = replace(SONG, velocities=(SONG.velocities // 4 + 95).astype(np.uint8))
    cells = Selection((GUITAR,), 4, 6).cells(SONG)
    for song in versions(model, Selection((GUITAR,), 4, 6), machine):
        assert {row[4:] for row in rows_of(song, cells)} == {(77, 0)}
    played = [row[4] for song in versions(model, Selection((GUITAR,), 4, 6), loud) for row in rows_of(song, cells)]
    own = [row[4] for row in rows_of(loud) if row[0] == GUITAR]
    assert abs(np.mean(played) - np.mean(own)) < 4 and len(set(played)) > 3


def test_cells_made_anew_are_made_whoever_wrote_them(model: StudioModel) -> None:
    origins = np.full((6, 12), 2, np.uint8)
    origins[BASS, 3] = 1
    song = replace(SONG, origins=origins)
    (made, *_) = versions(model, Selection((BASS,), 2, 4), song, count=1)
    cells = Selection((BASS,), 2, 4).cells(song)
    assert not made.all_origins[cells].any() and np.array_equal(made.all_origins[~cells], origins[~cells])


@pytest.mark.parametrize(
    ("request_values", "said"),
    [
        ({"mode": "louder"}, "mode must be one of anew, like, busier, sparser"),
        ({"count": 0}, "count must lie between 1 and 12"),
        ({"temperature": float("nan")}, "temperature must lie between 0 and 2"),
        ({"chords": "Am X"}, "chords: X is no chord"),
        ({"key": "H moll"}, "H moll is no key"),
        ({"density": {"Bass": 900}}, "density of Bass must lie between 0 and 200"),
        ({"density": {"Piano": 3}}, "density of Piano: this track is not selected"),
        ({"density": {"Flute": 3}}, "there is no track Flute"),
        ({"tempo_bpm": 5}, "tempo_bpm must lie between 20 and 400"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    model: StudioModel, request_values: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        versions(model, Selection((BASS,), 4, 6), **request_values)


@pytest.mark.parametrize(
    "selection", [Selection((), 0, 1), Selection((9,), 0, 1), Selection((0,), 3, 3), Selection((0,), 4, 99)]
)
def test_a_selection_lies_in_the_song(selection: Selection) -> None:
    with pytest.raises(UserError, match=r"^Select "):
        selection.cells(SONG)


@pytest.mark.parametrize("mode", ["like", "sparser"])
def test_silence_is_like_nothing(model: StudioModel, mode: str) -> None:
    with pytest.raises(UserError, match="Nothing plays in the selection"):
        versions(model, Selection((5,), 2, 4), mode=mode)
