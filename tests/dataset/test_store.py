import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gan.spec import HOLD, ONSET
from pipeline.csv import read_rows, write_rows
from pipeline.dataset.cutting import SourceFile
from pipeline.dataset.resumable_reading import read_files
from pipeline.dataset.splits import SPLITS
from pipeline.dataset.store import (
    RECOGNISED,
    SAMPLED,
    SONGS,
    WRITTEN,
    PhraseStore,
    SamplePhrase,
    SongRow,
    kind_of_reason,
    open_store,
)
from pipeline.dataset.store_writer import StoreSummary, write_store
from pipeline.errors import UserError
from pipeline.scores.chords.recognition import recognise_chords
from pipeline.scores.chords.symbols import print_progression
from pipeline.scores.notes import notes_from_roll
from pipeline.settings.data import ExecutorSettings
from tests.music_makers import SPEC, cutting, song_midi, tune, write_midi


def sources_in(folder: Path) -> list[SourceFile]:
    return [SourceFile(path.stem, str(path)) for path in sorted(folder.iterdir())]


def prepare(folder: Path, target: Path, workers: int = 1, **changes: object) -> StoreSummary:
    target.mkdir()
    how = cutting(**changes)
    return write_store(read_files(sources_in(folder), how, ExecutorSettings("local", workers, None)), how, target)


def reasons(store: PhraseStore) -> dict[str, str]:
    return {Path(row.path).name: row.reason for row in store.rejects}


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six songs, a copy of one in another key, a waltz, and damaged files."""
    folder = tmp_path_factory.mktemp("music")
    for seed in range(6):
        song_midi(folder / f"song-{seed}.mid", seed, root=60 + seed)
    song_midi(folder / "transposed.mid", 2, root=67)
    song_midi(folder / "waltz.mid", 9, metre=(3, 4))
    song_midi(folder / "short.mid", 10, bars=3)
    write_midi(folder / "solo.mid", {(0, 0, "piano"): tune(11)})
    write_midi(folder / "rest.mid", {(0, 0, "piano"): []})
    (folder / "empty.mid").write_bytes(b"")
    (folder / "text.mid").write_text("Dear diary")
    whole = (folder / "song-0.mid").read_bytes()
    (folder / "truncated.mid").write_bytes(whole[: len(whole) // 2])
    track = b"\x00\x90\x3c\x50\x83\x60\x80\x3c\x00\xff\xff\xff\x7f\x90\x3e\x50\x83\x60\x80\x3e\x00\x00\xff\x2f\x00"
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track))
    (folder / "far.mid").write_bytes(head + track)
    (folder / "line\nbreak \N{MUSICAL NOTE}.mid").write_bytes(b"?")
    return folder


@pytest.fixture(scope="module")
def store(music: Path, tmp_path_factory: pytest.TempPathFactory) -> PhraseStore:
    target = tmp_path_factory.mktemp("prepared") / "set"
    prepare(music, target)
    return open_store(target)


def test_every_file_is_used_or_explained(music: Path, store: PhraseStore) -> None:
    used = {Path(row.source).name for row in store.songs}
    assert used == {f"song-{seed}.mid" for seed in range(6)}
    assert used | set(reasons(store)) == {path.name for path in music.iterdir()}
    assert reasons(store) == {
        "transposed.mid": f"duplicate of {music / 'song-2.mid'}",
        "waltz.mid": "is in 3/4; data.metre=3/4 takes such music",
        "short.mid": "too short: 3 bars, and phrases have 4 (roll.bars)",
        "solo.mid": "one track only; prepare.min_tracks=1 takes it",
        "rest.mid": "no notes",
        "empty.mid": "broken file: it is empty",
        "text.mid": "is plain text, not a MIDI file",
        "truncated.mid": "broken file: it is cut off or its lengths are wrong",
        "far.mid": "too short: 1 bar, and phrases have 4 (roll.bars)",
        "line\nbreak \N{MUSICAL NOTE}.mid": "broken file: it does not begin like a MIDI file",
    }


def test_stored_phrases_are_the_notes_of_the_files(music: Path, store: PhraseStore) -> None:
    for split in ("train", "validation", "test"):
        index, rolls = store.index(split), store.rolls(split)
        assert rolls.shape == (len(index), *SPEC.shape) and rolls.dtype == bool
        for song, first_bar, roll in zip(index.songs, index.first_bars, rolls, strict=True):
            row = store.songs[song]
            seed = int(Path(row.source).stem[-1])
            line = [(int(4 * on), pitch + row.shift) for on, _, pitch in tune(seed, root=60 + seed)]
            bars = [(on - 16 * first_bar, pitch) for on, pitch in line if 0 <= on - 16 * first_bar < 64]
            notes = notes_from_roll(roll, SPEC.lowest_pitch)
            piano, bass, drums = (notes[notes["track"] == track] for track in (1, 2, 0))
            assert list(zip(piano["onset"], piano["pitch"], strict=True)) == bars
            assert list(zip(bass["onset"], bass["pitch"], strict=True)) == [(on, pitch - 24) for on, pitch in bars]
            assert np.all(piano["length"] == 4)
            assert drums["pitch"].tolist() == [36, 38] * 8 and np.all(drums["length"] == 1)
            assert not roll[HOLD, 0].any() and roll[ONSET, 0].sum() == 16


def test_a_song_lies_on_one_side_and_all_splits_have_some(store: PhraseStore) -> None:
    for split in ("train", "validation", "test"):
        assert len(store.packed(split)) == len(store.index(split)) > 0
        assert {store.songs[song].split for song in store.index(split).songs} == {split}
    assert len(store) == len(store.index()) == sum(row.phrases for row in store.songs) == 6 * 5


def test_statistics_describe_the_music(store: PhraseStore) -> None:
    statistics = store.statistics
    assert statistics["notes_per_bar"] == {"Drums": 4, "Piano": 4, "Bass": 4}
    assert statistics["polyphony"] == {"Drums": 1, "Piano": 1, "Bass": 1}
    assert statistics["tempo_bpm"]["0.5"] == 120
    assert statistics["bars"] == 6 * 8
    assert statistics["programs"]["Bass"] == {"33": 6 * 32}
    assert sum(statistics["keys"].values()) == sum(statistics["modes"].values()) == 6


def test_tracks_that_a_song_says_nothing_of_are_kept_apart_from_those_that_rest(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    beat = [(onset, 0.5, 36) for onset in range(32)]
    files = {
        "band": {(0, 0, "a"): tune(1), (9, 0, "b"): beat},
        "duo": {(0, 0, "a"): tune(2), (1, 33, "b"): [(on, length, pitch - 24) for on, length, pitch in tune(3)]},
    }
    sources = [SourceFile(name, str(write_midi(tmp_path / f"{name}.mid", lines))) for name, lines in files.items()]
    how = cutting(unknown=["Bass", "Drums"])
    write_store(read_files(sources, how, ExecutorSettings("local", 1, None)), how, tmp_path / "set")
    store = open_store(tmp_path / "set")
    assert {row.song: row.known for row in store.songs} == {"band": "Drums; Piano", "duo": "Piano; Bass"}
    known = {
        store.songs[song].song: own.tolist()
        for split in ("train", "validation", "test")
        for song, own in zip(store.index(split).songs, store.known(split), strict=True)
    }
    assert known == {"band": [True, True, False], "duo": [False, True, True]}
    assert store.statistics["notes_per_bar"] == {"Drums": 4, "Piano": 4, "Bass": 4}, "over the songs that know them"
    assert store.known_by_any_song.tolist() == [True, True, True]


def test_a_track_that_holds_a_sample_is_known_in_that_phrase(music: Path, tmp_path: Path) -> None:
    target = tmp_path / "set"
    prepare(music, target)
    opened = open_store(target)
    song = next(one for one in opened.songs if one.split == "train")
    song_rows = read_rows(target / SONGS, SongRow, "prepare")
    known = [replace(one, known="Bass") if one.song == song.song else one for one in song_rows]
    write_rows(target / SONGS, known, SongRow)
    before = open_store(target).known("train")
    assert not open_store(target).sampled
    first = opened.index("train").of(opened.songs.index(song))
    bar, place = next(iter(first.items()))
    rows = [SamplePhrase(song.song, bar, "Piano"), SamplePhrase("gone", bar, "Piano")]
    write_rows(target / SAMPLED, rows, SamplePhrase)
    after = open_store(target).known("train")
    assert np.argwhere(after != before).tolist() == [[place, opened.spec.names.index("Piano")]]
    write_rows(target / SAMPLED, [SamplePhrase(song.song, bar, "Harp")], SamplePhrase)
    with pytest.raises(UserError, match=r"sampled\.csv is damaged"):
        open_store(target).known("train")


def test_the_result_is_the_same_for_any_number_of_workers(music: Path, store: PhraseStore, tmp_path: Path) -> None:
    prepare(music, tmp_path / "set", workers=2)
    for path in sorted(store.directory.iterdir()):
        assert path.read_bytes() == (tmp_path / "set" / path.name).read_bytes(), path.name


def test_the_original_key_is_kept_on_request(music: Path, tmp_path: Path) -> None:
    prepare(music, tmp_path / "set", common_key=False)
    assert {row.shift for row in open_store(tmp_path / "set").songs} == {0}


def test_common_key_moves_songs_in_different_keys_together(store: PhraseStore) -> None:
    assert {row.shift for row in store.songs} != {0}
    for row in store.songs:
        names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
        tonic, mode = row.key.split()
        assert (names.index(tonic) + row.shift) % 12 == (0 if mode == "major" else 9)


def test_with_nothing_usable_nothing_is_stored(music: Path, tmp_path: Path) -> None:
    summary = prepare(music, tmp_path / "set", max_file_megabytes=0)
    assert summary.songs == 0 and not list((tmp_path / "set").iterdir())
    assert summary.reasons() == {"too large": len(list(music.iterdir())) - 1, "broken file": 1}


def test_a_split_that_the_catalog_names_takes_its_group_along(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    paths = [song_midi(tmp_path / "songs" / f"{seed}.mid", seed, bars=12) for seed in range(6)]
    longer = song_midi(tmp_path / "songs" / "0-longer.mid", 0, root=65, bars=16)  # begins with the tune of song 0
    twin = song_midi(tmp_path / "songs" / "5-twin.mid", 5, root=63, bars=12)
    sources = [SourceFile(path.stem, str(path)) for path in paths]
    sources[0] = replace(sources[0], split="test")
    sources += [SourceFile("longer", str(longer), split="train"), SourceFile("twin", str(twin), split="validation")]
    (tmp_path / "set").mkdir()
    write_store(read_files(sources, cutting(), ExecutorSettings("local", 1, None)), cutting(), tmp_path / "set")
    rows = {row.song: row for row in open_store(tmp_path / "set").songs}
    assert (rows["0"].split, rows["longer"].split, rows["5"].split) == ("test", "test", "validation")
    assert rows["longer"].remark == f"in test instead of train, like {paths[0]}, which has the same tune"
    assert [row.remark for name, row in rows.items() if name != "longer"] == [""] * 6
    assert "twin" not in rows


def test_songs_whose_files_hash_alike_stay_apart(tmp_path: Path) -> None:
    sources = [SourceFile("same", str(song_midi(tmp_path / f"{seed}.mid", seed))) for seed in range(3)]
    (tmp_path / "set").mkdir()
    write_store(read_files(sources, cutting(), ExecutorSettings("local", 1, None)), cutting(), tmp_path / "set")
    store = open_store(tmp_path / "set")
    assert {row.song for row in store.songs} == {"same", "same-again-2", "same-again-3"}
    assert {row.source for row in store.songs} == {source.path for source in sources}


def test_the_store_takes_little_more_than_its_rolls(store: PhraseStore) -> None:
    size = sum(path.stat().st_size for path in store.directory.iterdir())
    assert size < 2 * (store.directory / "rolls.npy").stat().st_size


def test_file_order_on_disk_does_not_matter(music: Path, store: PhraseStore, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in sorted(music.iterdir(), reverse=True):
        (moved / path.name).write_bytes(path.read_bytes())
    prepare(moved, tmp_path / "set")
    again = open_store(tmp_path / "set")
    assert np.array_equal(again.rolls("train"), store.rolls("train"))
    assert [replace(row, source="") for row in again.songs] == [replace(row, source="") for row in store.songs]
    for name in ("songs", "first_bars", "sections"):
        assert np.array_equal(getattr(again.index(), name), getattr(store.index(), name))


def test_reasons_are_counted_by_kind() -> None:
    assert kind_of_reason("duplicate of a: b.mid") == "duplicate"
    assert kind_of_reason("is in 3/4; data.metre=3/4 takes such music") == "is in 3/4"
    assert kind_of_reason("one track only; prepare.min_tracks=1 takes it") == "one track only"
    assert kind_of_reason("no 4 bars of 4/4 in a row (3 at most, roll.bars is 4)") == "no 4 bars of 4/4 in a row"
    assert kind_of_reason("too short: 3 bars, and phrases have 4 (roll.bars)") == "too short"
    assert kind_of_reason("has 5 parts, the track set satb needs 4") == "another number of parts"


@pytest.mark.parametrize("name", ["rolls.npy", "phrases.csv", "songs.csv", "statistics.json"])
@pytest.mark.parametrize("damage", ["missing", "cut", "garbage"])
def test_a_damaged_store_names_the_file(music: Path, tmp_path: Path, name: str, damage: str) -> None:
    prepare(music, tmp_path / "set")
    path = tmp_path / "set" / name
    content = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"\xff\x00garbage" * 20)
    with pytest.raises(UserError, match=name):
        assert open_store(tmp_path / "set").index()


def test_chords_are_stored_beside_the_phrases_and_move_with_them(store: PhraseStore) -> None:
    for split in SPLITS:
        chords, rolls = store.chords(split), store.rolls(split)
        assert chords.shape == (len(rolls), store.spec.half_bars, 3) and chords.dtype == np.int8
        for row, roll in zip(chords, rolls, strict=True):
            heard = recognise_chords(notes_from_roll(roll, store.spec.lowest_pitch), store.spec.bars, store.spec)
            assert np.mean(heard[:, 0] == row[:, 0]) >= 0.5, "but for what smoothing over the song changes at its ends"
    assert {row.chords for row in store.songs} == {RECOGNISED}


def test_chord_symbols_of_a_score_are_stored(tmp_path: Path) -> None:
    bars = "".join(f'"{chord}"[CE]4|' for chord in ("Am", "F", "C/E", "G7", "Am", "F", "C", "N.C."))
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.abc").write_text(f"X:1\nT:A\nM:4/4\nL:1/4\nK:C\nV:1\n{bars}\nV:2\n{'G,4|' * 8}\n")
    prepare(tmp_path / "music", tmp_path / "set", min_tracks=1, common_key=False)
    store = open_store(tmp_path / "set")
    (song,) = store.songs
    assert song.chords == WRITTEN and song.shift == 0
    chords = next(store.chords(split) for split in SPLITS if len(store.chords(split)))
    assert print_progression(chords[0]) == "Am | F | C/E | G7"


def test_a_damaged_file_of_chords_is_named(music: Path, tmp_path: Path) -> None:
    prepare(music, tmp_path / "set")
    (tmp_path / "set" / "chords.npy").write_bytes(b"?")
    with pytest.raises(UserError, match=r"chords\.npy"):
        open_store(tmp_path / "set").chords("train")
