"""The album: a page that lists and links everything, whatever the titles say and whatever is missing."""

from __future__ import annotations

import copy
import json
import re
import shlex
import shutil
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import soundfile

from gan.spec import HOLD, ONSET, RollSpec, Track
from pipeline.__main__ import quoted
from pipeline.config import Config, compose, flatten
from pipeline.drawing.piano_rolls import draw_samples, draw_song
from pipeline.files import Manifest, write_json, write_manifest
from pipeline.lyrics.alignment.alignment import fit_words
from pipeline.pages.album.credits import credit_rows, remake_command
from pipeline.scores.notes import Planes, notes_from_roll
from pipeline.songs.provenance import Origin
from pipeline.songs.song import Section, Song
from pipeline.stages import album
from tests.origin_makers import with_origin
from tests.song_makers import configured

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Melody"), Track("Bass")), num_pitches=48, lowest_pitch=36)
PLACE = Path("outputs/run/.album.partial")
"""Where the album is made."""
FORM = (("intro", 0, 2), ("verse", 2, 4), ("outro", 6, 2))
EVIL = "<script>alert(\"1\")</script> & 'co'"


def make_planes(seed: int, bars: int = 8) -> Planes:
    """A kick on every beat, a melody of quarters that wanders, a bass of halves."""
    random = np.random.default_rng(seed)
    planes = np.zeros((2, 3, bars, SPEC.steps_per_bar, SPEC.num_pitches), dtype=bool)
    flat = planes.reshape(2, 3, bars * SPEC.steps_per_bar, SPEC.num_pitches)
    for start in range(0, flat.shape[2], 4):
        pitch = 24 + int(random.integers(12))
        flat[ONSET, 0, start, 0] = flat[ONSET, 1, start, pitch] = True
        flat[HOLD, 1, start + 1 : start + 4, pitch] = True
        if start % 8 == 0:
            flat[ONSET, 2, start, pitch - 12] = True
            flat[HOLD, 2, start + 1 : start + 8, pitch - 12] = True
    return planes


def make_song(number: int, planes: Planes, spec: RollSpec, form: Any = FORM) -> Song:
    """A song that slows down in its last bar."""
    count = int(planes[ONSET].sum())
    steps, tracks = planes.shape[2] * spec.steps_per_bar, spec.num_tracks
    return Song(
        number=number,
        seed=number,
        spec=spec,
        notes=notes_from_roll(planes, spec.lowest_pitch),
        tempo_map=((0, 120.0), (steps - spec.steps_per_bar, 60.0)),
        key="G major",
        form="short",
        arrangement="trio",
        programs=(0, 73, 42, 42)[:tracks],
        pans=(0.0,) * tracks,
        volumes=(1.0,) * tracks,
        velocities=np.full(count, 80, np.uint8),
        timing_ticks=np.zeros(count, np.int16),
        sections=tuple(Section(name, name, first, num) for name, first, num in form),
    )


def make_run(songs: dict[str, Song], wordless: tuple[int, ...] = (3,)) -> Config:
    """What the stages before leave in `outputs/run`, and the settings; stems and an MP3 for the first song."""
    place = Path("outputs/run")
    entries, lyrics = [], []
    for title, song in songs.items():
        stem = f"{song.number:02d}-song & #{song.number}"
        song.save(place / "generate/album/songs" / f"{song.number:02d}.npz")
        files: dict[str, Any] = {kind: f"{stem}.{kind}" for kind in ("mid", "wav", "png", "musicxml")}
        (place / "render/album/stems").mkdir(parents=True, exist_ok=True)
        soundfile.write(place / "render/album" / files["wav"], np.zeros((8000, 2)), 8000)
        sections = [(one.name, one.first_bar, one.num_bars) for one in song.sections]
        draw_song(place / "render/album" / files["png"], song.planes, song.spec, sections, title, song.tempo_map)
        if song.number == 1:
            files |= {"mp3": f"{stem}.mp3", "stems": {"Melody": f"stems/{stem}-melody.wav"}}
            (place / "render/album" / files["stems"]["Melody"]).write_bytes(b"stem")
            (place / "render/album" / files["mp3"]).write_bytes(b"mp3")
        for kind in ("mid", "musicxml"):
            (place / "render/album" / files[kind]).write_bytes(kind.encode())
        entries.append(
            {"number": song.number, "title": title, "files": files, "seconds": song.seconds + 1, "key": song.key}
            | {"tempo_bpm": song.tempo_bpm, "arrangement": song.arrangement}
        )
        if song.number not in wordless:
            verse = {"name": "chorus", "lines": [f"words of {song.number}", EVIL]}
            lyrics.append({"number": song.number, "title": title, "sections": [verse]})
    write_json(place / "render/album/render.json", {"songs": entries})
    write_json(place / "lyrics/lyrics.json", {"songs": lyrics})
    first = next(iter(songs.values()))
    words = fit_words(first, {0: ["words of 1", EVIL]}, None, english=True)
    write_json(place / "lyrics/alignment.json", {"songs": [asdict(words)]})
    spec = next(iter(songs.values())).spec
    phrase = next(iter(songs.values())).planes[:, :, :4]
    for step in (0, 500, 1000):
        draw_samples(place / f"train/samples/step-{step:06d}.png", np.stack([phrase]), spec, f"step {step}")
        (place / f"train/samples/step-{step:06d}.mp3").write_bytes(b"sound of step %d" % step)
    notes = {"train_seconds": 400.0, "device": "cpu", "generator_parameters": 700000, "music": {"songs": 351}}
    said = {"train.steps": 1000, "train.init": "base"}
    write_manifest(place / "train", Manifest("train", 1, said, {}, {"steps": 1000}, notes))
    config = replace(configured("+stage=album", "seed=7", "album.artist=Nobody"), name="run")
    config.data.title, config.data.licence = "Songs of the sea", "public domain"
    return config


class Elements(HTMLParser):
    """Every element's tag and attributes, the text of the page outside scripts, and whether all tags close."""

    VOID = frozenset({"meta", "link", "img", "br", "input", "path"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data

    def links(self) -> list[str]:
        """All addresses."""
        return [str(value) for _, attributes in self.found for key, value in attributes.items() if key in ADDRESSES]


ADDRESSES = ("src", "href", "poster", "action", "data")


def make_small_run() -> Config:
    titles = ("Salt on the Window", EVIL, "No Words")
    return make_run({title: make_song(n, make_planes(n), SPEC) for n, title in enumerate(titles, 1)})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Config]:
    """A run with its album, which the tests only read, and its settings."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config = make_small_run()
        PLACE.mkdir()
        album.run(config, PLACE)
    return folder, config


@pytest.fixture
def made(finished: tuple[Path, Config]) -> Path:
    """The album."""
    return finished[0] / PLACE


@pytest.fixture
def run(finished: tuple[Path, Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A run of its own, below the current directory, whose album is not made yet."""
    folder, config = finished
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(PLACE)
    PLACE.mkdir()
    return copy.deepcopy(config)


def test_the_page_lists_every_song_with_sound_and_downloads(made: Path) -> None:
    elements = Elements((made / "index.html").read_text())
    assert not elements.open
    for title in ("Salt on the Window", EVIL, "No Words"):
        assert elements.text.count(title) >= 2, "in the track list and above the song"
    sounds = [str(attributes["src"]) for tag, attributes in elements.found if tag == "audio"]
    assert len(sounds) == 3 + 3
    assert sounds[3:] == [f"training/step-{step:06d}.mp3" for step in (0, 500, 1000)], "learning can be heard"
    assert unquote(sounds[0]) == "tracks/01-song & #1.mp3", "the smaller file where there is one"
    assert unquote(sounds[1]) == "tracks/02-song & #2.wav"
    downloads = {unquote(str(a["href"])) for tag, a in elements.found if tag == "a" and "download" in a}
    for number in (1, 2, 3):
        for kind in ("mid", "wav", "musicxml", "png"):
            assert f"tracks/{number:02d}-song & #{number}.{kind}" in downloads
    assert "tracks/stems/01-song & #1-melody.wav" in downloads


def test_words_that_are_sung_have_times_and_the_others_are_only_read(made: Path) -> None:
    elements = Elements((made / "index.html").read_text())
    classes = [attributes.get("class") for tag, attributes in elements.found if tag == "span"]
    assert classes.count("line sung") == 2 and classes.count("line") == 2
    times = [
        (float(str(one["data-from"])), float(str(one["data-to"]))) for _, one in elements.found if "data-from" in one
    ]
    assert len(times) > 3 and all(start < end for start, end in times)
    assert times == sorted(times)
    assert "words of 1" in elements.text and "words of 2" in elements.text


def test_all_links_stay_in_the_folder_and_exist(made: Path) -> None:
    page = (made / "index.html").read_text()
    elements = Elements(page)
    identities = {attributes.get("id") for _, attributes in elements.found}
    for link in elements.links():
        if link.startswith("#"):
            assert link[1:] in identities
        else:
            assert not urlsplit(link).scheme
            path = made / unquote(urlsplit(link).path)  # as a browser reads it: what follows a bare # is no path
            assert path.resolve().is_relative_to(made.resolve())
            assert path.is_file(), link
    assert not re.search(r"(https?:)?//\w+\.\w+", re.sub(r"<pre>.*?</pre>", "", page, flags=re.S))
    for line in (made / "album.m3u").read_text().splitlines():
        assert line.startswith("#") or (made / line).is_file()


def test_titles_and_words_are_escaped(made: Path) -> None:
    page = (made / "index.html").read_text()
    assert "<script>alert" not in page
    elements = Elements(page)
    assert f"words of 2{EVIL}" in elements.text
    assert sum(tag == "script" for tag, _ in elements.found) == 2


def test_a_song_without_words_and_files_that_are_missing_are_left_out(run: Config) -> None:
    Path("outputs/run/render/album/02-song & #2.musicxml").unlink()
    Path("outputs/run/render/album/03-song & #3.wav").unlink()
    for picture in Path("outputs/run/train/samples").iterdir():
        picture.unlink()
    album.run(run, PLACE)
    elements = Elements((PLACE / "index.html").read_text())
    assert elements.text.count("Lyrics") == 2
    assert sum(tag == "audio" for tag, _ in elements.found) == 2
    assert all((PLACE / unquote(link)).exists() for link in elements.links() if not link.startswith("#"))


def test_a_song_that_was_worked_on_says_so_on_the_page_and_in_the_credits(run: Config) -> None:
    path = Path("outputs/run/generate/album/songs/02.npz")
    song = Song.load(path)
    replace(song, origins=with_origin(song.all_origins, Origin.DRAWN, 2, slice(2, 4))).save(path)
    notes = {"songs": [{"number": 1}, {"number": 2, "kept": True}]}
    write_manifest(path.parents[1], Manifest("generate", 2, {}, {}, {}, notes))
    album.run(run, PLACE)
    elements = Elements((PLACE / "index.html").read_text())
    words = "ept in the studio; Bass, bars 3 to 4: drawn by hand; all other bars made by the generator"
    assert elements.text.count(f"K{words}.") == 1, "below the roll of the second song"
    strips = [one for tag, one in elements.found if tag == "svg" and one.get("role") == "img"]
    assert [one["aria-label"] for one in strips] == [f"Who wrote the bars of {EVIL}: k{words}"]
    assert sum(tag == "rect" for tag, _ in elements.found) == 5, "two whole tracks, one in three stretches"
    row = f"Not by the generator alone: {EVIL}: k{words}"
    assert row in (PLACE / "credits.txt").read_text()
    assert "Not by the generator alone" in elements.text


def test_the_playhead_follows_the_tempo(made: Path) -> None:
    tracks = [a for tag, a in Elements((made / "index.html").read_text()).found if a.get("class") == "track"]
    marks = json.loads(str(tracks[0]["data-marks"]))
    assert marks == [[0.0, 0.0], [14.0, 7 / 8], [18.0, 1.0]], "seven bars at 120, the last at 60 beats a minute"


def test_section_buttons_begin_where_the_sections_do(made: Path) -> None:
    found = Elements((made / "index.html").read_text()).found
    starts = [float(str(a["data-start"])) for tag, a in found if tag == "button" and "data-start" in a]
    assert starts[:3] == [0.0, 4.0, 12.0]


def test_credits_say_where_the_album_comes_from(made: Path) -> None:
    text = Elements((made / "index.html").read_text()).text
    plain = (made / "credits.txt").read_text()
    for said in (
        "Songs of the sea",
        "public domain",
        "351 songs",
        "700,000",
        "1,000 steps in 6 min 40 s",
        "the base model, which learnt from: Game music (freedoom, freedm, simutrans-data, openttd-openmsx), POP909",
        "GPL-2 (openttd-openmsx)",
        "python -m pipeline +stage=album data=chorales seed=7 'data.title=Songs of the sea'",
        "album.artist=Nobody name=run",
    ):
        assert said in text
        assert said in plain


def test_credits_of_a_run_without_steps_say_that_nothing_was_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_manifest(Path("outputs/album/train"), Manifest("train", 1, {"train.init": "base"}, {}, {"steps": 0}, {}))
    rows = dict(credit_rows(configured("+stage=album", "data=originals")))
    assert "Learnt from" not in rows and rows["Plans and tempi from"] == "Songs written for AlbumGAN"
    assert rows["Began with"].startswith("the base model") and rows["Training"].startswith("none")


def test_the_command_that_makes_an_album_again_leads_to_all_its_settings() -> None:
    config = configured("+stage=album", "data=folder", "data.path=a b", "train.steps=99", "seed=7", "tracks=satb")
    config.album.title, config.generate.key, config.generate.density = "It's late", "E minor", {"Bass": 4}
    config.generate.rerolls, config.lyrics.avoid = ["2", "1.chorus"], ["oh no"]
    words = shlex.split(remake_command(config))
    assert words[:4] == ["python", "-m", "pipeline", "+stage=album"]
    again = compose(*[quoted(word, sweep=False) for word in words[4:]])
    assert flatten(again) | {"stage": "album", "name": "album"} == flatten(config)
    assert remake_command(configured("+stage=album")) == ("python -m pipeline +stage=album data=chorales name=album")


def test_the_album_is_told_with_its_address(run: Config, capsys: pytest.CaptureFixture[str]) -> None:
    run.album.title = "The Lost Tape"
    outcome = album.run(run, PLACE)
    assert outcome.notes["title"] == "The Lost Tape"
    said = capsys.readouterr().out
    assert (Path.cwd() / "outputs/run/album/index.html").as_uri() in said
    assert "<title>The Lost Tape " in (PLACE / "index.html").read_text()


def test_the_plan_counts_the_media(run: Config) -> None:
    media = sum(path.stat().st_size for path in Path("outputs/run/render/album").rglob("*.*") if path.suffix != ".json")
    assert album.plan(run).num_bytes >= media
    assert "3 songs" in album.plan(run).text


def test_the_album_outlives_what_it_was_made_of(run: Config) -> None:
    original = Path("outputs/run/render/album/02-song & #2.wav")
    data = original.read_bytes()
    album.run(run, PLACE)
    original.unlink()
    assert (PLACE / "tracks/02-song & #2.wav").read_bytes() == data


def test_played_by_lists_what_sounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    PLACE.mkdir(parents=True)
    without_bass = make_planes(1)
    without_bass[:, 2] = False
    songs = {"Whole": make_song(1, make_planes(1), SPEC), "Two": make_song(2, without_bass, SPEC)}
    album.run(make_run(songs), PLACE)
    whole, two = Elements((PLACE / "index.html").read_text()).text.split("Played by")[1:]
    two = two.partition("Take it with you")[0]
    assert "Cello" in whole and "Bass" in whole
    assert "Flute" in two and "Melody" in two and "Drum kit" in two
    assert "Cello" not in two and "Bass" not in two, "no note of the bass is in that song"
    assert Elements((PLACE / "index.html").read_text()).text.count("trio") == 1, "nor is it played by a trio"
