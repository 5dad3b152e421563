"""Songs that follow a plan: what returns, who rests, where they end, and sections made anew."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from gan.chords import QUALITY
from gan.conditions import ConditionLayout
from gan.context import Context
from gan.latents import Latents
from gan.spec import ONSET
from pipeline.scores.chords.symbols import UNKNOWN, print_progression, read_progression
from pipeline.scores.structure.loop_placement import with_rests
from pipeline.scores.structure.song_plan import NEW, SongPlan, agreement, plan_of_song
from pipeline.songs.chord_requests import chord_conditions
from pipeline.songs.compose.ending import ending_score, last_chord
from pipeline.songs.compose.phrase_sampling import ConditionalSampler
from pipeline.songs.compose.planned_song import PlannedSong, without_other_chords
from pipeline.songs.plan_model import arrange, spans_of
from tests.plan_makers import plan_of_letters
from tests.songs.compose.test_sections import HOME, SPEC, STRINGS, composer, requesting

PLAN = plan_of_letters(
    {
        "Drums": "....AAABAAABAAAB..CC",
        "Piano": "ABACABACDDDEABACABAF",
        "Bass": "..ABABABCDCD.BABABAC",
        "Strings": "....ABaBCDCDABAEA...",
    },
    SPEC,
    (0, 4, 8, 12, 16),
)


def song_of_plan(plan: SongPlan = PLAN, **densities: float) -> PlannedSong:
    song = composer().compose(plan, HOME, requesting(**densities), STRINGS, seed=4)
    assert isinstance(song, PlannedSong)
    return song


@pytest.fixture(scope="module")
def song() -> PlannedSong:
    return song_of_plan()


def test_the_tracks_play_and_rest_as_planned(song: PlannedSong) -> None:
    sounding = song.planes.any(axis=(0, 3, 4))
    assert not (sounding & ~PLAN.playing).any()
    assert (sounding & PLAN.playing).sum() >= 0.97 * PLAN.playing.sum()


def test_bars_return_note_for_note_where_the_plan_says(song: PlannedSong) -> None:
    for track, bar in zip(*np.nonzero(PLAN.exact), strict=True):
        origin = song.planes[:, track, PLAN.source[track, bar]]
        assert np.array_equal(origin, song.planes[:, track, bar])


def test_of_a_varied_bar_some_beats_return(song: PlannedSong) -> None:
    bar = 6
    assert PLAN.varied[STRINGS, bar] and PLAN.kept[STRINGS, bar] == 0b0111
    steps = slice(0, 3 * SPEC.steps_per_beat)
    origin = song.planes[:, STRINGS, PLAN.source[STRINGS, bar], steps]
    assert np.array_equal(origin, song.planes[:, STRINGS, bar, steps])


def test_the_plan_read_back_is_the_plan(song: PlannedSong) -> None:
    notes, bars = song.notes()
    assert agreement(PLAN, plan_of_song(notes, bars, SPEC, PLAN.starts)).mean() >= 0.9


def test_the_song_ends_in_its_last_bar_on_the_tonic(song: PlannedSong) -> None:
    notes, bars = song.notes()
    assert bars == PLAN.num_bars
    assert ending_score(notes, bars, SPEC, HOME) == 1
    step, chord = last_chord(notes, SPEC, bars * SPEC.steps_per_bar)
    assert step >= (bars - 1) * SPEC.steps_per_bar
    assert (chord["onset"] + chord["length"] == bars * SPEC.steps_per_bar).all()


def test_a_track_that_the_user_does_not_want_is_silent() -> None:
    short = arrange(PLAN, spans_of(PLAN)[:2])
    assert not song_of_plan(short, Drums=0).planes[:, 0].any()


def test_a_section_made_anew_leaves_all_others_as_they_are(song: PlannedSong) -> None:
    once = deepcopy(song)
    role = once.named[1].role
    once.remake(role, 1)
    anew = np.zeros(PLAN.num_bars, np.bool_)
    for section in once.named:
        if section.role == role:
            anew[section.first_bar : section.first_bar + section.num_bars] = True
    assert 0 < anew.sum() < PLAN.num_bars
    assert np.array_equal(song.planes[:, :, ~anew], once.planes[:, :, ~anew])
    assert (song.planes != once.planes)[:, :, anew].any(axis=(0, 1, 3, 4)).mean() > 0.8
    inside = np.flatnonzero(anew)
    for track in range(SPEC.num_tracks):
        for bar in inside:
            origin = PLAN.source[track, bar]
            if PLAN.exact[track, bar] and origin != NEW and anew[origin]:
                assert np.array_equal(once.planes[:, track, origin], once.planes[:, track, bar])


def test_sections_hold_the_latents_that_they_were_sampled_with(song: PlannedSong) -> None:
    sections = song.sections(PLAN.num_bars)
    assert [section.num_bars for section in sections] == [4] * 5
    assert all(len(section.latents["z"]) >= 1 for section in sections)


def test_sections_have_the_chords_of_phrases_of_the_data(song: PlannedSong) -> None:
    assert (song.chords(PLAN.num_bars)[:, QUALITY] == UNKNOWN).all(), "nothing is known of the chords of this data"
    composed, layout = composer(), ConditionLayout.of(SPEC)
    examples = composed.model.generator.examples
    progressions = torch.stack([chord_conditions(read_progression(one)) for one in ("C F G C", "Am Dm E Am")])
    examples[:, layout.chords] = progressions.repeat(len(examples) // 2, 1)
    found = composed.compose(PLAN, HOME, requesting(), STRINGS, seed=4).chords(PLAN.num_bars)
    assert found is not None
    assert print_progression(found[:8]) in ("C | F | G | C", "Am | Dm | E | Am")
    assert (found[-2:, QUALITY] == UNKNOWN).all(), "the ending is what it is"


def test_new_bars_are_made_for_the_chords_of_the_plan() -> None:
    written = np.tile(read_progression("Am F C G"), (PLAN.num_bars // 4, 1))
    written[:8, QUALITY] = UNKNOWN
    found = composer().compose(replace(PLAN, chords=written), HOME, requesting(), STRINGS, seed=4)
    assert isinstance(found, PlannedSong)
    chords = found.chords(PLAN.num_bars)
    new = (PLAN.source[list(SPEC.pitched)] == NEW).all(axis=0).repeat(2)
    new[:8] = new[-2:] = False
    assert np.array_equal(chords[new], written[new])
    assert (chords[:8, QUALITY] == UNKNOWN).all(), "of the first bars nothing is known"


def test_a_bar_of_another_typed_chord_does_not_return() -> None:
    chords = np.tile(read_progression("C F | G C"), (PLAN.num_bars // 2, 1))
    plan = without_other_chords(PLAN, chords, SPEC)
    for track, bar in zip(*np.nonzero(PLAN.source != NEW), strict=True):
        same = (PLAN.source[track, bar] - bar) % 2 == 0
        assert plan.source[track, bar] == (PLAN.source[track, bar] if same or track not in SPEC.pitched else NEW)


def test_candidates_are_known_by_the_chords_that_are_heard(song: PlannedSong) -> None:
    window, inside = slice(4, 4 + SPEC.bars), slice(1, 3)
    phrases = torch.zeros((2, *SPEC.shape), dtype=torch.bool)
    for number, chord in enumerate(((60, 64, 67), (62, 65, 69))):
        for pitch in chord:
            phrases[number, ONSET, 1, :, ::2, pitch - SPEC.lowest_pitch] = True
    assert song._chords_heard(phrases, window, inside).tolist() == [0, 0], "none is asked for"
    c_major = np.tile(np.array([0, 0, 0], np.int8), (2 * PLAN.num_bars, 1))
    asked = replace(song, requested_chords=c_major)
    assert asked._chords_heard(phrases, window, inside).tolist() == [1, 0]


def test_candidates_are_known_by_their_likeness_to_earlier_bars(song: PlannedSong) -> None:
    window, inside = slice(8, 8 + SPEC.bars), slice(0, 1)
    free = np.zeros((SPEC.num_tracks, SPEC.bars), np.bool_)
    free[STRINGS, 0] = True
    phrases = torch.zeros((2, *SPEC.shape), dtype=torch.bool)
    phrases[0, :, STRINGS, 0] = torch.from_numpy(song.planes[:, STRINGS, 4])
    phrases[1, ONSET, STRINGS, 0, 3, 0] = True
    assert song._likeness(phrases, window, inside, free).tolist() == pytest.approx([1, 0])


def test_a_background_is_given_to_all_that_is_made_and_is_none_of_the_song(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = with_rests(PLAN, np.arange(SPEC.num_tracks)[:, None] == STRINGS)
    background = np.zeros((2, SPEC.num_tracks, PLAN.num_bars, SPEC.steps_per_bar, SPEC.num_pitches), np.bool_)
    background[ONSET, STRINGS, :, ::4, 24] = True
    given: list[bool] = []
    plainly = ConditionalSampler.sample

    def sample(self: ConditionalSampler, latents: Latents, context: Context) -> torch.Tensor:
        given.append(bool((context.rolls[:, ONSET, STRINGS, :, ::4, 24] & context.mask[:, STRINGS, :, None]).all()))
        return plainly(self, latents, context)

    monkeypatch.setattr(ConditionalSampler, "sample", sample)
    song = composer().compose(plan, HOME, requesting(), STRINGS, seed=4, background=background)
    assert isinstance(song, PlannedSong)
    assert given and all(given)
    assert np.array_equal(song.planes[:, STRINGS], background[:, STRINGS]), "it stays as it is"
    assert STRINGS not in song.notes()[0]["track"]
    before = song.planes.copy()
    song.remake(song.named[1].role, 1)
    assert np.array_equal(song.planes[:, STRINGS], background[:, STRINGS])
    assert not np.array_equal(song.planes, before)
