"""Sessions: what is edited survives a restart, sessions never mix, files and songs of one's own come in."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.songs.song import Song
from pipeline.studio.session.model import StudioModel
from pipeline.studio.session.selection import Selection, VersionRequest
from pipeline.studio.session.studio_session import SongRequest, StudioSession
from pipeline.studio.session.views import song_view
from tests.music_makers import tune, write_midi
from tests.studio_makers import BASS, DRUMS, PIANO, STRINGS, band_song, rows_of

PICKED = Selection((BASS,), 4, 6)


@pytest.fixture(autouse=True)
def album(base_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with the album's songs."""
    shutil.copytree(base_run / "outputs/album/generate", tmp_path / "outputs/album/generate")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def session(model: StudioModel) -> StudioSession:
    return StudioSession(model)


def test_a_chosen_version_is_the_song_and_goes_back_all_the_way(model: StudioModel, session: StudioSession) -> None:
    draft = session.draft(1)
    first = rows_of(draft.song)
    found = draft.versions(PICKED, VersionRequest(count=3))
    assert rows_of(draft.song) == first and not draft.can_undo, "nothing changes until one is chosen"
    draft.choose(found[1].id)
    assert rows_of(draft.song) == rows_of(found[1].song) and draft.seed == found[1].seed
    with pytest.raises(UserError, match="This version is gone"):
        draft.choose(found[0].id)
    draft.draw(PIANO, [(3, 2, 70, 80)], [])
    again = StudioSession(model, session.name).draft(1)
    assert rows_of(again.song) == rows_of(draft.song) and again.version == 2
    again.undo()
    again.undo()
    assert rows_of(again.song) == first and again.can_redo and not again.can_undo
    again.redo()
    assert rows_of(again.song) == rows_of(found[1].song)


def test_ten_pages_at_once_never_mix_their_songs(model: StudioModel) -> None:
    sessions = [StudioSession(model) for _ in range(10)]

    def edit(place: int) -> None:
        draft = sessions[place].draft(1)
        for step in range(5):
            draft.draw(STRINGS, [(16 * step + place, 1, 60 + place, 90)], [])

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(edit, range(10)))
    own = rows_of(band_song())
    for place, session in enumerate(sessions):
        drawn = rows_of(StudioSession(model, session.name).draft(1).song) - own
        assert {row[1:3] for row in drawn} == {(60 + place, 16 * step + place) for step in range(5)}
        assert rows_of(session.draft(2).song) == rows_of(band_song(number=2))


def test_the_list_of_songs_says_which_are_changed(model: StudioModel, session: StudioSession) -> None:
    assert [(one.number, one.changed, one.kept) for one in session.songs()] == [(1, False, False), (2, False, False)]
    session.draft(2).set_tempo(120)
    assert [one.changed for one in StudioSession(model, session.name).songs()] == [False, True]
    session.draft(2).undo()
    assert not session.songs()[1].changed


def test_an_album_made_anew_shows_where_nothing_was_edited(session: StudioSession) -> None:
    session.draft(1).set_volume(BASS, 0.1)
    session.draft(2)
    for number in (1, 2):
        band_song(number=number, bars=16).save(Path(f"outputs/album/generate/album/songs/{number:02d}.npz"))
    assert session.draft(1).song.num_bars == 12, "edits stay"
    assert session.draft(2).song.num_bars == 16


def test_a_song_goes_on_with_the_tracks_that_play(session: StudioSession) -> None:
    draft, told = session.draft(1), list[tuple[int, int]]()
    before = draft.song
    draft.go_on(4, VersionRequest(chords="Dm G", density={"Drums": 0}), lambda *done: told.append(done))
    song = draft.song
    assert song.num_bars == 16 and told[-1] == (4, 4)
    assert rows_of(before) <= rows_of(song)
    made = song.notes[song.notes["onset"] >= 192]
    assert {BASS, PIANO} <= set(made["track"].tolist()) and DRUMS not in made["track"]
    assert [symbol for step, symbol in song.chord_changes() if step >= 192] == ["Dm", "G", "Dm", "G"]
    draft.undo()
    assert draft.song.num_bars == 12


def test_a_midi_file_becomes_a_song_that_is_given(model: StudioModel, session: StudioSession, tmp_path: Path) -> None:
    path = write_midi(
        tmp_path / "upload.mid",
        {(0, 73, "flute"): tune(1, 9, 72), (1, 0, "piano"): tune(2, 9, 60), (2, 33, "bass"): tune(3, 9, 40)},
        bpm=111,
    )
    draft = session.add_file(path, "My Tune.mid")
    song = draft.song
    assert draft.number == 3 and draft.title == "My Tune" and (song.all_origins == 2).all()
    assert song.tempo_bpm == pytest.approx(111, abs=0.1) and song.programs[BASS] == 33
    assert set(song_view(draft)["tracks"][BASS]["origins"]) == {"g"}
    draft.choose(draft.versions(PICKED, VersionRequest(count=1))[0].id)
    assert song_view(draft)["tracks"][BASS]["origins"].startswith("ggggmmgg")
    assert [one.number for one in StudioSession(model, session.name).songs()] == [1, 2, 3]
    assert StudioSession(model).add_file(path, "Other.mid").number == 4, "no two sessions share a further song's number"
    assert [one.number for one in session.songs()] == [1, 2, 3]


def test_a_file_that_is_no_music_is_told_by_its_name_and_takes_no_number(
    session: StudioSession, tmp_path: Path
) -> None:
    path = tmp_path / "upload.mid"
    path.write_bytes(b"MThd nonsense")
    with pytest.raises(UserError, match=r"^bad one\.mid can't be used"):
        session.add_file(path, "bad one.mid")
    assert [one.number for one in session.songs()] == [1, 2]
    assert not list(Path("outputs/album/studio").rglob("03"))


@pytest.mark.slow
def test_a_whole_further_song_is_as_requested(session: StudioSession) -> None:
    told: list[tuple[int, int]] = []
    wanted = SongRequest(chords="Am F C G", key="E minor", tempo_bpm=120, form="song", density={"Strings": 0}, seed=4)
    draft = session.make_song(wanted, lambda *done: told.append(done))
    song = draft.song
    assert (draft.number, song.key, song.tempo_bpm) == (3, "E minor", 120.0)
    assert STRINGS not in song.notes["track"] and told[-1][0] == told[-1][1]
    assert [symbol for _, symbol in song.chord_changes()][:4] == ["Am", "F", "C", "G"]
    with pytest.raises(UserError, match="There is no form fugue"):
        session.make_song(SongRequest(form="fugue"), lambda *done: None)
    assert [one.number for one in session.songs()] == [1, 2, 3]


def test_names_of_sessions_and_numbers_of_songs(model: StudioModel, session: StudioSession) -> None:
    assert StudioSession.exists(model, session.name) and not StudioSession.exists(model, "0" * 32)
    for name in ("../../x", "ABC", "0" * 31):
        with pytest.raises(UserError, match="32 hexadecimal digits"):
            StudioSession(model, name)
    with pytest.raises(UserError, match="There is no song 7"):
        session.draft(7)


def test_a_song_of_other_tracks_is_refused(session: StudioSession) -> None:
    from tests.song_makers import song_of

    song_of(number=5).save(Path("outputs/album/generate/album/songs/05.npz"))
    with pytest.raises(UserError, match="song 5 has the tracks Drums, Piano, Bass"):
        session.draft(5)


def test_the_view_of_a_song_is_plain_and_tells_when_steps_are_played(session: StudioSession) -> None:
    draft = session.draft(1)
    draft.set_swing(0.6)
    view = json.loads(json.dumps(song_view(draft)))
    song: Song = draft.song
    assert len(view["step_seconds"]) == song.num_steps + 1 and len(view["bar_seconds"]) == song.num_bars + 1
    beat = 60 / song.tempo_bpm
    np.testing.assert_allclose(view["step_seconds"][:5], beat * np.array([0, 0.3, 0.6, 0.8, 1]), atol=1e-4)
    bass = view["tracks"][BASS]
    assert bass["name"] == "Bass" and bass["notes"][0][:3] == [0, 4, 45]
    assert sum(len(track["notes"]) for track in view["tracks"]) == len(song.notes)
    assert view["chords"][0] == [0, "Am"] and view["version"] == 1 and view["can_undo"]
