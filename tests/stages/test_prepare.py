from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.csv import read_rows
from pipeline.dataset.cutting import PreparedFile
from pipeline.dataset.sample_identification.matches import read_matches
from pipeline.dataset.store import Reject, open_store
from pipeline.errors import UserError
from pipeline.sources.catalog import CatalogRow
from pipeline.stages import prepare
from pipeline.stages.prepare import called_by_user, songs_of, with_problems
from tests.conftest import SHARED
from tests.midi_files import write_midi_files
from tests.music_makers import song_midi, tune, write_midi
from tests.stage_runner import run_stage


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten songs and a text that is called one."""
    folder = tmp_path_factory.mktemp("music")
    write_midi_files(folder)
    (folder / "text.mid").write_text("Dear diary")
    return folder


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets are prepared without their page."""
    monkeypatch.setattr(prepare, "add_page", lambda *_: None)


def test_a_folder_is_prepared_once_and_has_a_page(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.pages.dataset.examples.NUM_EXAMPLES", 1)
    words = ("data=folder", f"data.path={music}", "executor.workers=1")
    run_stage(tmp_path, "prepare", *words)
    said = capsys.readouterr().out
    opened = open_store(tmp_path / "data" / "prepared" / "folder")
    assert {Path(row.source).name for row in opened.songs} == {path.name for path in music.iterdir()} - {"text.mid"}
    assert (
        f"prepare: 10 songs, {len(opened)} phrases" in said
        and "1 reject in rejects.csv: 1 is plain text, not a MIDI file" in said
    )
    assert opened.spec.names == ("Lead", "Drums", "Piano", "Guitar", "Bass", "Strings")
    assert "10 in the set" in (opened.directory / "index.html").read_text(encoding="utf-8")
    run_stage(tmp_path, "prepare", *words)
    assert f"prepare: up to date ({Path('data/prepared', opened.directory.resolve().name, 'index.html')})" in (
        capsys.readouterr().out
    )
    assert not list(tmp_path.rglob("*.lock")), "locks go with who held them"


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("prepare.min_tracks=7", "more than the 6 tracks"),
        ("prepare.hop_bars=0", r"prepare\.hop_bars must be at least 1"),
        ("tracks=satb", r"none of the 11 files of data\.path="),
    ],
)
def test_what_can_not_be_prepared_is_said(music: Path, tmp_path: Path, setting: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        run_stage(tmp_path, "prepare", "data=folder", f"data.path={music}", "executor.workers=1", setting)
    assert not (tmp_path / "data" / "prepared" / "folder").exists()


def test_where_nothing_can_be_used_every_file_is_on_a_page(tmp_path: Path) -> None:
    for number in range(3):
        write_midi(tmp_path / f"{number}.mid", {(0, 0, "piano"): tune(number)})
    words = ("data=folder", "data.path=.", "executor.workers=1", "prepare.min_tracks=2")
    with pytest.raises(UserError, match=r"none of the 3 files of data\.path=\. can be used: each ") as caught:
        run_stage(tmp_path, "prepare", *words)
    page = tmp_path / str(caught.value).rpartition(": ")[2]
    assert all(f"{number}.mid" in page.read_text(encoding="utf-8") for number in range(3))
    assert len(read_rows(page.parent / "rejects.csv", Reject, "prepare")) == 3
    left = {path.name for path in (tmp_path / "data" / "prepared").iterdir()}
    assert left == {page.parent.name}, "no set that seems finished, and no lock"
    song_midi(tmp_path / "good.mid", 1)
    run_stage(tmp_path, "prepare", *words)
    assert not page.exists() and (tmp_path / "data" / "prepared" / "folder" / "index.html").exists()


def test_songs_are_learned_from_and_files_called_as_the_user_does() -> None:
    kept = "data/collected/files/ab.abc"
    song = CatalogRow("ab", "A", "", "song", kept, "http://x/a.abc", 1, "ab", "")
    rows = [
        song,
        replace(song, kind="sample"),
        replace(song, kind="text", where="a.txt"),
        replace(song, where="", source="gone.mid", problem="not there"),
    ]
    assert songs_of(rows) == [song]
    files = [PreparedFile(rejects=[Reject(kept, "no notes"), Reject(f"{kept}#2", "no notes"), Reject("b#1", "?")])]
    told = [reject.path for one in with_problems(called_by_user(iter(files), rows), rows) for reject in one.rejects]
    assert told == ["gone.mid", "http://x/a.abc", "http://x/a.abc#2", "b#1"]


def test_samples_of_a_sheet_are_found_in_their_songs(
    no_page: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    voices = [tune(seed, 8, 48 + 9 * seed) for seed in range(3)]
    write_midi(tmp_path / "old.mid", {(0, 0, "Piano"): [row for voice in voices for row in voice]})
    loop = [(beat - 8, length, pitch + 2) for voice in voices for beat, length, pitch in voice[8:16]]
    played = [(16 + 8 * turn + beat, length, pitch) for turn in range(4) for beat, length, pitch in loop]
    for number in range(3):
        band = {(0, 0, "Piano"): tune(5 + number, 16, 72), (1, 33, "Bass"): tune(8 + number, 16, 36)}
        write_midi(tmp_path / f"{number}.mid", band | {(2, 61, "Brass"): played} if number == 0 else band, bpm=130)
    rows = ["title,kind,where,used_in", "Song,,0.mid,", "Other,,1.mid,", "Third,,2.mid,", "Old,sample,old.mid,Song"]
    (tmp_path / "list.csv").write_text("\n".join([*rows, "Lost,sample,old.mid,Nowhere"]))
    run_stage(tmp_path, "prepare", "data=catalog", "data.path=list.csv", "executor.workers=1")
    assert "1 of 2 samples found in the songs that used them (samples.csv)" in capsys.readouterr().out
    opened = open_store(tmp_path / "data" / "prepared" / "catalog")
    found, lost = read_matches(opened.directory)
    assert (found.first_bar, found.end_bar, found.semitones, found.places) == (2, 4, 2.0, ((4, 12),))
    assert lost.problem == "its song is not in the catalog"
    own = {one.first_bar for one in opened.sampled}
    assert own and own <= set(range(1, 12)) and {one.song for one in opened.sampled} == {found.song}


@pytest.mark.slow
def test_the_chorales_are_there_after_pip_alone(no_page: None, tmp_path: Path) -> None:
    run_stage(tmp_path, "prepare", "data=chorales", "prepare.hop_bars=4", "executor.workers=1")
    opened = open_store(tmp_path / "data" / "prepared" / "chorales")
    assert len(opened.songs) > 340 and len(opened) > 1000
    assert opened.statistics["polyphony"] == dict.fromkeys(opened.spec.names, 1.0)
    # settings of "O Haupt voll Blut und Wunden" share a tune, though their titles differ
    passion = {row.group for row in opened.songs if "bwv244.15" in row.source or "bwv244.54" in row.source}
    assert len(passion) == 1


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "band").is_dir(), reason="../shared/data is not on this machine")
def test_every_file_of_game_music_is_used_or_explained(no_page: None, tmp_path: Path) -> None:
    folder = SHARED / "band" / "openmsx"
    run_stage(tmp_path, "prepare", "data=folder", f"data.path={folder}", "prepare.hop_bars=4", "executor.workers=1")
    opened = open_store(tmp_path / "data" / "prepared" / "folder")
    files = {str(path) for path in folder.rglob("*.mid")}
    assert {row.source for row in opened.songs} | {row.path for row in opened.rejects} == files
    assert len(opened.songs) > 20 and len(opened) > 300
    assert all(row.reason for row in opened.rejects)
