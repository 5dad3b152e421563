"""What the form asks of a song is heard in it: who plays where, seams, fills, returns, and sections made anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.conditions import no_conditions, no_labels
from gan.context import Context
from gan.latents import Latents
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.settings import ModelSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics
from pipeline.scores.keys import Key
from pipeline.songs.compose.composer import Composer, Piece
from pipeline.songs.compose.song_maker import SongMaker
from pipeline.songs.conditions import Request
from pipeline.songs.form import FORMS, Part, numbered
from pipeline.songs.plan import choose_cast, plan_phrases
from pipeline.songs.song import Song
from tests.song_makers import configured, write_checkpoint

SPEC = RollSpec(
    (Track("Drums", True), Track("Piano"), Track("Bass"), Track("Strings")), num_pitches=36, lowest_pitch=36
)
STRINGS = 3
HOME = Key(0, False)
SMALL = ModelSettings(latent_size=4, trunk_width=16, trunk_blocks=1, track_width=8, context_width=8, step_width=8)
PARTS = numbered(
    tuple(
        Part(name, name, phrases)
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


def composer(rests: bool = True, variation: float = 0.2) -> Composer:
    """An untrained GAN: what is tested is what is done with it."""
    torch.manual_seed(1)
    statistics = DataStatistics.of([music(rests)], SPEC, no_labels(16))
    generator, discriminator = Generator(SPEC, statistics, SMALL), Discriminator(SPEC, statistics, SMALL)
    with torch.no_grad():  # louder features, so that latents make a difference
        for weight in generator.parameters():
            if weight.dim() > 1:
                weight.mul_(1.5)
    return Composer(generator, discriminator, statistics, 6, variation, True, 0.1)


def asking(**densities: float) -> Request:
    conditions = no_conditions(1, SPEC)[0]
    for name, notes in densities.items():
        conditions[SPEC.names.index(name)] = notes
    return Request(conditions, 1.0, None)


@pytest.fixture(scope="module")
def piece() -> Piece:
    return composer().compose(PARTS, HOME, asking(), STRINGS, seed=4)


def planes_of(piece: Piece, number: int) -> np.ndarray:
    return np.concatenate([phrase.planes for phrase in piece.sections[number]], axis=2)


def notes_a_bar(planes: np.ndarray) -> float:
    return float(planes[ONSET].sum() / planes.shape[2])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_track_sounds_where_the_form_says_and_nowhere_else(seed: int) -> None:
    piece = composer().compose(PARTS, HOME, asking(), STRINGS, seed)
    assert piece.plans is not None
    for plans, phrases in zip(piece.plans, piece.sections, strict=True):
        for plan, phrase in zip(plans, phrases, strict=True):
            heard = phrase.planes.any(axis=(0, 3, 4))  # [tracks, bars]
            assert not (heard & plan.rests).any()
            assert heard.any(axis=1)[plan.plays].all()


def test_an_intro_lets_the_tracks_in_and_is_sparser_than_the_chorus(piece: Piece) -> None:
    assert piece.plans is not None
    rests = piece.plans[0][0].rests
    entries = np.where(rests.any(axis=1), rests.sum(axis=1), 0)
    assert sorted(entries.tolist())[:2] == [0, 0] and entries.max() == 3 and entries[0] == 3, "the drums come last"
    intro, verse, chorus, bridge, outro = (notes_a_bar(planes_of(piece, number)) for number in (0, 1, 2, 5, 6))
    assert intro < verse < chorus and bridge < chorus and outro < chorus


def test_nobody_rests_in_music_in_which_nobody_does() -> None:
    statistics = DataStatistics.of([music(rests=False)], SPEC, no_labels(16))
    examples = torch.tensor(statistics.examples)
    cast = choose_cast(examples, asking().conditions, 0, None, SPEC, torch.Generator().manual_seed(0))
    for form in FORMS.values():
        parts = form.opening + form.cycle + form.contrast + form.closing
        assert not any(plan.rests.any() for plans in plan_phrases(parts, cast, SPEC) for plan in plans)


def test_a_chorus_returns_note_for_note_and_a_verse_mostly(piece: Piece) -> None:
    assert np.array_equal(planes_of(piece, 2), planes_of(piece, 4))
    first, again = planes_of(piece, 1), planes_of(piece, 3)
    changed = (first != again).any(axis=(0, 3, 4))  # [tracks, bars]
    assert 0 < changed.mean() <= 0.5
    exact = composer(variation=0).compose(PARTS, HOME, asking(), STRINGS, seed=4)
    assert np.array_equal(planes_of(exact, 1), planes_of(exact, 3))


def test_drums_fill_before_the_music_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = Generator.sample

    def rolling(self: Generator, latents: Latents, given: Context, *more: object) -> torch.Tensor:
        rolls = sample(self, latents, given, *more)  # type: ignore[arg-type]
        if int((~given.mask[0]).sum()) == 1 and not given.mask[0, 0, -1]:  # the last bar of the drums is asked for
            rolls[3:, ONSET, 0, -1, :, 4] = True
        return rolls

    monkeypatch.setattr(Generator, "sample", rolling)
    piece = composer().compose(PARTS, HOME, asking(), STRINGS, seed=4)
    for part, phrases in zip(PARTS, piece.sections, strict=True):
        fills = [bool(phrase.planes[ONSET, 0, -1, :, 4].all()) for phrase in phrases]
        assert not any(fills[:-1]), "no fill within a section"
        assert fills[-1] == (part.role not in ("bridge", "outro")), "where drums play and something follows"
        assert not any(phrase.planes[ONSET, 0, :-1, :, 4].all(axis=1).any() for phrase in phrases)


def test_a_phrase_is_made_with_the_end_of_the_one_before_as_given(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Context] = []
    sample = Generator.sample

    def listening(self: Generator, latents: Latents, given: Context, *more: object) -> torch.Tensor:
        calls.append(given)
        return sample(self, latents, given, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Generator, "sample", listening)
    piece = composer().compose(PARTS[:3], HOME, asking(), STRINGS, seed=4)
    for before, phrase in ((piece.sections[0][-1], piece.sections[1][0]), (*piece.sections[1],)):
        end = torch.from_numpy(before.planes[:, :, -2:])
        seam = [call for call in calls if torch.equal(call.rolls[0, :, :, :2], end) and call.mask[0, :, :2].all()]
        assert seam, "the first half of a window is the end of the phrase before"
        head = torch.from_numpy(phrase.planes[:, :, :2])
        assert any(torch.equal(roll[:, :, :2], head) for call in calls for roll in call.rolls), "and so it goes on"


def test_what_the_user_asks_for_beats_the_form() -> None:
    piece = composer().compose(PARTS, HOME, asking(Drums=0, Bass=2), STRINGS, seed=4)
    assert not any(planes_of(piece, number)[:, 0].any() for number in range(len(PARTS)))
    assert piece.plans is not None
    assert all(float(plan.conditions[2]) == 2 for plans in piece.plans for plan in plans)


def test_a_section_made_anew_leaves_all_others_as_they_are() -> None:
    once = composer().compose(PARTS, HOME, asking(), STRINGS, seed=4)
    original = replace(once, sections=list(once.sections))
    once.remake("chorus", 1)
    twice = replace(once, sections=list(once.sections))
    twice.remake("chorus", 2)
    for number, part in enumerate(PARTS):
        kept = np.array_equal(planes_of(original, number), planes_of(once, number))
        assert kept == (part.role != "chorus")
    assert np.array_equal(planes_of(once, 2), planes_of(once, 4)), "with all its returns"
    assert not np.array_equal(planes_of(once, 2), planes_of(twice, 2)), "and again otherwise"


@pytest.fixture(scope="module")
def rerolled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Song]:
    """A song of four voices as it was, with a section made anew, with two, and all of it made anew."""
    checkpoint = write_checkpoint(tmp_path_factory.mktemp("rerolled"), configured("+stage=generate"))
    asked = ("+stage=generate", "generate.candidates=2", "generate.form=song", "generate.songs=1")
    asked += ("generate.tempo_bpm=150", "generate.min_seconds=40", "generate.max_seconds=55")
    config, songs = configured(*asked), {}
    for entries in ((), ("1.verse",), ("1.verse", "1.chorus"), ("1",), ("1", "1")):
        config.generate.rerolls = list(entries)
        songs[",".join(entries)] = SongMaker(config, checkpoint).make(1)
    return songs


def test_a_song_with_a_section_made_anew_is_the_same_elsewhere_to_the_bit(rerolled: dict[str, Song]) -> None:
    song, other = rerolled[""], rerolled["1.verse"]
    assert (song.key, song.tempo_map, song.num_bars) == (other.key, other.tempo_map, other.num_bars)
    for one, two in zip(song.sections, other.sections, strict=True):
        bars = slice(one.first_bar, one.first_bar + one.num_bars)
        kept = np.array_equal(song.planes[:, :, bars], other.planes[:, :, bars])
        assert kept == (one.role != "verse") == (one.seed == two.seed)
        if kept:
            inside = [np.isin(each.notes["onset"] // 16, range(bars.start, bars.stop)) for each in (song, other)]
            assert np.array_equal(song.velocities[inside[0]], other.velocities[inside[1]])
            assert np.array_equal(song.timing_ticks[inside[0]], other.timing_ticks[inside[1]])


def test_sections_made_anew_one_after_the_other_add_up(rerolled: dict[str, Song]) -> None:
    both, one = rerolled["1.verse,1.chorus"], rerolled["1.verse"]
    verse = next(section for section in both.sections if section.role == "verse")
    bars = slice(verse.first_bar, verse.first_bar + verse.num_bars)
    assert np.array_equal(both.planes[:, :, bars], one.planes[:, :, bars])
    assert not np.array_equal(both.planes, one.planes)


def test_a_song_made_anew_is_other_music_of_the_same_form_each_time(rerolled: dict[str, Song]) -> None:
    songs = [rerolled[entries] for entries in ("", "1", "1,1")]
    forms = {tuple((one.name, one.num_bars) for one in song.sections[:-1]) for song in songs}
    assert len(forms) == 1, "its words still fit"
    assert not np.array_equal(songs[0].planes[:, :, :4], songs[1].planes[:, :, :4])
    assert not np.array_equal(songs[1].planes[:, :, :4], songs[2].planes[:, :, :4])


def test_song_files_hold_what_their_phrases_were_asked_to_be(rerolled: dict[str, Song], tmp_path: Path) -> None:
    song = rerolled["1"]
    song.save(tmp_path / "01.npz")
    for section, read in zip(song.sections, Song.load(tmp_path / "01.npz").sections, strict=True):
        assert read.seed == section.seed != 0
        assert set(read.latents) == {"z", "z_time", "z_track", "z_track_time", "conditions"}
        assert len(read.latents["conditions"]) == len(section.latents["z"])
