"""Whether an accompaniment is heard to belong to what was given."""

import pytest
import torch

from gan.metrics.accompaniment import (
    AccompanimentMatcher,
    TrackContent,
    accompaniment_figures,
    draw_negatives,
    draw_tracks,
    pair_features,
    rhythmic_distance_to,
    tonal_distance_to,
    train_matcher,
    unisons,
)
from gan.spec import RollSpec, Track
from tests.gan.metrics.phrase_makers import BASS, DRUMS, LEAD, SPEC, roll

ONLY_DRUMS = RollSpec((Track("Snare", is_drum=True), Track("Kick", is_drum=True)), bars=2)


def music(count: int, seed: int, follows: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """Phrases, two a song; the bass and the drums follow the lead, or a lead that is not there."""
    random = torch.Generator().manual_seed(seed)

    def draw(most: int) -> int:
        return int(torch.randint(most, (1,), generator=random))

    phrases = []
    for _ in range(count):
        lead = [(step, 60 + draw(12)) for step in range(32) if draw(3) == 0] or [(0, 60)]
        heard = lead if follows else [(step, 60 + draw(12)) for step in range(32) if draw(3) == 0]
        notes = [(LEAD, step, 1, pitch) for step, pitch in lead]
        notes += [(BASS, step, 1, pitch - 19) for step, pitch in heard if draw(5)]
        notes += [(DRUMS, step, 1, 36) for step, _ in heard if draw(5)]
        phrases.append(roll(*notes))
    return torch.cat(phrases), torch.arange(count) // 2


@pytest.fixture(scope="module")
def matcher() -> AccompanimentMatcher:
    return train_matcher(*music(120, 1), SPEC, seed=3)


def figures_of(
    matcher: AccompanimentMatcher, rolls: torch.Tensor, made: torch.Tensor, songs: torch.Tensor
) -> dict[str, torch.Tensor]:
    given = TrackContent.of(rolls, SPEC)
    tracks = torch.full((len(rolls),), LEAD)
    others = draw_negatives(given.plays, songs, tracks, 4, torch.Generator().manual_seed(0))
    return accompaniment_figures(given, TrackContent.of(made, SPEC), tracks, others, matcher)


def test_music_that_follows_is_matched_with_what_it_follows(matcher: AccompanimentMatcher) -> None:
    rolls, songs = music(60, 2)
    found = figures_of(matcher, rolls, rolls, songs)
    assert found["matched"].mean() > 0.9
    assert found["tonal"].mean() < found["tonal_shuffled"].mean()
    assert found["rhythmic"].mean() < found["rhythmic_shuffled"].mean()
    assert found["rhythmic_nearer"].mean() > 0.9


def test_music_that_follows_nothing_is_matched_by_chance(matcher: AccompanimentMatcher) -> None:
    rolls, songs = music(100, 4)
    found = figures_of(matcher, rolls, music(100, 5)[0], songs)
    for name in ("matched", "tonal_nearer", "rhythmic_nearer"):
        assert found[name].mean() == pytest.approx(0.5, abs=0.1), name


def test_silence_belongs_to_nothing(matcher: AccompanimentMatcher) -> None:
    rolls, songs = music(8, 6)
    found = figures_of(matcher, rolls, torch.zeros_like(rolls), songs)
    assert (found["matched"] == 0.5).all()
    assert found["tonal"].isnan().all()
    assert found["rhythmic"].isnan().all()
    assert unisons(rolls, torch.zeros_like(rolls), torch.full((8,), LEAD), SPEC)["unison"].isnan().all()


def test_what_the_made_phrase_has_in_the_given_track_is_not_read(matcher: AccompanimentMatcher) -> None:
    rolls, songs = music(8, 6)
    made = rolls.clone()
    made[:, :, LEAD] = False
    one, other = (figures_of(matcher, rolls, each, songs) for each in (rolls, made))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_classifier_of_one_seed_is_one_classifier() -> None:
    rolls, songs = music(12, 7)
    first, again, another = (train_matcher(rolls, songs, SPEC, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["hidden.weight"], another["hidden.weight"])


def test_one_song_teaches_nothing() -> None:
    rolls, songs = music(6, 8)
    with pytest.raises(ValueError, match="no two songs"):
        train_matcher(rolls, torch.zeros_like(songs), SPEC)


def test_relations_stay_when_both_are_transposed() -> None:
    rolls, _ = music(6, 9)
    moved = rolls.clone()
    moved[:, :, LEAD:, ..., 3:] = rolls[:, :, LEAD:, ..., :-3]
    tracks = torch.full((6,), LEAD)
    here, there = (
        pair_features(TrackContent.of(each, SPEC), TrackContent.of(each, SPEC), tracks) for each in (rolls, moved)
    )
    assert torch.allclose(here, there, atol=1e-5)
    assert here.isfinite().all()


def test_rhythms_are_apart_by_the_onsets_they_do_not_share() -> None:
    notes = [(LEAD, 0, 4, 60), (LEAD, 4, 4, 62), (BASS, 0, 8, 40), (BASS, 8, 4, 43)]
    parts = TrackContent.of(roll(*notes), SPEC)
    found = rhythmic_distance_to(parts, parts, torch.tensor([LEAD]))
    assert found[0, BASS] == pytest.approx(2 / 3), "one of three onsets is shared"
    assert found[0, [DRUMS, LEAD]].isnan().all()


def test_tonal_distance_is_nothing_in_octaves_and_large_at_the_tritone() -> None:
    notes = [(LEAD, 0, 4, 60), (LEAD, 16, 4, 66)]
    octave = TrackContent.of(roll(*notes, (BASS, 0, 4, 48)), SPEC)
    tritone = TrackContent.of(roll(*notes, (BASS, 0, 4, 42)), SPEC)
    fifth = TrackContent.of(roll(*notes, (BASS, 0, 4, 43)), SPEC)
    apart = [float(tonal_distance_to(parts, parts, torch.tensor([LEAD]))[0, 1]) for parts in (octave, fifth, tritone)]
    assert apart[0] == pytest.approx(0, abs=1e-6)
    assert apart == sorted(apart), "only the beat in which both sound counts"


def test_unisons_are_shares_of_the_other_notes() -> None:
    given = roll((LEAD, 0, 4, 60), (LEAD, 4, 4, 62))
    made = roll((BASS, 0, 1, 60), (BASS, 4, 1, 50), (BASS, 5, 1, 62), (BASS, 8, 1, 60), (DRUMS, 0, 1, 60))
    found = unisons(given, made, torch.tensor([LEAD]), SPEC)
    assert float(found["unison"]) == 0.25
    assert float(found["octave"]) == 0.25


def test_a_pitched_track_that_has_company_is_given() -> None:
    random = torch.Generator().manual_seed(0)
    plays = torch.tensor([[True, True, True], [True, False, True], [False, True, False], [True, False, False]])
    drawn = torch.stack([draw_tracks(plays, SPEC, random) for _ in range(40)])
    assert set(drawn[:, 0].tolist()) == {LEAD, BASS}
    assert set(drawn[:, 1].tolist()) == {BASS}
    assert set(drawn[:, 2:].flatten().tolist()) == {-1}
    assert set(draw_tracks(torch.ones(40, 2, dtype=torch.bool), ONLY_DRUMS, random).tolist()) == {0, 1}


def test_strangers_are_of_other_songs_in_which_the_track_plays() -> None:
    plays = torch.ones(12, 3, dtype=torch.bool)
    plays[:6, BASS] = False
    songs = torch.arange(12) // 2
    found = draw_negatives(plays, songs, torch.full((12,), BASS), 5, torch.Generator().manual_seed(0))
    assert (songs[found] != songs.unsqueeze(1)).all()
    assert (found >= 6).all()
    alone = draw_negatives(plays, torch.zeros(12, dtype=torch.int64), songs * 0, 2, torch.Generator().manual_seed(0))
    assert (alone == -1).all()
