"""A song that the user brings, on the grid."""

from __future__ import annotations

from pathlib import Path

from pipeline.scores.score import Metre
from pipeline.settings.data import roll_spec
from pipeline.songs.given_song import _assign, _on_grid, read_given
from pipeline.songs.inpaint.mask import bar_numbers
from tests.music_makers import part, score
from tests.song_makers import configured
from tests.xml_makers import ATTRIBUTES, BACK, write_xml, xml_note


def test_a_pickup_is_no_bar_of_its_own_and_stays() -> None:
    config = configured("+stage=generate")
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    lines = [part([(3.0, 1.0, pitch), *[(4.0 + b, 1.0, pitch) for b in range(16)]]) for pitch in (72, 65, 57, 48)]
    piece = score(*lines, metres=(Metre(4.0, 4, 4),))
    given = _on_grid("pickup", piece, _assign(piece, config.tracks, spec, ()), spec)
    assert (given.bars, given.pickup_bars) == (5, 1)
    assert given.notes["onset"].min() == 12
    assert bar_numbers([1], given) == [1]


def test_a_jig_is_given_on_dotted_beats_and_a_polka_by_pairs_of_bars() -> None:
    config = configured("+stage=generate", "data.metre=6/8")
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    lines = [part([(1.5 * beat, 1.5, pitch) for beat in range(16)]) for pitch in (72, 65, 57, 48)]
    piece = score(*lines, metres=(Metre(0.0, 6, 8),))
    given = _on_grid("jig", piece, _assign(piece, config.tracks, spec, ()), spec)
    assert given.bars == 8 and sorted(set(given.notes["onset"].tolist())) == list(range(0, 96, 6))
    config = configured("+stage=generate")
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    lines = [part([(float(beat), 1.0, pitch) for beat in range(16)]) for pitch in (72, 65, 57, 48)]
    piece = score(*lines, metres=(Metre(0.0, 2, 4),))
    given = _on_grid("polka", piece, _assign(piece, config.tracks, spec, ()), spec)
    assert (given.bars, given.pickup_bars) == (4, 0) and len(given.notes) == 64


def test_a_hymn_on_two_staves_is_given_by_its_four_voices(tmp_path: Path) -> None:
    lines = {("1", 1): "C5", ("2", 1): "E4", ("5", 2): "G3", ("6", 2): "C3"}
    voices = [
        "".join(
            xml_note(name[0], int(name[1]), 2, after=f"<voice>{voice}</voice><staff>{staff}</staff>") for _ in "four"
        )
        for (voice, staff), name in lines.items()
    ]
    bar = BACK.join(voices)
    end = "<barline location='right'><repeat direction='backward'/></barline>"
    path = write_xml(tmp_path / "hymn.xml", ATTRIBUTES.format("") + bar, bar + end)
    config = configured("+stage=generate")
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    for play_repeats, bars in ((True, 4), (False, 2)):
        given = read_given(
            str(path), "generate.given", spec, config.tracks, 1, config.transcribe, play_repeats=play_repeats
        )
        assert given.bars == bars and not given.remarks
        assert given.parts == (("Voice", 0), ("Voice", 1), ("Voice", 2), ("Voice", 3))
        assert [set(given.notes["pitch"][given.notes["track"] == track].tolist()) for track in range(4)] == [
            {72}, {64}, {55}, {48},
        ]  # fmt: skip
