"""Sections of a song: who plays where, seams, fills, returns, and sections made anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gan.conditions import ConditionLayout, no_conditions, no_labels
from gan.context import Context
from gan.latents import Latents
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.settings import AlbumGANSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics
from pipeline.scores.chords.symbols import read_progression
from pipeline.scores.keys import Key
from pipeline.songs.chord_requests import chords_in
from pipeline.songs.compose.sections import SectionComposer, SongSections
from pipeline.songs.form import FORMS, FormSection, numbered
from pipeline.songs.plan import draw_song_conditions, plan_phrases
from pipeline.songs.request import Request
from pipeline.songs.trained_model import TrainedModel

SPEC = RollSpec(
    (Track("Drums", True), Track("Piano"), Track("Bass"), Track("Strings")), num_pitches=36, lowest_pitch=36
)
STRINGS = 3
HOME = Key(0, False)
SMALL = AlbumGANSettings(
    latent_size=4, trunk_width=16, trunk_blocks=1, track_width=8, context_width=8, step_width=8, decoder_width=16
)
FORM = numbered(
    tuple(
        FormSection(name, name, phrases)
        for name, phrases in (
            ("intro", 1), ("verse", 2), ("chorus", 2), ("verse", 2), ("chorus", 2), ("bridge", 1), ("outro", 1),
        )
    )
)  # fmt: skip


def music(rests: bool) -> torch.Tensor:
    """Sixteen phrases; with `rests` each track is silent in some of them."""
    rolls = torch.zeros((16, *SPEC.shape), dtype=torch.bool)
    random = torch.Generator().manual_seed(0)
    for index in range(16):
        root = int(torch.randint(4, 9, (), generator=random))
        rolls[index, ONSET, 0, :, ::4, 0] = rolls[index, ONSET, 0, :, 2::8, 6] = True
        for track, every, length in ((1, 4, 3), (2, 8, 6), (3, 8, 8)):
            for start in range(0, 64, every):
                line = rolls[index, :, track].flatten(1, 2)
                pitch = root + 4 * (track - 1) + int(torch.randint(0, 3, (), generator=random)) * 2
                line[ONSET, start, pitch] = True
                line[HOLD, start + 1 : start + length, pitch] = True
                rolls[index, :, track] = line.unflatten(1, (SPEC.bars, SPEC.steps_per_bar))
        if rests and index % 2:
            rolls[index, :, (1, 2, 0, 3)[index // 2 % 4]] = False
    return rolls


def composer(rests: bool = True, variation: float = 0.2) -> SectionComposer:
    """An untrained GAN: what is tested is what is done with it."""
    torch.manual_seed(1)
    statistics = DataStatistics.of([music(rests)], SPEC, no_labels(16, SPEC))
    generator, discriminator = Generator(SPEC, statistics, SMALL), Discriminator(SPEC, statistics, SMALL)
    model = TrainedModel(generator, discriminator, statistics, music={}, dissonance=0.1, styles=(), in_common_key=True)
    return SectionComposer(model, 6, variation)


def requesting(**densities: float) -> Request:
    conditions = no_conditions(1, SPEC)[0]
    for name, notes in densities.items():
        conditions[SPEC.names.index(name)] = notes
    return Request(conditions, 1.0, None)


@pytest.fixture(scope="module")
def song() -> SongSections:
    return composer().compose(FORM, HOME, requesting(), STRINGS, seed=4)


def planes_of(song: SongSections, number: int) -> np.ndarray:
    return np.concatenate([phrase.planes for phrase in song.phrases[number]], axis=2)


def notes_a_bar(planes: np.ndarray) -> float:
    return float(planes[ONSET].sum() / planes.shape[2])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_track_sounds_where_the_form_says_and_nowhere_else(seed: int) -> None:
    song = composer().compose(FORM, HOME, requesting(), STRINGS, seed)
    assert song.plan is not None
    for plans, phrases in zip(song.plan, song.phrases, strict=True):
        for plan, phrase in zip(plans, phrases, strict=True):
            sounding = phrase.planes.any(axis=(0, 3, 4))  # [tracks, bars]
            assert not (sounding & plan.rests).any()
            assert sounding.any(axis=1)[plan.plays].all()


def test_an_intro_lets_the_tracks_in_and_is_sparser_than_the_chorus(song: SongSections) -> None:
    assert song.plan is not None
    rests = song.plan[0][0].rests
    entries = np.where(rests.any(axis=1), rests.sum(axis=1), 0)
    assert sorted(entries.tolist())[:2] == [0, 0] and entries.max() == 3 and entries[0] == 3, "the drums come last"
    intro, verse, chorus, bridge, outro = (notes_a_bar(planes_of(song, number)) for number in (0, 1, 2, 5, 6))
    assert intro < verse < chorus and bridge < chorus and outro < chorus


def test_nobody_rests_in_music_in_which_nobody_does() -> None:
    statistics = DataStatistics.of([music(rests=False)], SPEC, no_labels(16, SPEC))
    examples = torch.tensor(statistics.examples)
    conditions = draw_song_conditions(
        examples, requesting().conditions, 0, None, SPEC, torch.Generator().manual_seed(0)
    )
    for form in FORMS.values():
        sections = form.opening + form.cycle + form.contrast + form.closing
        assert not any(plan.rests.any() for plans in plan_phrases(sections, conditions, SPEC) for plan in plans)


def test_a_chorus_returns_note_for_note_and_a_verse_mostly(song: SongSections) -> None:
    assert np.array_equal(planes_of(song, 2), planes_of(song, 4))
    first, again = planes_of(song, 1), planes_of(song, 3)
    changed = (first != again).any(axis=(0, 3, 4))  # [tracks, bars]
    assert 0 < changed.mean() <= 0.5
    exact = composer(variation=0).compose(FORM, HOME, requesting(), STRINGS, seed=4)
    assert np.array_equal(planes_of(exact, 1), planes_of(exact, 3))


def test_drums_fill_before_the_music_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = Generator.sample

    def rolling(self: Generator, latents: Latents, given: Context, *more: object) -> torch.Tensor:
        rolls = sample(self, latents, given, *more)  # type: ignore[arg-type]
        if int((~given.mask[0]).sum()) == 1 and not given.mask[0, 0, -1]:  # the last bar of the drums is missing
            rolls[3:, ONSET, 0, -1, :, 4] = True
        return rolls

    monkeypatch.setattr(Generator, "sample", rolling)
    song = composer().compose(FORM, HOME, requesting(), STRINGS, seed=4)
    for section, phrases in zip(FORM, song.phrases, strict=True):
        fills = [bool(phrase.planes[ONSET, 0, -1, :, 4].all()) for phrase in phrases]
        assert not any(fills[:-1]), "no fill within a section"
        assert fills[-1] == (section.role not in ("bridge", "outro")), "where drums play and something follows"
        assert not any(phrase.planes[ONSET, 0, :-1, :, 4].all(axis=1).any() for phrase in phrases)


def test_a_phrase_is_made_with_the_end_of_the_one_before_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Context] = []
    sample = Generator.sample

    def listening(self: Generator, latents: Latents, given: Context, *more: object) -> torch.Tensor:
        calls.append(given)
        return sample(self, latents, given, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Generator, "sample", listening)
    song = composer().compose(FORM[:3], HOME, requesting(), STRINGS, seed=4)
    for before, phrase in ((song.phrases[0][-1], song.phrases[1][0]), (*song.phrases[1],)):
        end = torch.from_numpy(before.planes[:, :, -2:])
        seam = [call for call in calls if torch.equal(call.rolls[0, :, :, :2], end) and call.mask[0, :, :2].all()]
        assert seam, "the first half of a window is the end of the phrase before"
        head = torch.from_numpy(phrase.planes[:, :, :2])
        assert any(torch.equal(roll[:, :, :2], head) for call in calls for roll in call.rolls), "and so it goes on"


def test_what_the_user_requests_beats_the_form() -> None:
    song = composer().compose(FORM, HOME, requesting(Drums=0, Bass=2), STRINGS, seed=4)
    assert not any(planes_of(song, number)[:, 0].any() for number in range(len(FORM)))
    assert song.plan is not None
    assert all(float(plan.values[2]) == 2 for plans in song.plan for plan in plans)


def test_a_section_made_anew_leaves_all_others_as_they_are() -> None:
    once = composer().compose(FORM, HOME, requesting(), STRINGS, seed=4)
    original = replace(once, phrases=list(once.phrases))
    once.remake("chorus", 1)
    twice = replace(once, phrases=list(once.phrases))
    twice.remake("chorus", 2)
    for number, section in enumerate(FORM):
        kept = np.array_equal(planes_of(original, number), planes_of(once, number))
        assert kept == (section.role != "chorus")
    assert np.array_equal(planes_of(once, 2), planes_of(once, 4)), "with all its returns"
    assert not np.array_equal(planes_of(once, 2), planes_of(twice, 2)), "and again otherwise"


def test_requested_chords_are_conditions_of_the_phrases_bar_by_bar() -> None:
    bars = sum(section.num_phrases for section in FORM) * SPEC.bars
    chords = np.resize(read_progression("C F | Am G | F G"), (2 * bars, 3))
    song = composer().compose(FORM, HOME, requesting(), STRINGS, seed=4, chords=chords)
    layout = ConditionLayout.of(SPEC)
    conditions = torch.cat([phrase.latents.conditions for phrases in song.phrases for phrase in phrases])
    made_for = [chords_in(row, layout) for row in conditions]
    assert np.array_equal(np.concatenate(made_for[:1]), chords[: SPEC.half_bars])
    assert song.plan is not None
    planned = [chords_in(phrase.values, layout) for phrases in song.plan for phrase in phrases]
    assert np.array_equal(np.concatenate(planned), chords)
    closing = song.chords(bars + 1)
    assert closing is not None and np.array_equal(closing[: 2 * bars], chords)
