import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.dataset.cutting import SourceFile, prepare_file
from pipeline.errors import UnusableError
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Metre, Score
from tests.music_makers import BAND, cutting

RESOLUTION = 24


def save(path: Path, rolls: dict[str, tuple[int, bool, Any]], downbeats: list[int], bpm: float = 100) -> Path:
    """Write rolls `[steps, 128]` by name with pypianoroll."""
    from pypianoroll import BinaryTrack, Multitrack, StandardTrack

    steps = len(next(iter(rolls.values()))[2])
    downbeat = np.zeros(steps, bool)
    downbeat[downbeats] = True
    tracks = [
        (BinaryTrack if roll.dtype == bool else StandardTrack)(name, program, is_drum, roll)
        for name, (program, is_drum, roll) in rolls.items()
    ]
    song = Multitrack("a song", RESOLUTION, np.full(steps, float(bpm)), downbeat, tracks)
    song.save(str(path))
    return path


def roll(rows: list[tuple[int, int, int, int]], beats: int = 16, dtype: type = np.uint8) -> Any:
    """A roll out of first step, end, pitch and velocity."""
    made = np.zeros((beats * RESOLUTION, 128), dtype)
    for start, end, pitch, velocity in rows:
        made[start:end, pitch] = velocity
    return made


def rows(one: Score, index: int = 0) -> list[tuple[float, float, int, int]]:
    events = one.parts[index].events
    return sorted(
        (float(note["onset"]), float(note["duration"]), int(note["pitch"]), int(note["velocity"])) for note in events
    )


def read(path: Path) -> Score:
    return read_scores(path, 1)[0]


def test_a_piano_roll_file_is_read_as_pypianoroll_wrote_it(tmp_path: Path) -> None:
    notes = [(0, 24, 60, 90), (24, 36, 64, 70), (0, 96, 40, 80)]
    path = save(tmp_path / "a.npz", {"Bass": (33, False, roll(notes)), "Drums": (0, True, roll([(0, 1, 36, 99)]))}, [0])
    found = read(path)
    assert rows(found) == [(0, 1, 60, 90), (0, 4, 40, 80), (1, 0.5, 64, 70)]
    assert rows(found, 1) == [(0, 1 / 24, 36, 99)]
    assert [(part.name, part.program, part.is_drum) for part in found.parts] == [
        ("Bass", 33, False),
        ("Drums", 0, True),
    ]
    assert (found.title, found.tempos, found.metres) == ("a song", ((0.0, 100.0),), (Metre(0.0, 4, 4),))


def test_another_velocity_starts_another_note_and_the_same_one_does_not(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", {"x": (0, False, roll([(0, 24, 60, 90), (24, 48, 60, 50), (48, 72, 60, 50)]))}, [0])
    assert rows(read(path)) == [(0, 1, 60, 90), (1, 2, 60, 50)]


def test_binary_rolls_are_read(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", {"x": (0, False, roll([(12, 24, 60, 1)], dtype=bool))}, [0])
    assert rows(read(path)) == [(0.5, 0.5, 60, 80)]


def test_downbeats_say_pickup_and_metre(tmp_path: Path) -> None:
    lines = {"x": (0, False, roll([(0, 24, 60, 90)]))}
    four = [24 * beat for beat in (1, 5, 9, 13)]
    assert read(save(tmp_path / "a.npz", lines, four)).metres == (Metre(1.0, 4, 4),)
    change = [24 * beat for beat in (0, 4, 7, 10)]
    assert read(save(tmp_path / "b.npz", lines, change)).metres == (Metre(0.0, 4, 4), Metre(4.0, 3, 4))
    eighths = [84 * bar for bar in range(4)]
    assert read(save(tmp_path / "c.npz", lines, eighths)).metres == (Metre(0.0, 7, 8),)


def test_a_file_of_the_data_set_gives_phrases(tmp_path: Path) -> None:
    beats = range(32)
    rolls = {
        "Drums": (0, True, roll([(24 * b, 24 * b + 1, 36 + 2 * (b % 2), 90) for b in beats], 32)),
        "Piano": (0, False, roll([(24 * b, 24 * b + 23, 60 + b * 5 % 12, 80) for b in beats], 32)),
    }
    path = save(tmp_path / "a.npz", rolls, [96 * bar for bar in range(8)])
    found = prepare_file(SourceFile("a", str(path)), cutting(tracks=BAND))
    assert not found.rejects
    assert found.songs[0].notes == (32, 32, 0)


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name.replace("__", "."), content)
    return path


def array(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


def test_hostile_archives_are_explained(tmp_path: Path) -> None:
    info = json.dumps({"resolution": 24, "name": "x", "0": {"program": 0, "is_drum": False, "name": "x"}}).encode()

    def track(data: Any, indices: Any, indptr: Any) -> dict[str, bytes]:
        names = ("data", "indices", "indptr")
        return {
            f"pianoroll_0_csc_{name}__npy": array(values)
            for name, values in zip(names, (data, indices, indptr), strict=True)
        }

    ends = np.zeros(129, int)
    cases = {
        "no.npz": ({"a__npy": array(np.zeros(3))}, "no piano roll"),
        "words.npz": ({"info__json": b"{{"}, "broken file"),
        "nothing.npz": ({"info__json": info}, "no matrix of 128 pitches"),
        "steps.npz": ({"info__json": info.replace(b"24", b"0")}, "0 steps a beat"),
        "objects.npz": ({"info__json": info, **track(np.array([{}]), [0], ends)}, "not made of numbers"),
        "backwards.npz": ({"info__json": info, **track([1], [0], np.arange(129)[::-1])}, "make no sense"),
        "negative.npz": ({"info__json": info, **track([1], [-5], np.append(ends[1:], 1))}, "make no sense"),
        "bomb.npz": ({"info__json": info, **track(np.zeros(2_000_000), [0], ends)}, "too large: more than 1 MB when"),
        "header.npz": ({"info__json": info, "pianoroll_0_csc_data__npy": b"\x93NUMPY\x01\x00\x10\x00{}"}, "broken"),
    }
    for name, (members, words) in cases.items():
        with pytest.raises(UnusableError, match=words):
            read_scores(archive(tmp_path / name, **members), 1)
    (tmp_path / "text.npz").write_bytes(b"Dear diary")
    with pytest.raises(UnusableError, match="a damaged zip file"):
        read(tmp_path / "text.npz")


def test_a_step_beyond_all_music_is_too_long(tmp_path: Path) -> None:
    info = json.dumps({"resolution": 24, "0": {"program": 0, "is_drum": False}}).encode()
    path = archive(
        tmp_path / "a.npz",
        info__json=info,
        pianoroll_0_csc_data__npy=array(np.array([90], np.uint8)),
        pianoroll_0_csc_indices__npy=array(np.array([2**40])),
        pianoroll_0_csc_indptr__npy=array(np.append(np.zeros(128, int), 1)),
    )
    (reject,) = prepare_file(SourceFile("a", str(path)), cutting(tracks=BAND)).rejects
    assert reject.reason.startswith("too long")


def test_mutated_files_are_read_or_explained(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    whole = save(tmp_path / "a.npz", {"x": (0, False, roll([(0, 24, 60, 90)]))}, [0]).read_bytes()
    for number in range(200):
        content = bytearray(whole)
        for at in random.integers(0, len(whole), int(random.integers(1, 8))):
            content[at] = random.integers(0, 256)
        path = tmp_path / f"{number}.npz"
        path.write_bytes(bytes(content))
        try:
            read(path)
        except UnusableError as error:
            assert "\n" not in str(error)
