"""Music around a given song: what is given comes back to the note, what is made depends on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.scores.notes import Notes
from pipeline.settings.data import roll_spec
from pipeline.songs.given_song import read_given
from pipeline.songs.provenance import origin_letters
from pipeline.songs.song import Song
from pipeline.stages import generate
from tests.music_makers import write_midi
from tests.song_makers import configured, write_checkpoint, write_quartet

TINY = ("+stage=generate", "generate.songs=1", "generate.candidates=3", "generate.seed=5")


def tiny(*overrides: str) -> Config:
    return configured(*TINY, *overrides)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an untrained checkpoint of `satb` and a song in four parts."""
    folder = tmp_path_factory.mktemp("around")
    write_checkpoint(folder / "outputs/album/train", tiny())
    write_quartet(folder / "my.mid")
    return folder


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def made(place: Path, *overrides: str) -> list[Song]:
    """The songs that the stage makes."""
    config = tiny("generate.given=my.mid", *overrides)
    generate.inputs(config)
    assert "my.mid" in generate.plan(config).text or "given" in " ".join(overrides)
    generate.run(config, place)
    return [Song.load(path) for path in sorted((place / "songs").glob("*.npz"))]


def notes_of(path: str = "my.mid") -> Notes:
    config = tiny()
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    return read_given(path, "generate.given", spec, config.tracks, 1, config.transcribe).notes


def rows(notes: Notes) -> list[tuple[int, ...]]:
    return sorted(notes.tolist())


def bars_of(notes: Notes) -> np.ndarray:
    return np.asarray(notes["onset"] // 16)


def test_kept_tracks_come_back_to_the_note_and_the_others_are_made(tmp_path: Path) -> None:
    song = made(tmp_path, "generate.keep=[soprano,BASS]")[0]
    given, kept = notes_of(), [0, 3]
    assert rows(song.notes[np.isin(song.notes["track"], kept)]) == rows(given[np.isin(given["track"], kept)])
    assert song.num_bars == 10 and song.key == "B major"
    for track in (1, 2):
        ours, theirs = song.notes[song.notes["track"] == track], given[given["track"] == track]
        assert len(ours) and rows(ours) != rows(theirs)
        assert len(np.unique(bars_of(ours))) >= 8, "made all along the song"


def test_kept_tracks_keep_tempo_instruments_and_hand(tmp_path: Path) -> None:
    song = made(tmp_path, "generate.keep=alto")[0]
    assert song.tempo_bpm == pytest.approx(97, abs=0.01) and len(song.tempo_map) == 1
    arrangement = tiny().tracks.arrangements[0]
    assert song.programs[1] == 41 and song.programs[0] == arrangement.programs[0]
    own = song.notes["track"] == 1
    assert set(song.velocities[own].tolist()) == {90} and not song.timing_ticks[own].any()
    assert len(set(song.velocities[~own].tolist())) > 3


def test_what_is_kept_is_told_from_what_is_made(tmp_path: Path) -> None:
    song = made(tmp_path, "generate.bars=[3,4]", "generate.keep=[bass]")[0]
    assert origin_letters(song.all_origins) == [*["gg" + "mm" + "g" * 6] * 3, "g" * 10]


def test_bars_are_made_anew_and_all_others_stay(tmp_path: Path) -> None:
    song = made(tmp_path, "generate.bars=[3,'6-7']")[0]
    given, anew = notes_of(), [2, 5, 6]
    outside = ~np.isin(bars_of(song.notes), anew)
    assert rows(song.notes[outside]) == rows(given[~np.isin(bars_of(given), anew)])
    for bar in anew:
        assert (bars_of(song.notes) == bar).any()
    assert [one.role for one in song.sections] == ["given", "made", "given", "made", "given"]


def test_bars_of_kept_tracks_stay_too(tmp_path: Path) -> None:
    song = made(tmp_path, "generate.bars=3", "generate.keep=[tenor]")[0]
    given = notes_of()
    stays = (bars_of(given) != 2) | (given["track"] == 2)
    ours = (bars_of(song.notes) != 2) | (song.notes["track"] == 2)
    assert rows(song.notes[ours]) == rows(given[stays])
    assert "accompanied" in [one.role for one in song.sections]


def test_notes_held_into_made_bars_keep_their_length_and_lines_wait_for_them(tmp_path: Path) -> None:
    given = notes_of()
    held = given[(bars_of(given) == 1) & (given["onset"] + given["length"] > 32)]
    assert len(held) == 4
    song = made(tmp_path, "generate.bars=[3]")[0]
    assert set(rows(held)) <= set(rows(song.notes))
    for track, _, onset, length in held.tolist():
        later = song.notes[(song.notes["track"] == track) & (song.notes["onset"] > onset)]
        assert later["onset"].min() >= onset + length, "one line stays one line"


def test_a_song_goes_on_after_its_end(tmp_path: Path) -> None:
    song = made(tmp_path, "generate.continue_bars=5")[0]
    assert song.num_bars == 15
    before = bars_of(song.notes) < 10
    assert rows(song.notes[before]) == rows(notes_of())
    assert set(bars_of(song.notes[~before]).tolist()) == set(range(10, 15))


def test_a_melody_alone_is_harmonised(tmp_path: Path) -> None:
    write_quartet(Path("melody.mid"), bars=6, parts=1)
    song = made(tmp_path, "generate.given=melody.mid", "generate.keep=[soprano]")[0]
    melody = song.notes[song.notes["track"] == 0]
    assert len(melody) and set(song.notes["track"].tolist()) == {0, 1, 2, 3}
    assert {pitch % 12 for pitch in melody["pitch"].tolist()} <= {(pitch - 1) % 12 for pitch in (0, 2, 4, 5, 7, 9, 11)}
    with pytest.raises(UserError, match=r"needs 4; generate\.keep can name"):
        made(tmp_path, "generate.given=melody.mid", "generate.continue_bars=4")


def test_what_is_made_depends_on_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With loud weights of context and heads: those of an untrained network hardly do."""
    monkeypatch.chdir(tmp_path)
    path = write_checkpoint(tmp_path / "outputs/album/train", tiny())
    state = torch.load(path, weights_only=True)
    for name, weight in state["chosen"]["average"].items():
        if name.startswith(("context", "decoder.heads")) and name.endswith("weight"):
            weight.mul_(20.0)
    torch.save(state, path)
    write_quartet(Path("my.mid"))
    write_quartet(Path("other.mid"), seed=50)
    results = []
    for number, name in enumerate(("my.mid", "other.mid", "my.mid")):
        song = made(tmp_path / str(number), f"generate.given={name}", "generate.keep=[soprano]")[0]
        results.append(rows(song.notes[song.notes["track"] != 0]))
    assert results[0] == results[2] != results[1]


def test_versions_differ_and_each_depends_on_its_number_alone(tmp_path: Path) -> None:
    two = made(tmp_path / "two", "generate.keep=[alto]", "generate.songs=2")
    one = made(tmp_path / "one", "generate.keep=[alto]", "generate.songs=1")
    assert rows(two[0].notes) == rows(one[0].notes) != rows(two[1].notes)


def test_a_song_shorter_than_a_phrase_can_be_given(tmp_path: Path) -> None:
    write_quartet(Path("short.mid"), bars=2)
    song = made(tmp_path, "generate.given=short.mid", "generate.continue_bars=1")[0]
    assert song.num_bars == 3 and rows(song.notes[bars_of(song.notes) < 2]) == rows(notes_of("short.mid"))


def test_pitches_outside_the_roll_come_back_where_they_were(tmp_path: Path) -> None:
    write_midi(
        Path("deep.mid"), {(n, 0, str(n)): [(b, 1.0, p) for b in range(16)] for n, p in enumerate((110, 60, 48, 21))}
    )
    song = made(tmp_path, "generate.given=deep.mid", "generate.keep=[soprano,bass]")[0]
    assert set(song.notes["pitch"][song.notes["track"] == 0].tolist()) == {110}
    assert set(song.notes["pitch"][song.notes["track"] == 3].tolist()) == {21}


def test_timing_between_the_steps_comes_back(tmp_path: Path) -> None:
    lines = {(n, 0, str(n)): [(b + 1 / 3, 0.5, p) for b in range(16)] for n, p in enumerate((72, 65, 57, 48))}
    write_midi(Path("late.mid"), lines)
    song = made(tmp_path, "generate.given=late.mid", "generate.keep=[soprano]")[0]
    own = song.notes["track"] == 0
    ticks = song.notes["onset"][own] * song.ticks_per_step + song.timing_ticks[own]
    assert ticks.tolist() == [480 * beat + 160 for beat in range(16)]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("generate.given=none.mid", "generate.keep=[alto]"), r"given=none\.mid: there is no such file"),
        (("generate.given=broken.mid", "generate.keep=[alto]"), r"broken\.mid can't be used .*broken file"),
        (("generate.given=empty.mid", "generate.keep=[alto]"), r"empty\.mid can't be used .*empty"),
        (("generate.given=silent.mid", "generate.keep=[alto]"), r"silent\.mid can't be used .*no notes"),
        (("generate.given=waltz.mid", "generate.keep=[alto]"), r"waltz\.mid is in 3/4, and this checkpoint makes 4/4"),
        (("generate.given=take.mp3", "generate.keep=[alto]"), r"take\.mp3 can't be used .*broken file"),
        (("generate.given=take.wma", "generate.keep=[alto]"), r"take\.wma is a recording that can't be read"),
        (("generate.keep=[tuba]",), r"there is no track tuba; .* of which my\.mid has Soprano, Alto, Tenor, Bass"),
        (("generate.keep=[soprano,alto,tenor,bass]",), "names every track"),
        (("generate.bars=[11]",), r"generate\.bars=11: my\.mid has bars 1 to 10"),
        (("generate.bars=[0]",), r"generate\.bars=0"),
        (("generate.bars=[two]",), r"generate\.bars=two is no bar"),
        ((), r"generate\.given needs to know what to make"),
        (("generate.continue_bars=0",), r"generate\.continue_bars must lie between"),
        (("generate.keep=[alto]", "generate.like=my.mid"), "give one of them"),
        (("generate.given=null", "generate.keep=[alto]"), r"generate\.keep means nothing without generate\.given"),
        (("generate.keep=[alto]", "generate.tempo_range_bpm=[90,100]"), "has a tempo"),
        (("generate.keep=[alto]", "generate.rerolls=[1.verse]"), "as a whole"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    tmp_path: Path, folder: Path, overrides: tuple[str, ...], sentence: str
) -> None:
    (folder / "broken.mid").write_bytes((folder / "my.mid").read_bytes()[:90])
    (folder / "empty.mid").write_bytes(b"")
    (folder / "take.mp3").write_bytes(b"ID3")
    (folder / "take.wma").write_bytes(b"0")
    write_midi(folder / "silent.mid", {(0, 0, "a"): []})
    write_quartet(folder / "waltz.mid", metre=(3, 4))
    with pytest.raises(UserError, match=sentence) as caught:
        made(tmp_path, *overrides)
    assert str(caught.value).count("\n") == 0


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("generate.keep=[tuba]",), "there is no track tuba"),
        (("generate.given=cut.mid", "generate.keep=[alto]"), r"cut\.mid can't be used"),
    ],
)
def test_what_does_not_fit_the_file_is_said_before_there_is_a_checkpoint(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "my.mid").write_bytes((folder / "my.mid").read_bytes())
    (tmp_path / "cut.mid").write_bytes((folder / "my.mid").read_bytes()[:90])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=sentence):
        generate.inputs(configured("+stage=generate", "generate.given=my.mid", *overrides))
