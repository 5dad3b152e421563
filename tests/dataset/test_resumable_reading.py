import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset.cutting import CuttingSettings, PreparedFile, SourceFile, prepare_file
from pipeline.dataset.resumable_reading import (
    CRASHED,
    TOO_SLOW,
    Journal,
    from_bytes,
    read_files,
    read_files_resuming,
    to_bytes,
)
from pipeline.dataset.store import open_store
from pipeline.dataset.store_writer import write_store
from pipeline.settings.data import ExecutorSettings
from pipeline.stages import prepare
from tests.conftest import program_environment
from tests.midi_files import write_midi_files
from tests.music_makers import cutting, song_midi
from tests.plan_makers import assert_equal_plans
from tests.stage_runner import run_stage

ONE = ExecutorSettings("local", 1, None)
PURPOSE = b"how it was read."


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[SourceFile]:
    folder = tmp_path_factory.mktemp("songs")
    songs = [SourceFile(f"song-{seed}", str(song_midi(folder / f"{seed}.mid", seed))) for seed in range(5)]
    (folder / "text.mid").write_text("Dear diary")
    return [*songs, SourceFile("text", str(folder / "text.mid"))]


def test_a_prepared_file_survives_the_way_as_bytes(sources: list[SourceFile]) -> None:
    odd = replace(sources[5], path=os.fsdecode(b"line\nbreak \xff.mid"))
    for source in (*sources, odd):
        there = prepare_file(source, cutting())
        back = from_bytes(to_bytes(there))
        assert back.rejects == there.rejects and len(back.songs) == len(there.songs)
        for song, again in zip(there.songs, back.songs, strict=True):
            for name, value in vars(song).items():
                if name in ("phrases", "signatures", "chords", "played"):
                    assert np.array_equal(value, getattr(again, name)) and value.dtype == getattr(again, name).dtype
                elif name == "ngrams":
                    assert all(np.array_equal(*pair) for pair in zip(value, again.ngrams, strict=True))
                elif name == "plan":
                    assert_equal_plans(value, again.plan)
                else:
                    assert value == getattr(again, name), name


def test_a_journal_keeps_what_is_whole(tmp_path: Path) -> None:
    keys = [bytes([number]) * 16 for number in range(3)]
    with Journal(tmp_path / "j", PURPOSE) as journal:
        for number, key in enumerate(keys):
            journal.write(key, b"x" * 100 * number)
    whole = (tmp_path / "j").read_bytes()
    for lost in (1, 150, 199):
        (tmp_path / "j").write_bytes(whole[:-lost])
        with Journal(tmp_path / "j", PURPOSE) as journal:
            assert [key in journal for key in keys] == [True, True, False]
            assert journal.read(keys[1]) == b"x" * 100
            journal.write(keys[2], b"again")
        with Journal(tmp_path / "j", PURPOSE) as journal:
            assert journal.read(keys[2]) == b"again"


def test_garbage_in_a_journal_and_another_purpose_are_dropped(tmp_path: Path) -> None:
    key = b"k" * 16
    with Journal(tmp_path / "j", PURPOSE) as journal:
        journal.write(key, b"content")
    whole = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(whole[:-1] + b"?")
    with Journal(tmp_path / "j", PURPOSE) as journal:
        assert key not in journal
    (tmp_path / "j").write_bytes(whole + b"garbage" * 9)
    with Journal(tmp_path / "j", PURPOSE) as journal:
        assert journal.read(key) == b"content"
    with Journal(tmp_path / "j", b"some other way..") as journal:
        assert key not in journal
    (tmp_path / "j").write_bytes(os.urandom(200))
    with Journal(tmp_path / "j", PURPOSE) as journal:
        assert key not in journal


def test_files_that_were_read_are_not_read_again(sources: list[SourceFile], tmp_path: Path) -> None:
    seen: list[str] = []

    def read(source: SourceFile, how: CuttingSettings) -> PreparedFile:
        seen.append(source.id)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return prepare_file(source, how)

    with pytest.raises(KeyboardInterrupt):
        list(read_files_resuming(sources, cutting(), ONE, tmp_path / "journal", read))
    readings = read_files_resuming([*sources, sources[0]], cutting(), ONE, tmp_path / "journal", read)
    (tmp_path / "set").mkdir()
    summary = write_store(readings, cutting(), tmp_path / "set")
    assert seen == ["song-0", "song-1", "song-2", "song-3", "song-3", "song-4", "text"]
    assert summary.songs == 5 and [one.reason.split(" ")[0] for one in summary.rejects] == ["is", "duplicate"]
    list(read_files_resuming(sources, cutting(hop_bars=2), ONE, tmp_path / "journal", read))
    assert len(seen) == 13  # read for another purpose, all are read again


def spin(source: SourceFile, how: CuttingSettings) -> PreparedFile:
    while source.id == "song-1":
        pass
    return prepare_file(source, how)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_a_file_that_keeps_its_reader_busy_is_left(sources: list[SourceFile]) -> None:
    readings = list(read_files(sources, cutting(), ONE, spin, 0.3))
    assert [reject.reason for reading in readings for reject in reading.rejects] == [
        f"{TOO_SLOW}: more than 0.3 s",
        "is plain text, not a MIDI file",
    ]


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The program preparing `music` in `folder`, in a session of its own.

    It hears Ctrl-C even where the tests run in the background of a shell, which has its jobs ignore it.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "+stage=prepare", "data=folder", "data.path=music", *words],
        cwd=folder,
        env=program_environment(),
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """The files of the prepared set that hold its music."""
    directory = folder / "data" / "prepared" / "folder"
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.suffix in (".npy", ".csv")}


def wait_for_journal(folder: Path, size: int) -> Path:
    """Wait until readings of so many bytes are kept."""
    for _ in range(3000):
        for path in (folder / "data").glob("prepared/.*.journal"):
            if path.stat().st_size >= size:
                return path
        time.sleep(0.02)
    raise AssertionError("nothing was read")


@pytest.mark.slow
def test_a_killed_program_goes_on_as_if_nothing_had_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "add_page", lambda *_: None)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    (whole / "music").mkdir(parents=True)
    for seed in range(60):
        song_midi(whole / "music" / f"{seed:03d}.mid", seed, bars=32)
    killed.mkdir()
    (killed / "music").symlink_to(whole / "music")
    words = ("data=folder", "data.path=music", "executor.workers=1")
    run_stage(whole, "prepare", *words)
    sizes = []
    for size in (1_000, 40_000):
        process = start(killed, "executor.workers=2")
        journal = wait_for_journal(killed, size)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        sizes.append(journal.stat().st_size)
        assert not (killed / "data" / "prepared" / "folder").exists()
    assert sizes == sorted(sizes)
    run_stage(killed, "prepare", *words)
    assert contents(killed) == contents(whole)
    assert not list((killed / "data" / "prepared").glob(".*.journal"))


@pytest.mark.slow
def test_ctrl_c_is_answered_with_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    for seed in range(120):
        song_midi(tmp_path / "music" / f"{seed:03d}.mid", seed, bars=40)
    process = start(tmp_path, "executor.workers=2")
    wait_for_journal(tmp_path, 20_000)  # the workers have started
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "What was finished is kept" in errors and "Traceback" not in errors


def write_hostile(folder: Path, songs: list[Path], mutants: int, texts: int) -> None:
    """Damaged copies of songs, texts that are called music, and files made to exhaust their reader."""
    random = np.random.default_rng(7)
    for number in range(mutants):
        content = bytearray(songs[random.integers(len(songs))].read_bytes())
        for place in random.integers(0, len(content), random.choice([1, 3, 10, 50, 300])):
            content[place] = random.integers(256)
        (folder / f"mutant-{number}.mid").write_bytes(bytes(content))
    for number in range(texts):
        (folder / f"text-{number}.mid").write_text("Dear diary " * (number + 1))
    with (folder / "sparse.mid").open("wb") as file:
        file.truncate(2 * 10**9)
    track = b"\x00\x90\x3c\x50\x83\x60\x80\x3c\x00\xff\xff\xff\x7f\x90\x3e\x50\x83\x60\x80\x3e\x00\x00\xff\x2f\x00"
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track))
    (folder / "far.mid").write_bytes(head + track)
    for name in ("bomb.mxl", "bomb.zip"):
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as bomb:
            bomb.comment = name.encode()
            with bomb.open("score.xml", "w") as member:
                for _ in range(200):
                    member.write(bytes(10**6))
    (folder / "line\nbreak \N{MUSICAL NOTE}.mid").write_bytes(songs[0].read_bytes())


def crash_on_song_three(source: SourceFile, how: CuttingSettings) -> PreparedFile:
    if source.id == "song-3":
        os._exit(1)
    return prepare_file(source, how)


def test_a_crashed_worker_costs_one_file(sources: list[SourceFile]) -> None:
    found = list(read_files(sources, cutting(), ExecutorSettings("local", 2, None), crash_on_song_three))
    rejects = [reject for one in found for reject in one.rejects]
    assert [reject.path for reject in rejects if reject.reason == CRASHED] == [sources[3].path]
    assert len(found) == len(sources) and len(rejects) == 2


def test_hostile_files_are_explained_and_nothing_is_written_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "add_page", lambda *_: None)
    (tmp_path / "music").mkdir()
    write_hostile(tmp_path / "music", write_midi_files(tmp_path / "ten"), mutants=150, texts=10)
    files = {path.name for path in (tmp_path / "music").iterdir()}
    run_stage(tmp_path, "prepare", "data=folder", f"data.path={tmp_path / 'music'}", "executor.workers=2")
    store = open_store(tmp_path / "data" / "prepared" / "folder")
    told = {Path(row.path).name: row.reason for row in store.rejects}
    used = {Path(row.source).name for row in store.songs}
    assert "line\nbreak \N{MUSICAL NOTE}.mid" in used | set(told)
    assert files - used - set(told) <= {"bomb.zip"}  # its member is told of
    assert told["sparse.mid"].startswith("too large") and told["far.mid"].startswith("too short")
    assert "bomb.mxl" in told and all(told[f"text-{number}.mid"].startswith("is plain text") for number in range(10))
    assert {path.name for path in tmp_path.iterdir()} <= {"music", "ten", "data", "outputs"}
    assert {path.name for path in (tmp_path / "music").iterdir()} == files
