"""What is requested of the generator: names as musicians write them, units, and one sentence for what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gan.conditions import KEY, STYLE, TEMPO, ConditionLayout, no_conditions
from pipeline.config import Config, flatten
from pipeline.errors import UserError
from pipeline.settings.data import roll_spec
from pipeline.songs.request import Request, draw_requested_tempo, read_request, refuse_request, with_instruments
from tests.song_makers import configured

STYLES = ["freedoom", "simutrans"]


def band(*overrides: str) -> Config:
    return configured("+stage=generate", "data=games", *overrides)


def request(*overrides: str, in_common_key: bool = True) -> Request:
    config = band(*overrides)
    return read_request(config, roll_spec(config.roll, config.tracks, config.data.metre), STYLES, in_common_key)


def test_nothing_requested_is_no_condition() -> None:
    nothing = request()
    assert nothing.conditions.isnan().all() and nothing.condition_strength == 1 and nothing.temperature is None


def test_tracks_are_known_by_their_names_in_any_case_plural_or_beginning() -> None:
    conditions = request("generate.density={drum: 8, PIANO: 4, str: 0}").conditions
    assert conditions[[0, 1, 4]].tolist() == [8, 4, 0] and conditions[[2, 3]].isnan().all()


def test_keys_are_requested_as_modes_where_the_data_is_in_one_key() -> None:
    assert request("generate.key=D minor").conditions[KEY] == 12 + 9
    assert request("generate.key=D major").conditions[KEY] == 0
    assert request("generate.key=D minor", in_common_key=False).conditions[KEY] == 12 + 2


def test_tempo_style_strength_and_temperature_are_read() -> None:
    one = request(
        "generate.tempo_bpm=92", "generate.style=Simutrans", "generate.condition_strength=.5", "generate.temperature=.3"
    )
    assert one.conditions[TEMPO] == 92 and one.conditions[STYLE] == 1
    assert one.condition_strength == 0.5 and one.temperature == (0.3,) * 5
    assert request("generate.temperature={Drums: 0.5}").temperature == (0.5, 1, 1, 1, 1)


def test_instruments_are_named_or_numbered_by_track() -> None:
    config = band('generate.instruments={bass: "slap bass 1", Piano: 65, Drums: Jazz, gui: 7}')
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    assert with_instruments([0, 0, 25, 33, 48], config.generate.instruments, spec) == (32, 65, 7, 36, 48)
    for instruments, sentence in (
        ({"Bass": "voilin"}, "no instrument of General MIDI is called voilin .did you mean Violin"),
        ({"Bass": 128}, "of Bass: programs count from 0 to 127, so 128 is none"),
        ({"Drums": "tin cans"}, "no drum set is called tin cans; there are standard, room"),
        ({"Base": 3}, "no track Base .did you mean Bass"),
    ):
        with pytest.raises(UserError, match=sentence):
            with_instruments([0] * 5, instruments, spec)


def test_tempi_are_drawn_between_those_requested() -> None:
    random = np.random.default_rng(0)
    settings = band("generate.tempo_range_bpm=[90,120]").generate
    drawn = [draw_requested_tempo(settings, random) or 0 for _ in range(50)]
    assert 90 <= min(drawn) < 95 and 115 < max(drawn) <= 120
    assert draw_requested_tempo(band("generate.tempo_bpm=100").generate, random) == 100
    assert draw_requested_tempo(band().generate, random) is None


def test_a_song_adds_what_was_not_requested() -> None:
    assert request("generate.tempo_bpm=92").with_defaults(key=0, tempo_bpm=60).conditions[[KEY, TEMPO]].tolist() == [
        0,
        92,
    ]


def test_only_what_the_data_taught_is_requested() -> None:
    spec = roll_spec(band().roll, band().tracks, "4/4")
    examples, layout = no_conditions(2, spec), ConditionLayout.of(spec)
    examples[:, :5] = torch.tensor([[4.0, 2, 0, 3, 1], [9.0, 4, 0, 3, 1]])
    examples[:, [KEY, TEMPO, STYLE]] = torch.tensor([[0, 90, 0], [7, 120, torch.nan]])
    requested = request(
        "generate.density={Drums: 30, Piano: 1, Bass: 3}", "generate.key=A minor", "generate.tempo_bpm=300"
    )
    conditions = requested.learnable(examples, layout).conditions
    assert conditions[[0, 1, 3]].tolist() == [9, 2, 3] and conditions[TEMPO] == 120
    assert conditions[KEY].isnan() and conditions[STYLE].isnan()
    assert request("generate.style=freedoom").learnable(examples, layout).conditions[STYLE] == 0
    assert request("generate.style=simutrans").learnable(examples, layout).conditions[STYLE].isnan()
    examples[:, TEMPO] = torch.nan
    assert requested.learnable(examples, layout).conditions[TEMPO].isnan(), (
        "a tempo that is nowhere known means nothing"
    )


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("generate.density={Drunms: 8}", "generate.density: there is no track Drunms .did you mean Drums"),
        ("generate.density={Piano: -1}", "generate.density of Piano must lie between 0 and 200 notes a bar, not -1"),
        ("generate.density={Piano: much}", "generate.density takes values by name"),
        ("generate.density=8", "generate.density takes values by name"),
        ("generate.style=polka", "generate.style=polka is none of .* freedoom, simutrans"),
        ("generate.condition_strength=9", "generate.condition_strength must lie between 0 and 1, not 9"),
        ("generate.temperature=-1", "generate.temperature=-1 must be a number between 0 and 2"),
        ("generate.temperature={Drums: hot}", "generate.temperature=hot"),
        ("generate.tempo_bpm=nan", "generate.tempo_bpm must lie"),
        ("generate.tempo_range_bpm=[120,90]", "slowest and the fastest"),
        ("generate.key=H", "generate.key=H is no key"),
    ],
)
def test_what_cannot_be_requested_is_said_in_one_sentence(override: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        request(override)


def test_designs_without_conditions_refuse_them() -> None:
    refuse_request(band("generate.key=D minor").generate, "hybrid")
    for override in ("generate.density={Drums: 8}", "generate.condition_strength=.5", "generate.given=a.mid"):
        with pytest.raises(UserError, match=r"model\.design=hybrid"):
            refuse_request(band(override).generate, "hybrid")


def test_settings_by_name_are_one_setting() -> None:
    assert flatten(band("generate.density={Drums: 8}"))["generate.density"] == {"Drums": 8}
