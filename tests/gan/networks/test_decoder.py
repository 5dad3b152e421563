"""The autoregressive decoder: sampling and scoring are one distribution, and what each decision may know of."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gan.conditions import conditions_of, no_conditions, no_labels
from gan.context import StreamContext
from gan.latents import Latents
from gan.networks.decoder import HARMONY_SIZE, MARGIN, NoteDecoder, pick, pitch_classes
from gan.networks.heads import KEEP_SOME, STRIKE
from gan.ops.shard import Shard
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING
from gan.spec import RollSpec, Track
from tests.gan.short_trio import BAR, BASS, DRUMS, PIANO, SPEC, STEPS, make_generator, mask_of, music
from tests.gan.trio import sample_latents

AS_LEARNT = [(1.0, 1.0)]
"""Temperatures of rhythm and pitches of a track."""


@pytest.fixture(scope="module")
def decoder() -> NoteDecoder:
    return make_generator().decoder


def features(count: int, seed: int = 0) -> Tensor:
    return torch.randn(count, STEPS, SPEC.num_tracks, 8 + HARMONY_SIZE, generator=torch.Generator().manual_seed(seed))


def uniform(decoder: NoteDecoder, count: int, seed: int = 1) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.rand(decoder.spec.num_steps, count, decoder.spec.num_tracks, decoder.num_noises, generator=random)


def anything(count: int) -> Tensor:
    """No density requested."""
    return torch.full((count, SPEC.num_tracks), torch.nan)


def streams_of_music(count: int = 6) -> Tensor:
    return make_generator().encode(music(count))


def nothing(streams: Tensor) -> Tensor:
    return streams.new_zeros(streams.shape[:3], dtype=torch.bool)


def hidden_states(decoder: NoteDecoder, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> Tensor:
    """Of each track in order, `[tracks, steps * batch, width]`, while `work` is done."""
    found: dict[int, list[Tensor]] = {}
    plain = decoder._now

    def spy(history, past, track, place, start, stop, *others):
        hidden, *beside = plain(history, past, track, place, start, stop, *others)
        found.setdefault(track, []).append(hidden)
        return hidden, *beside

    with monkeypatch.context() as patch, torch.no_grad():
        patch.setattr(decoder, "_now", spy)
        work()
    return torch.stack([torch.cat(found[track]) for track in sorted(found)])


@pytest.mark.parametrize("cells", [(), ((BASS, 1), (PIANO, 0), (DRUMS, 1))])
def test_known_phrases_are_read_as_they_were_sampled(
    decoder: NoteDecoder, monkeypatch: pytest.MonkeyPatch, cells: tuple[tuple[int, int], ...]
) -> None:
    """Hidden states of teacher forcing are those while sampling, whatever is given, and so are all probabilities."""
    x, chance, known = features(6), uniform(decoder, 6), streams_of_music()
    mask = mask_of(*cells)
    mask[0] = False
    given = mask.transpose(1, 2).repeat_interleave(SPEC.steps_per_bar, dim=1)
    density = torch.tensor([[4.0, 2.0, torch.nan]]).expand(6, -1)
    made: list[Tensor] = []
    sampling = hidden_states(
        decoder,
        monkeypatch,
        lambda: made.append(decoder.sample(x, chance, density, AS_LEARNT * 3, known, given)),
    )
    reading = hidden_states(decoder, monkeypatch, lambda: decoder.decisions(made[0], x, given, density))
    torch.testing.assert_close(reading, sampling, rtol=1e-4, atol=1e-4)
    low, high = decoder.intervals(made[0], x, given, density, (1.0, 1.0))
    free = ~given.transpose(0, 1)
    free[1:, :, PIANO] &= made[0][:, :-1, PIANO, STREAM_SOUNDING].sum(2).T < 2  # of two, "some" may turn out to be both
    inside = (chance >= low - 1e-4) & (chance <= high + 1e-4)
    assert inside[free].all(), "each number lies where it makes what it made"
    assert ((low > 0) | (high < 1))[free].any(0).any(0).all()
    assert torch.equal(made[0][given], known[given])


def test_a_phrase_does_not_depend_on_its_neighbours(decoder: NoteDecoder) -> None:
    x, chance = features(5), uniform(decoder, 5)
    together = decoder.sample(x, chance, anything(5), AS_LEARNT * 3)
    alone = [decoder.sample(x[row : row + 1], chance[:, row : row + 1], anything(1), AS_LEARNT * 3) for row in range(5)]
    assert torch.equal(torch.cat(alone), together)


def test_no_temperature_is_what_is_most_likely(decoder: NoteDecoder) -> None:
    x = features(4)
    first, other = (decoder.sample(x, uniform(decoder, 4, seed), anything(4), [(0.0, 0.0)] * 3) for seed in (1, 2))
    assert torch.equal(first, other), "nothing is left to chance"
    for one in decoder.decisions(first, x, nothing(first), anything(4)):
        if one.kept is None:
            likeliest = one.logits.argmax(1)
            found = (likeliest == one.target) | (one.track == PIANO) & (likeliest % STRIKE == KEEP_SOME)
            assert found.all(), "though some of a chord may turn out to be none"
        else:
            assert torch.equal((one.logits > 0) & (one.target > 0), one.kept > 0)


def test_rhythm_and_pitches_have_temperatures_of_their_own() -> None:
    decoder, x = make_generator().decoder, features(24)
    with torch.no_grad():
        decoder.heads[BASS].mode.bias[STRIKE] = 5.0  # likelier than not to strike
    made = [
        decoder.sample(x, uniform(decoder, 24, seed), anything(24), [(0.0, 0.0), *AS_LEARNT, (0.0, pitches)])
        for seed, pitches in ((1, 0.0), (2, 0.0), (1, 1.0))
    ]
    bass = [one[:, :, BASS, STREAM_ONSET] for one in made]
    assert torch.equal(bass[0][:, 0], bass[1][:, 0]), "drums and bass come first and are the likeliest"
    assert torch.equal(bass[0][:, 0].sum(1), bass[2][:, 0].sum(1)), "whether the first note is struck"
    assert not torch.equal(bass[0][:, 0], bass[2][:, 0]), "and which"


def test_temperature_frees_the_tracks_that_it_is_given_for(decoder: NoteDecoder) -> None:
    x = features(4)
    still = (0.0, 0.0)
    warmth = [[still] * 3, [still, still, *AS_LEARNT]]
    drums_alone, freed = (decoder.sample(x, uniform(decoder, 4), anything(4), one) for one in warmth)
    assert decoder.order[:2] == (DRUMS, BASS)
    assert torch.equal(freed[:, 0, DRUMS], drums_alone[:, 0, DRUMS])
    assert not torch.equal(freed[:, :, BASS], drums_alone[:, :, BASS])


def test_choices_follow_their_shares() -> None:
    logits = torch.tensor([0.5, 0.2, 0.3]).log().expand(10_000, 3)
    draws = torch.rand(10_000, generator=torch.Generator().manual_seed(0))
    assert (pick(logits, draws, 1.0).bincount() / 10_000).tolist() == pytest.approx([0.5, 0.2, 0.3], abs=0.02)
    squared = [0.25 / 0.38, 0.04 / 0.38, 0.09 / 0.38]
    assert (pick(logits, draws, 0.5).bincount() / 10_000).tolist() == pytest.approx(squared, abs=0.02)
    assert not pick(logits, draws, 0.0).any()
    impossible = torch.tensor([[-1e4, 0.0, -1e4]]).expand(3, 3)
    assert pick(impossible, torch.tensor([MARGIN, 0.5, 1 - MARGIN]), 1.0).tolist() == [1, 1, 1]


def test_a_monophonic_track_never_sounds_two_notes_and_a_polyphonic_one_does(decoder: NoteDecoder) -> None:
    made = decoder.sample(features(16), uniform(decoder, 16), anything(16), AS_LEARNT * 3)
    assert made[:, :, BASS].sum(3).max() == 1
    assert made[:, :, PIANO, STREAM_ONSET].sum(2).max() > 1
    assert made[:, :, PIANO, STREAM_ONSET].sum(2).max() <= decoder.max_notes[PIANO]


def test_what_sounds_began_and_what_begins_sounds(decoder: NoteDecoder) -> None:
    sounding, onset = decoder.sample(features(8), uniform(decoder, 8), anything(8), AS_LEARNT * 3).unbind(3)
    assert not (onset > sounding).any()
    before = torch.cat([torch.zeros_like(sounding[:, :1]), sounding[:, :-1]], dim=1)
    assert not ((sounding > 0) & (onset == 0) & (before == 0)).any()
    assert torch.equal(sounding[:, :, DRUMS], onset[:, :, DRUMS]), "drums never hold"


def test_drums_play_the_datas_patterns_alone() -> None:
    generator = make_generator()
    decoder = generator.decoder
    made = decoder.sample(features(12), uniform(decoder, 12), anything(12), AS_LEARNT * 3)
    low = generator.lowest_pitches[DRUMS]
    found = {tuple(row.nonzero().flatten().add(low).tolist()) for row in made[:, :, DRUMS, STREAM_ONSET].flatten(0, 1)}
    assert found == {(), (3,), (3, 7)}


def test_the_latents_are_the_chance(decoder: NoteDecoder) -> None:
    generator = make_generator()
    latents = sample_latents(generator, 400)
    numbers = decoder.noise(latents)
    assert numbers.shape == (STEPS, 400, SPEC.num_tracks, decoder.num_noises)
    assert numbers.mean().item() == pytest.approx(0.5, abs=0.02) and numbers.std().item() == pytest.approx(
        math.sqrt(1 / 12), abs=0.02
    )
    assert torch.equal(numbers, make_generator().decoder.noise(latents)), "by a projection that never changes"


def test_latents_nearby_make_most_decisions_alike() -> None:
    generator = make_generator()
    start = sample_latents(generator, 24)
    fresh = generator.sample_latents(24, torch.Generator().manual_seed(8))
    phrases = [
        generator.streams(Latents.interpolate(start, fresh, share, generator.layout)) for share in (0, 0.1, 0.3, 1)
    ]
    apart = [(other != phrases[0]).float().mean().item() for other in phrases]
    assert apart[0] == 0
    assert all(first < second for first, second in itertools.pairwise(apart)), apart


def changed(decoder: NoteDecoder, track: int, step: int, given: Tensor | None = None) -> Tensor:
    """Where log-probabilities change, bool `[time, tracks]`, when a note of a track is another one at a step."""
    streams = streams_of_music()
    other = streams.clone()
    other[:, step, track] = other[:, step, track].roll(1, dims=2)
    other[:, step, track, :, 0] = 1 - other[:, step, track, :, 0] if track == DRUMS else other[:, step, track, :, 0]
    known = nothing(streams) if given is None else given
    with torch.no_grad():
        before, after = (decoder.log_probs(one, features(6), known, anything(6)) for one in (streams, other))
    return (before != after).any(0)


def test_decisions_know_the_past_and_the_tracks_before_them_at_the_same_step(decoder: NoteDecoder) -> None:
    """The order is drums, bass, piano."""
    assert decoder.order == (DRUMS, BASS, PIANO)
    seen = changed(decoder, BASS, 5)
    assert not seen[:5].any() and not seen[5, DRUMS]
    assert seen[5, [BASS, PIANO]].all() and seen[6].all()
    seen = changed(decoder, PIANO, 8)
    assert not seen[:8].any() and seen[8].tolist() == [False, True, False] and seen[9].all()


def test_notes_of_later_tracks_are_known_where_they_are_given(decoder: NoteDecoder) -> None:
    given = torch.zeros(6, STEPS, SPEC.num_tracks, dtype=torch.bool)
    given[:, :, PIANO] = True
    seen = changed(decoder, PIANO, 8, given)
    assert not seen[:8].any(), "only what is given at the same step is known ahead"
    assert seen[8, [DRUMS, BASS]].all()


def test_a_track_leads_up_to_its_next_given_notes(decoder: NoteDecoder) -> None:
    given = torch.zeros(6, STEPS, SPEC.num_tracks, dtype=torch.bool)
    given[:, BAR:, PIANO] = True
    seen = changed(decoder, PIANO, BAR, given)
    assert seen[:BAR, PIANO].all(), "it knows the chord that it comes to"
    assert not seen[:BAR, [DRUMS, BASS]].any()
    later = changed(decoder, PIANO, BAR + 3, given)
    assert not later[:BAR].any(), "no more of it"


def test_what_is_not_known_of_a_track_is_no_rest(decoder: NoteDecoder) -> None:
    """Silence that is known changes what the others do otherwise than silence for want of knowledge."""
    streams = streams_of_music()
    streams[:, :, DRUMS] = 0
    known = torch.ones(6, SPEC.num_tracks, dtype=torch.bool)
    known[:, DRUMS] = False
    with torch.no_grad():
        rest, unknown = (
            decoder.log_probs(streams, features(6), nothing(streams), anything(6), one) for one in (None, known)
        )
    assert (rest[:, :, [PIANO, BASS]] != unknown[:, :, [PIANO, BASS]]).any(0).all()


TINY = RollSpec((Track("Drums", is_drum=True), Track("Lead")), bars=1, beats_per_bar=1, steps_per_beat=3, num_pitches=2)


def tiny_decoder(spec: RollSpec, pitches: int, max_notes: int) -> NoteDecoder:
    torch.manual_seed(0)
    patterns = {0: torch.tensor([[0.0, 0], [1, 1]])} if spec.tracks[0].is_drum else {}
    lowest = (0,) * spec.num_tracks
    classes = pitch_classes(spec, lowest, pitches)
    counts = (max_notes,) * spec.num_tracks
    decoder = NoteDecoder(spec, classes, lowest, range(spec.num_tracks), counts, patterns, 4, 8, 4, 0.0)
    for weight in decoder.heads.parameters():
        weight.data.mul_(8.0 if weight.dim() > 1 else 1.0)
    return decoder


def tiny_features(spec: RollSpec, count: int) -> tuple[Tensor, Tensor]:
    """The same features for all phrases, and no density requested."""
    x = torch.randn(1, spec.num_steps, spec.num_tracks, 4 + HARMONY_SIZE, generator=torch.Generator().manual_seed(0))
    return x.expand(count, -1, -1, -1), torch.full((count, spec.num_tracks), torch.nan)


def all_phrases(steps: int, pitches: int, max_notes: int) -> Tensor:
    """All that a track of up to so many struck notes can play, `[phrases, steps, 2, pitches]`."""
    chords = [torch.tensor(one) for one in itertools.product((0.0, 1.0), repeat=pitches)]
    found = [torch.zeros(0, 2, pitches)]
    for _ in range(steps):
        longer = []
        for phrase in found:
            before = phrase[-1, STREAM_SOUNDING] if len(phrase) else torch.zeros(pitches)
            for struck in (chord for chord in chords if chord.sum() <= max_notes):
                for kept in chords:
                    playable = not (kept > before).any() and not (kept * struck).any()
                    if playable and not (max_notes == 1 and (kept + struck).sum() > 1):
                        longer.append(torch.cat([phrase, torch.stack([struck + kept, struck]).unsqueeze(0)]))
        found = longer
    return torch.stack(found)


def test_the_probabilities_of_all_phrases_sum_to_one() -> None:
    decoder = tiny_decoder(TINY, 2, max_notes=1)
    leads = all_phrases(3, 2, 1)
    hits = torch.tensor(list(itertools.product((0.0, 1.0), repeat=3))).view(8, 3, 1, 1).expand(-1, -1, 2, 2)
    phrases = torch.stack([hits.repeat_interleave(len(leads), 0), leads.repeat(8, 1, 1, 1)], dim=2)
    x, density = tiny_features(TINY, len(phrases))
    log_probs = decoder.log_probs(phrases, x, nothing(phrases), density)
    assert log_probs.sum((1, 2)).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_chords_are_sampled_as_often_as_they_are_likely() -> None:
    """Also chords of which some notes go on while others are struck again."""
    spec = RollSpec((Track("Piano"),), bars=1, beats_per_bar=1, steps_per_beat=3, num_pitches=2)
    decoder = tiny_decoder(spec, 2, max_notes=2)
    phrases, count = all_phrases(3, 2, 2).unsqueeze(2), 10_000
    x, density = tiny_features(spec, count)
    with torch.no_grad():
        log_probs = decoder.log_probs(phrases, x[: len(phrases)], nothing(phrases), density[: len(phrases)])
    made = decoder.sample(x, uniform(decoder, count), density, AS_LEARNT)
    kinds = {tuple(phrase.flatten().tolist()): number for number, phrase in enumerate(phrases)}
    counts = torch.zeros(len(phrases))
    for phrase, often in zip(*made.flatten(1).unique(dim=0, return_counts=True), strict=True):
        counts[kinds[tuple(phrase.tolist())]] = often
    plain = phrases[:, :-1, 0, STREAM_SOUNDING].sum(2).amax(1) < 2  # of two, "some" may turn out to be both
    shares = log_probs.sum((1, 2)).exp()
    assert plain.sum() > 50
    assert (counts / count)[plain].tolist() == pytest.approx(shares[plain].tolist(), abs=0.015)
    assert (counts[plain].sum() / count).item() == pytest.approx(shares[plain].sum().item(), abs=0.02)


def test_downbeats_are_scored_as_all_steps_are(decoder: NoteDecoder) -> None:
    streams, x = streams_of_music(), features(6)
    every = decoder.log_probs(streams, x, nothing(streams), anything(6))
    found = decoder.log_probs_of_downbeats(streams, x, nothing(streams), anything(6))
    assert found.shape == (6, SPEC.bars, SPEC.num_tracks)
    assert torch.allclose(found, every[:, ::BAR], atol=1e-5)


def test_a_note_is_struck_again_while_the_chord_goes_on(decoder: NoteDecoder) -> None:
    """Which is to keep some of it: to keep all of it leaves nothing to strike again."""
    streams = streams_of_music()
    chords = streams[:, 3, PIANO, STREAM_ONSET] * streams[:, 2, PIANO, STREAM_SOUNDING]
    assert (chords.sum(1) == 1).all(), "the upper note"
    every = decoder.decisions(streams, features(6), nothing(streams), anything(6))
    found = [one for one in every if one.track == PIANO]
    modes = found[0].target.view(STEPS, 6)[3]
    assert (modes == STRIKE + KEEP_SOME).all()
    kept = next(one for one in found if one.kept is not None)
    rows = kept.rows // 6 == 3
    assert (kept.target[rows].sum(1) == 2).all() and kept.kept is not None and (kept.kept[rows].sum(1) == 1).all()


def test_a_voice_that_is_given_two_notes_is_read_as_its_highest(decoder: NoteDecoder) -> None:
    streams = torch.zeros(STEPS, 1, SPEC.num_tracks, 2, decoder.pitch_range)
    streams[:6, 0, BASS, STREAM_SOUNDING, 2] = 1
    streams[0, 0, BASS, STREAM_ONSET, 2] = 1
    streams[2:4, 0, BASS, STREAM_SOUNDING, 5] = 1
    streams[2, 0, BASS, STREAM_ONSET, 5] = 1
    line = decoder.monophonic(streams)[:, 0, BASS]
    assert line[:6, STREAM_SOUNDING].argmax(1).tolist() == [2, 2, 5, 5, 2, 2]
    assert line[:, STREAM_SOUNDING].sum(1).tolist() == [1.0] * 6 + [0.0] * (STEPS - 6)
    assert line[:, STREAM_ONSET].sum(1).nonzero().flatten().tolist() == [0, 2, 4]


def test_dropout_is_that_of_the_whole_batch_and_the_same_over_a_phrase(decoder: NoteDecoder) -> None:
    def draw(shard: Shard, count: int) -> Tensor:
        factors = decoder.draw_dropout(count, torch.Generator().manual_seed(1), shard)
        assert factors is not None
        return factors

    whole = draw(Shard(), 8)
    assert torch.equal(torch.cat([draw(Shard(rank, 2), 4) for rank in (0, 1)]), whole)
    assert whole.unique().tolist() == pytest.approx([0.0, 1 / 0.9])
    streams = streams_of_music()
    with torch.no_grad():
        kept, lost = torch.ones(6, 3, 2, decoder.width), torch.ones(6, 3, 2, decoder.width)
        lost[0] = 0.0
        plain, same, other = (
            decoder.log_probs(streams, features(6), nothing(streams), anything(6), None, dropout)
            for dropout in (None, kept, lost)
        )
    assert torch.equal(plain, same)
    assert (plain[0] != other[0]).any(0).all() and torch.equal(plain[1:], other[1:])


def test_every_weight_of_the_generator_learns_from_real_phrases() -> None:
    generator = make_generator()
    mask = mask_of((BASS, 0), (PIANO, 1))
    mask[1:] = False
    rolls = music(6)
    streams = generator.encode(rolls)
    labels = torch.ones_like(no_labels(6, SPEC))
    conditions = conditions_of(rolls, labels, SPEC)
    conditions[2] = no_conditions(1, SPEC)
    known = torch.ones(6, SPEC.num_tracks, dtype=torch.bool)
    known[3, PIANO] = False
    x = generator.features(conditions, StreamContext(streams, mask))
    generator.log_probs(streams, x, conditions, mask, known).sum().backward()
    one_voice = f"decoder.heads.{BASS}."
    for name, weight in generator.named_parameters():
        if not name.startswith((f"{one_voice}keep", f"{one_voice}chosen")):  # which chords alone have
            assert weight.grad is not None and weight.grad.abs().sum() > 0, name
