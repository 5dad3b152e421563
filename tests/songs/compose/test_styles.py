"""The style of a song, its tempo and its instruments."""

from __future__ import annotations

import numpy as np
import torch

from gan.conditions import STYLE, TEMPO, no_conditions
from pipeline.config import compose
from pipeline.settings.data import ArrangementSettings
from pipeline.songs.compose.styles import pick_arrangement, style_in_turn, tempo_of_style
from tests.roll_makers import SPEC

STYLES = ("boom-bap", "gospel", "trap")


def test_all_styles_come_before_one_comes_again() -> None:
    for seed in range(5):
        drawn = [style_in_turn(STYLES, number, seed) for number in range(1, 7)]
        assert sorted(drawn[:3]) == [0, 1, 2] and drawn[3:] == drawn[:3]
    assert len({tuple(style_in_turn(STYLES, number, seed) for number in (1, 2, 3)) for seed in range(20)}) > 2
    assert style_in_turn((), 1, 0) is None


def test_a_song_has_a_tempo_of_its_style() -> None:
    examples = no_conditions(6, SPEC)
    examples[:, STYLE] = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 2.0])
    examples[:5, TEMPO] = torch.tensor([70.0, 74.0, 138.0, 142.0, 150.0])
    random = np.random.default_rng(0)
    slow, fast = ([tempo_of_style(examples, style, random) for _ in range(50)] for style in (0, 1))
    assert all(one is not None and 66 < one < 78 for one in slow)
    assert all(one is not None and 132 < one < 157 for one in fast)
    assert tempo_of_style(examples, 2, random) is None, "no tempo is known"


def test_an_arrangement_is_for_its_styles_and_others_are_taken_in_turn() -> None:
    trap, hall, club = (
        ArrangementSettings("808", [0, 25], ["trap", "drill"], [1.0, 0.5]),
        ArrangementSettings("hall", [0, 0]),
        ArrangementSettings("club", [5, 24]),
    )
    volumes = (0.8, 0.9)
    picked = [pick_arrangement([trap, hall, club], "polka", number, volumes).name for number in (1, 2, 3)]
    assert picked == ["hall", "club", "hall"]
    assert pick_arrangement([trap, hall, club], None, 2, volumes).volumes == [0.8, 0.9]
    for name in ("trap", "Trap", "DRILL"):
        found = pick_arrangement([trap, hall, club], name, 2, volumes)
        assert (found.name, found.volumes) == ("808", [1.0, 0.5])
    assert pick_arrangement([trap], "polka", 1, volumes).name == "808"


def test_every_style_of_the_songs_that_come_along_has_an_arrangement_and_drums_have_their_kit() -> None:
    tracks = compose("data=originals").tracks
    styles = ("boom-bap", "trap", "chipmunk-soul", "gospel", "rnb", "funk", "synth-pop", "indie", "ballad")
    found = {style: pick_arrangement(tracks.arrangements, style, 1, tracks.volumes) for style in styles}
    assert len({one.name for one in found.values()}) == len(styles)
    kits = {style: one.programs[1] for style, one in found.items()}
    assert (kits["trap"], kits["synth-pop"], kits["ballad"]) == (25, 24, 40)
