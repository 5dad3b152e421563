"""REAPER projects, read back by a parser of their text."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio.synthesizers import Sound
from pipeline.drawing.palette import rgb, track_colour
from pipeline.rendering.daw.rpp import rpp_text, write_rpp_zip
from pipeline.scores.chords.symbols import read_progression
from pipeline.songs.song import Song
from tests.daw_makers import RATE_HZ, long_song, noises
from tests.song_makers import JIG, song_of


@dataclass
class Chunk:
    """`<HEAD ...` to `>`: its words, its lines of words, and the chunks inside."""

    head: list[str]
    lines: list[list[str]] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)

    def value(self, name: str) -> list[str]:
        """The words behind the one line that begins with `name`."""
        (found,) = [line[1:] for line in self.lines if line[0] == name]
        return found

    def values(self, name: str) -> list[list[str]]:
        """The words behind each line that begins with `name`."""
        return [line[1:] for line in self.lines if line[0] == name]

    def inside(self, name: str) -> list[Chunk]:
        """The chunks of that name."""
        return [chunk for chunk in self.chunks if chunk.head[0] == name]


def words_of(line: str) -> list[str]:
    """The words of a line; those between quotation marks, of whichever kind, are one."""
    found = re.findall(r"\"([^\"]*)\"|'([^']*)'|`([^`]*)`|(\S+)", line)
    return [next((one for one in kinds if one), "") for kinds in found]


def read_rpp(text: str) -> Chunk:
    """The project."""
    open_chunks: list[Chunk] = [Chunk([])]
    for line in text.splitlines():
        line = line.strip()
        if line == ">":
            open_chunks.pop()
        elif line.startswith("<"):
            chunk = Chunk(words_of(line[1:]))
            open_chunks[-1].chunks.append(chunk)
            open_chunks.append(chunk)
        elif not line.startswith("|"):
            open_chunks[-1].lines.append(words_of(line))
    (top,) = open_chunks
    (project,) = top.chunks
    return project


def opened(folder: Path, song: Song, stems: Mapping[str, Sound] | None = None) -> tuple[Chunk, zipfile.ZipFile]:
    path = folder / "song.rpp.zip"
    write_rpp_zip(path, song, "Salt", stems or {}, RATE_HZ)
    archive = zipfile.ZipFile(path)
    return read_rpp(archive.read("01-salt/01-salt.rpp").decode()), archive


def tracks_of(project: Chunk) -> dict[str, Chunk]:
    return {track.value("NAME")[0]: track for track in project.inside("TRACK")}


def seconds_in(project: Chunk, quarters: float) -> float:
    """Seconds to a place in quarter notes, by the project's tempo envelope alone."""
    (envelope,) = project.inside("TEMPOENVEX")
    points = [(float(seconds), float(tempo)) for seconds, tempo, *_ in envelope.values("PT")]
    passed = 0.0
    for (at, tempo), (until, _) in zip(points, [*points[1:], (np.inf, 0.0)], strict=True):
        here = (until - at) * tempo / 60
        if quarters <= passed + here:
            return at + (quarters - passed) * 60 / tempo
        passed += here
    raise AssertionError("the last tempo goes on for ever")


def quarters_in(project: Chunk, seconds: float) -> float:
    """The inverse, by bisection."""
    low, high = 0.0, 1e4
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if seconds_in(project, middle) < seconds else (low, middle)
    return low


def notes_in(project: Chunk, track: Chunk) -> Iterator[tuple[float, float, int, int]]:
    """Start and end in seconds, pitch and velocity of each note of a track."""
    for item in track.inside("ITEM"):
        start = quarters_in(project, float(item.value("POSITION")[0]))
        (source,) = item.inside("SOURCE")
        _, ticks_per_quarter, unit = source.value("HASDATA")
        assert source.head == ["SOURCE", "MIDI"] and unit == "QN"
        now, begun = 0, {}
        for delta, *content in source.values("E"):
            now += int(delta)
            status, pitch, velocity = (int(one, 16) for one in content)
            seconds = seconds_in(project, start + now / int(ticks_per_quarter))
            if status >> 4 == 9:
                assert pitch not in begun, "a note begins twice"
                begun[pitch] = seconds, velocity
            elif status >> 4 == 8:
                yield begun[pitch][0], seconds, pitch, begun.pop(pitch)[1]
        assert not begun and (status >> 4, pitch) == (0xB, 0x7B), "all notes end, and a controller ends the item"
        assert np.isclose(seconds - float(item.value("POSITION")[0]), float(item.value("LENGTH")[0]), atol=1e-6)


def test_tempo_map_and_metre_are_read_back(tmp_path: Path) -> None:
    song = long_song()
    project, _ = opened(tmp_path, song)
    assert project.value("TEMPO") == ["96", "4", "4"]
    (envelope,) = project.inside("TEMPOENVEX")
    points = envelope.values("PT")
    assert points[0][3] == str(4 << 16 | 4) and all(point[2] == "1" for point in points), "held until the next"
    for step in (0, 16, 112, 118, 128):
        assert abs(seconds_in(project, step / 4) - song.seconds_at(step)) < 1e-6
    jig, _ = opened(tmp_path, song_of(spec=JIG, bars=3, tempo_map=((0, 90.0),)))
    assert jig.value("TEMPO") == ["90", "6", "8"]
    assert jig.inside("TEMPOENVEX")[0].values("PT")[0][3] == str(8 << 16 | 6)


def test_markers_and_regions_lie_on_the_bar_lines_of_their_sections(tmp_path: Path) -> None:
    song = long_song()
    project, _ = opened(tmp_path, song)
    marks = project.values("MARKER")
    found = [(name, float(at)) for _, at, name, flags, *_ in marks if flags == "0"]
    bar = float(song.seconds_at(16))
    assert [name for name, _ in found] == ["verse", "chorus"] and np.allclose([at for _, at in found], [0, bar])
    regions = [(number, name, float(at)) for number, at, name, flags, *_ in marks if flags == "1"]
    assert [one[:2] for one in regions] == [("1", "verse"), ("1", ""), ("2", "chorus"), ("2", "")]
    assert np.allclose([one[2] for one in regions], [0, bar, bar, song.seconds], atol=1e-9)


def test_tracks_have_names_colours_volumes_and_pans(tmp_path: Path) -> None:
    song = song_of(volumes=(1.0, 0.5, 0.8), pans=(0.0, -1.0, 0.5))
    tracks = tracks_of(opened(tmp_path, song)[0])
    assert list(tracks) == ["Drums", "Piano", "Bass", "Chords"]
    for index, name in enumerate(song.spec.names):
        colour = int(tracks[name].value("PEAKCOL")[0])
        assert [colour >> shift & 255 for shift in (0, 8, 16, 24)] == [*rgb(track_colour(index)).tolist(), 1]
        volume, pan = map(float, tracks[name].value("VOLPAN")[:2])
        assert np.isclose(volume, song.volumes[index] ** 2) and np.isclose(pan, song.pans[index])


def test_notes_sound_at_their_seconds_with_tempo_map_swing_and_offsets(tmp_path: Path) -> None:
    song = long_song()
    project, _ = opened(tmp_path, song)
    for index, name in enumerate(song.spec.names):
        found = np.array(sorted(notes_in(project, tracks_of(project)[name])))
        mine = song.notes["track"] == index
        starts, ends = (song.seconds_at(ticks[mine] / song.ticks_per_step) for ticks in song.bounds_ticks())
        asked = np.stack([starts, ends, song.notes["pitch"][mine], song.velocities[mine]], axis=1)
        asked = asked[np.lexsort(asked.T[::-1])]
        assert found.shape == asked.shape and np.array_equal(found[:, 2:], asked[:, 2:])
        off = np.abs(found[:, :2] - asked[:, :2]).max(axis=1)
        on_bar_line = np.isclose(found[:, 0], song.seconds_at(16), atol=1e-6)
        assert off[~on_bar_line].max() < 0.001, "a millisecond"
        assert off.max() < 0.05, "a first note that is played early begins with its clip"


def test_stems_sound_in_a_folder_and_their_notes_are_muted(tmp_path: Path) -> None:
    song = song_of()
    stems = noises(song, ("Drums", "Bass"))
    project, archive = opened(tmp_path, song, stems)
    tracks = tracks_of(project)
    assert list(tracks)[:3] == ["Stems", "Drums stem", "Bass stem"]
    assert [tracks[name].value("ISBUS") for name in list(tracks)[:3]] == [["1", "1"], ["0", "0"], ["2", "-1"]]
    assert sum(int(track.value("ISBUS")[1]) for track in tracks.values()) == 0, "every folder is closed"
    assert [name for name, track in tracks.items() if track.value("MUTESOLO")[0] == "1"] == ["Drums", "Bass", "Chords"]
    for name, stem in stems.items():
        (item,) = tracks[f"{name} stem"].inside("ITEM")
        (source,) = item.inside("SOURCE")
        content = archive.read(f"01-salt/{source.value('FILE')[0]}")
        sound, rate_hz = soundfile.read(io.BytesIO(content), dtype="float32")
        assert rate_hz == RATE_HZ and np.abs(sound - stem).max() < 1e-3
        assert float(item.value("POSITION")[0]) == 0
        assert np.isclose(float(item.value("LENGTH")[0]), len(stem) / RATE_HZ)
        assert item.value("BEAT") == ["0"], "it keeps its time where tempi are changed"


def test_chords_are_items_with_their_names(tmp_path: Path) -> None:
    song = song_of(composed_chords=read_progression("C Am | F G"))
    items = tracks_of(opened(tmp_path, song)[0])["Chords"].inside("ITEM")
    assert [(item.value("NAME")[0], float(item.value("POSITION")[0])) for item in items] == [
        ("C", 0), ("Am", 1), ("F", 2), ("G", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ['the "end"', 'it\'s "over"', "a `b` 'c' \"d\"", "two\nlines"])
def test_names_with_quotation_marks_stay_one_word(name: str) -> None:
    song = song_of()
    section = song.sections[0].__class__(name, "verse", 0, 2)
    project = read_rpp(rpp_text(song_of(sections=(section,)), "Salt", [], RATE_HZ))
    assert project.values("MARKER")[0][2] == name.replace("`", "'" if '"' in name else "`").replace("\n", " ")


def test_the_same_song_gives_the_same_text_and_no_id_twice() -> None:
    one, two = (rpp_text(long_song(), "Salt", [], RATE_HZ) for _ in range(2))
    assert one == two
    ids = re.findall(r"(?:IGUID|GUID|TRACKID) (\{.*\})", one)
    assert len(ids) == len(set(ids)) and ids
