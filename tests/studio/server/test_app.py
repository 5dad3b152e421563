"""What the studio's server answers: songs, versions, edits, sound, files given and taken."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from mido import MidiFile

from pipeline.errors import UserError
from pipeline.rendering.song_files import file_name
from pipeline.songs.song import Song
from pipeline.studio.server import studio as studio_module
from pipeline.studio.server.studio import Studio
from tests.song_makers import write_quartet
from tests.studio.server.asgi_page import Answer, Page, ask


def test_the_page_knows_the_token_and_nothing_is_taken_from_elsewhere(page: Page, studio: Studio) -> None:
    answer = page.get("/")
    assert answer.status == 200
    assert f'<meta name="studio-token" content="{studio.token}">' in answer.body.decode()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers
    script = page.get("/static/studio.js")
    assert script.headers["content-type"].startswith("text/javascript")


def test_an_overview_names_songs_and_what_can_be_asked_for(page: Page, session: str) -> None:
    seen = page.get(session).json
    assert seen["album"] == {"title": "Four Voices", "artist": "AlbumGAN", "name": "album"}
    assert [song["number"] for song in seen["songs"]][:2] == [1, 2]
    assert {"title", "key", "tempo_bpm", "seconds", "bars", "kept", "changed"} <= set(seen["songs"][0])
    assert [track["name"] for track in seen["model"]["tracks"]] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert len(seen["instruments"]) == 128
    assert {"program": 0, "name": "standard"} in seen["kits"]


def test_a_song_comes_with_the_sound_of_its_windows(page: Page, session: str) -> None:
    song = page.get(f"{session}/songs/1").json
    assert song["bars"] == 8
    assert song["chunk_bars"] == 2
    assert not song["changed"]
    assert song["master"] > 0
    track = song["tracks"][1]
    assert len(track["chunks"]) == 4
    assert track["gain"] > 0
    played = {note[0] // (2 * song["steps_per_bar"]) for note in track["notes"]}
    assert [chunk is not None for chunk in track["chunks"]] == [window in played for window in range(4)]
    name = next(chunk for chunk in track["chunks"] if chunk)
    answer = page.get(f"/api/sound/{name}.wav")
    assert answer.headers["content-type"] == "audio/wav"
    assert "immutable" in answer.headers["cache-control"]
    sound, rate_hz = soundfile.read(io.BytesIO(answer.body))
    assert rate_hz == 44100
    assert sound.shape[1] == 2
    assert np.abs(sound).max() > 0.01
    assert page.get("/api/sound/" + "0" * 32 + ".wav").status == 404


def test_versions_change_nothing_until_one_is_chosen_and_undo_goes_back(page: Page, session: str) -> None:
    before = page.get(f"{session}/songs/1").json
    asked = {"tracks": ["Bass"], "bars": [2, 4], "count": 2, "seed": 7}
    versions = page.post(f"{session}/songs/1/versions", asked).json["versions"]
    assert 1 <= len(versions) <= 2
    assert [track["name"] for track in versions[0]["tracks"]] == ["Bass"]
    assert set(versions[0]["tracks"][0]["chunks"]) == {"1"}
    assert all(2 * 16 <= note[0] < 4 * 16 for note in versions[0]["tracks"][0]["notes"])
    assert page.get(f"{session}/songs/1").json == before
    after = page.post(f"{session}/songs/1/edits", {"kind": "choose", "version": versions[0]["id"]}).json
    assert [one["name"] for one, two in zip(after["tracks"], before["tracks"], strict=True) if one != two] == ["Bass"]
    assert after["changed"]
    assert after["seed"] == versions[0]["seed"]
    chosen, old = after["tracks"][3]["chunks"], before["tracks"][3]["chunks"]
    assert chosen[1] == versions[0]["tracks"][0]["chunks"]["1"]
    assert [chosen[0], *chosen[2:]] == [old[0], *old[2:]]
    undone = page.post(f"{session}/songs/1/edits", {"kind": "undo"}).json
    assert undone["tracks"] == before["tracks"]
    gone = page.post(f"{session}/songs/1/edits", {"kind": "choose", "version": versions[0]["id"]})
    assert gone.status == 400
    assert "gone" in gone.json["error"]


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        ({"kind": "notes", "track": "Alto", "add": [[4, 2, 70, 90]], "remove": []}, "notes"),
        ({"kind": "instrument", "track": "Alto", "program": 60}, "program"),
        ({"kind": "volume", "track": "Alto", "volume": 0.2}, "volume"),
        ({"kind": "tempo", "tempo_bpm": 80}, "tempo_bpm"),
        ({"kind": "swing", "swing": 0.6}, "swing"),
        ({"kind": "key", "key": "E minor"}, "key"),
    ],
)
def test_edits_change_what_they_say(page: Page, session: str, edit: dict[str, Any], changed: str) -> None:
    before = page.get(f"{session}/songs/2").json
    after = page.post(f"{session}/songs/2/edits", edit).json
    inside = changed in before["tracks"][1]
    assert (after["tracks"][1][changed] if inside else after[changed]) != (
        before["tracks"][1][changed] if inside else before[changed]
    )
    assert after["version"] == 1


def test_a_volume_is_heard_without_new_sounds(page: Page, session: str) -> None:
    before = page.get(f"{session}/songs/1").json
    after = page.post(f"{session}/songs/1/edits", {"kind": "volume", "track": "Bass", "volume": 0.2}).json
    assert [track["chunks"] for track in after["tracks"]] == [track["chunks"] for track in before["tracks"]]
    relative = [song["tracks"][3]["gain"] / song["tracks"][0]["gain"] for song in (before, after)]
    assert relative[1] == pytest.approx(relative[0] / 4, rel=0.1)


def test_long_work_tells_of_its_progress(page: Page, session: str) -> None:
    events = page.post(f"{session}/songs/1/continue", {"bars": 4}).events
    assert [kind for kind, _ in events[:-1]] == ["progress"] * (len(events) - 1)
    assert events[0][1]["total"] == 4
    kind, song = events[-1]
    assert kind == "result"
    assert song["bars"] == 12
    assert page.post(f"{session}/songs/1/continue", {"bars": 4, "key": "H flat"}).events[-1][0] == "error"


def test_work_stops_between_steps_where_the_page_is_gone(page: Page, session: str) -> None:
    path, body = f"{session}/songs/1/continue", json.dumps({"bars": 32}).encode()
    page.runner.run(ask(page.app, "POST", path, page.headers, body, leaves_after=1))
    page.runner.run(asyncio.sleep(2))
    assert page.get(f"{session}/songs/1").json["bars"] == 8


def test_a_file_becomes_a_further_song_all_of_it_given(page: Page, session: str, tmp_path: Path) -> None:
    midi = write_quartet(tmp_path / "my.mid").read_bytes()
    kind, song = page.post(f"{session}/files?name=my%20song.mid", midi).events[-1]
    assert kind == "result"
    assert song["title"] == "my song"
    assert {letter for track in song["tracks"] for letter in track["origins"]} == {"g"}
    assert song["number"] in [one["number"] for one in page.get(session).json["songs"]]
    kind, told = page.post(f"{session}/files?name=my.mid", b"MThd nonsense").events[-1]
    assert kind == "error"
    assert "my.mid" in told["error"]
    assert "Traceback" not in told["error"]


def test_a_session_goes_on_in_another_page(page: Page, session: str) -> None:
    page.post(f"{session}/songs/1/edits", {"kind": "tempo", "tempo_bpm": 77})
    name = session.rpartition("/")[2]
    assert page.post("/api/sessions", {"session": name}).json == {"session": name}
    assert page.get(f"{session}/songs/1").json["tempo_bpm"] == 77
    assert page.post("/api/sessions", {"session": "0" * 32}).status == 404


def test_keeping_tells_what_it_does(page: Page, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Song] = []

    def keep(config: object, song: Song, title: str | None, progress: Any) -> None:
        progress("The album is brought up to date.")
        kept.append(song)

    monkeypatch.setattr(studio_module, "keep_apart", keep)
    events = page.post(f"{session}/songs/2/keep", {}).events
    assert events[0] == ("progress", {"done": 0, "total": 0, "what": "The album is brought up to date."})
    assert events[1][1]["kept"]
    assert events[1][1]["album"] == "/album/index.html"
    assert kept[0].number == 2


def download(page: Page, session: str, name: str) -> Answer:
    answer = page.get(f"{session}/songs/1/files/{name}")
    assert answer.status == 200, answer.body
    assert answer.headers["content-disposition"].startswith("attachment")
    return answer


def test_midi_has_sections_and_chords(page: Page, session: str) -> None:
    for name, tracks in (
        ("song.mid", ["Soprano", "Alto", "Tenor", "Bass"]),
        ("track.mid?track=Bass", ["Bass"]),
        ("selection.mid?tracks=Bass,Alto&first=2&end=6", ["Alto", "Bass"]),
    ):
        file = MidiFile(file=io.BytesIO(download(page, session, name).body))
        markers = [message.text for message in file.tracks[0] if message.type == "marker"]
        assert "chorus" in markers
        assert len(markers) > 2
        assert [track.name for track in file.tracks[1:]] == tracks
    assert file.length == pytest.approx(4, abs=0.1), "four bars at 240"


def test_stems_loops_projects_and_scores(page: Page, session: str) -> None:
    stems = zipfile.ZipFile(io.BytesIO(download(page, session, "stems.zip").body))
    name = file_name(1, page.get(f"{session}/songs/1").json["title"])
    assert sorted(stems.namelist()) == [f"{name}-{track}.wav" for track in ("alto", "bass", "soprano", "tenor")]
    loops = zipfile.ZipFile(io.BytesIO(download(page, session, "loops.zip?first=2&end=4&tracks=Bass").body))
    (loop,) = (one for one in loops.namelist() if one.endswith(".wav"))
    with soundfile.SoundFile(io.BytesIO(loops.read(loop))) as file:
        assert file.frames == 2 * 44100, "two bars at 240, cut at the bar"
    project = download(page, session, "song.dawproject")
    assert "project.xml" in zipfile.ZipFile(io.BytesIO(project.body)).namelist()
    assert f'filename="{name}.dawproject"' in project.headers["content-disposition"]
    assert b"score-partwise" in download(page, session, "song.musicxml").body


@pytest.mark.parametrize(
    "name",
    ["track.mid", "track.mid?track=Nobody", "song.exe", "selection.mid?first=99", "selection.mid?first=4&end=2"],
)
def test_files_that_there_are_not_are_told(page: Page, session: str, name: str) -> None:
    answer = page.get(f"{session}/songs/1/files/{name}")
    assert answer.status in (400, 404)
    assert answer.json["error"].endswith(".")


def test_words_without_a_language_model_are_told(page: Page, session: str) -> None:
    assert page.get(f"{session}/songs/1").json["lines"] == []
    answer = page.get(f"{session}/songs/1/words/0/candidates?draw=0")
    assert answer.status == 400
    titled = page.post(f"{session}/songs/1/title", {"title": "Salt on the Window"}).json
    assert titled["title"] == "Salt on the Window"


def test_a_model_that_cannot_be_loaded_is_told(studio: Studio, tmp_path: Path) -> None:
    def broken() -> Any:
        raise UserError("checkpoint.pt is damaged.")

    other = Studio(studio.config, broken, studio.store.players, studio.patient)
    with pytest.raises(UserError, match="damaged"):
        other.create_session()
    other.stop()
