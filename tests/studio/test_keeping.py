"""Keeping a song: the album has it, with its words, and whenever the process is killed nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from pipeline.files import read_manifest
from pipeline.songs.song import Song
from tests.conftest import program_environment
from tests.studio.killed_keeping import ANNOUNCED, CALLS, drawn

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are forked")]
RUN = Path("outputs/small")


class Keeper:
    """Keeps a song in copies of an album, in processes of their own."""

    def __init__(self, album: Path, folder: Path) -> None:
        self.album, self.folder = album, folder
        words = [sys.executable, "-m", "tests.studio.killed_keeping"]
        environment = program_environment()
        self.process = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def copy(self, name: str) -> Path:
        """A copy of the album, in a folder of that name."""
        shutil.copytree(self.album, self.folder / name, symlinks=True)
        return self.folder / name

    def tell(self, *words: Any) -> int:
        """How the process ended that did what the words say."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(words, default=str) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@pytest.fixture(scope="module")
def keeper(small_album: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    """Of the small album."""
    found = Keeper(small_album, tmp_path_factory.mktemp("keeping"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def kept(keeper: Keeper) -> Path:
    """An album in which song 2 was kept, by a process that nobody killed."""
    folder = keeper.copy("kept")
    assert keeper.tell("keep", folder, -1) == 0
    return folder


def songs_in(folder: Path) -> dict[int, bytes]:
    """The songs of the album by number; all can be read."""
    paths = sorted((folder / RUN / "generate/album/songs").glob("*.npz"))
    return {Song.load(path).number: path.read_bytes() for path in paths}


def words_in(folder: Path) -> list[Any]:
    """The songs' titles and lines."""
    songs = json.loads((folder / RUN / "lyrics/lyrics.json").read_text())["songs"]
    return [[song["title"], [section["lines"] for section in song["sections"]]] for song in songs]


def check_album(folder: Path) -> str:
    """The page of the album; all that it plays and links is there."""
    album = folder / RUN / "album"
    page = (album / "index.html").read_text()
    for part in page.split('src="')[1:]:
        assert (album / unquote(part.split('"')[0])).is_file()
    assert (album / "credits.txt").is_file() and read_manifest(album) is not None
    return page


def test_a_song_that_is_kept_is_the_albums_and_the_others_stay(small_album: Path, kept: Path) -> None:
    before, after = songs_in(small_album), songs_in(kept)
    assert after[1] == before[1] and after[2] != before[2]
    song = Song.load(kept / RUN / "studio/kept/02.npz")
    assert song.all_origins.sum() == 1 and after[2] == (kept / RUN / "studio/kept/02.npz").read_bytes()
    assert words_in(kept) == words_in(small_album), "the tune is the same, and so are its words"
    for number, stays in ((1, True), (2, False)):
        sounds = [next((folder / RUN / "album/tracks").glob(f"{number:02d}-*.wav")) for folder in (small_album, kept)]
        assert (sounds[0].read_bytes() == sounds[1].read_bytes()) is stays
    page = check_album(kept)
    assert page.count("Kept in the studio; ") == 1
    told = (kept / ANNOUNCED).read_text().splitlines()
    assert told[0] == "Song 2 is kept in outputs/small/studio/kept/02.npz." and told[-1] == "The album is up to date."
    said = (kept / "said.txt").read_text()
    assert "generate: takes 2 songs as they are" in said and "plays 1 song of" in said


def test_the_album_is_up_to_date_after_a_song_was_kept(keeper: Keeper, kept: Path) -> None:
    before = songs_in(kept)
    assert keeper.tell("finish", kept) == 0
    assert songs_in(kept) == before
    manifest = read_manifest(kept / RUN / "album")
    generate = read_manifest(kept / RUN / "generate/album")
    assert manifest is not None and generate is not None and manifest.inputs["generate"] == generate.fingerprint


def points_of(calls: list[str]) -> list[int]:
    """Where to be killed: before the song's file is there, when directories change places, and at the end.

    With `STUDIO_KILLS=all` behind the song's file, at each exchange, and in between too.
    """
    exchanges = [at for at, name in enumerate(calls) if name == "exchange"]
    first = calls.index("replace")
    few = {first, exchanges[len(exchanges) // 2], exchanges[-1], exchanges[-1] + 1}
    many = {first + 1, *exchanges, len(calls) // 3, 2 * len(calls) // 3}
    return sorted(few | many if os.environ.get("STUDIO_KILLS") == "all" else few)


def test_whenever_keeping_is_killed_nothing_is_lost_and_the_next_album_finishes(
    keeper: Keeper, small_album: Path, kept: Path
) -> None:
    before, after = songs_in(small_album), songs_in(kept)
    fresh = drawn(Song.load(small_album / RUN / "generate/album/songs/02.npz"))
    points = points_of(json.loads((kept / CALLS).read_text()))
    for point in points:
        folder = keeper.copy(f"killed-{point}")
        assert keeper.tell("keep", folder, point) == -signal.SIGKILL, point
        found = songs_in(folder)
        assert found[1] == before[1] and found[2] in (before[2], after[2]), point
        check_album(folder)
        path = folder / RUN / "studio/kept/02.npz"
        assert path.is_file() or not (folder / ANNOUNCED).is_file(), "what is announced is there"
        is_kept = path.is_file()
        assert not is_kept or Song.load(path).all_origins.tolist() == fresh.all_origins.tolist()
        assert keeper.tell("finish", folder) == 0, (folder / "said.txt").read_text()
        assert songs_in(folder) == (after if is_kept else before), point
        assert words_in(folder) == words_in(kept), point
        assert ("Kept in the studio" in check_album(folder)) is is_kept
        assert not [one for one in (folder / RUN).rglob(".*") if one.suffix in (".partial", ".old") and one.is_dir()]
        shutil.rmtree(folder)
    assert len(points) >= 4
