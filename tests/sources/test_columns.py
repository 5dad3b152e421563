import pytest

from pipeline.sources.columns import (
    match_columns,
    read_beats_cell,
    read_bpm,
    read_key_cell,
    read_kind,
    read_notes_cell,
    read_seconds,
    read_split,
)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        *(("Am", "A minor"), ("F#m", "F# minor"), ("Bb major", "Bb major"), ("B♭", "Bb major"), ("CM", "C major")),
        *(("c# min", "C# minor"), ("Gmaj", "G major"), ("8A", "A minor"), ("12B", "E major"), ("1a", "Ab minor")),
        *(("E flat minor", "Eb minor"), ("fis-Moll", "F# minor"), ("Es-Dur", "Eb major"), ("Db", "C# major")),
        *(
            ("C sharp", "C# major"),
            ("A:min", "A minor"),
            ("D", "D major"),
            ("As", "Ab major"),
            ("B-Dur", "Bb major"),
            ("Aeolian", None),
        ),
        *(("dorian", None), ("13A", None), ("", None), ("C lydian", None)),
    ],
)
def test_keys_are_read_in_many_spellings(text: str, key: str | None) -> None:
    if key is None:
        with pytest.raises(ValueError):
            read_key_cell(text)
    else:
        assert read_key_cell(text) == key


def test_tempi_and_seconds_are_read_in_many_spellings() -> None:
    assert [read_bpm(text) for text in ("92", "92.5 bpm", "ca. 120", "♩=60", "100 beats per minute")] == [
        *(92, 92.5, 120, 60, 100)
    ]
    assert [read_bpm(text) for text in ("≈ 100", "~100 BPM", "100-ish", "100 bpm (half time 50)", "etwa 100?")] == [
        100
    ] * 5
    assert [read_seconds(text) for text in ("0.5", "1,25 s", "520 ms", "1:02.5", "00:01:02")] == [
        *(0.5, 1.25, 0.52, 62.5, 62)
    ]
    for text in ("5", "4000", "fast", "120-130"):
        with pytest.raises(ValueError):
            read_bpm(text)
    with pytest.raises(ValueError):
        read_seconds("soon")


def test_kinds_and_splits_are_read_kindly() -> None:
    assert [read_kind(text) for text in ("Songs", "SAMPLE", "Lyric", "lyrics", "Recording")] == [
        *("song", "sample", "text", "text", "song")
    ]
    assert [read_split(text) for text in ("Train", "val", "testing")] == ["train", "validation", "test"]


def test_corrections_are_files_and_comments_are_none() -> None:
    assert [read_notes_cell(text) for text in ('"my song.MID"', "fixed/a.midi", "too slow", "take 2.")] == [
        *("my song.MID", "fixed/a.midi", "", "")
    ]
    assert [read_beats_cell(text) for text in ("a.txt", "beats/a 1.beats")] == ["a.txt", "beats/a 1.beats"]
    with pytest.raises(ValueError, match="is no MIDI file"):
        read_notes_cell("fixed.musicxml")
    for text in ("64", "4.5", "steady"):
        with pytest.raises(ValueError, match="names no file"):
            read_beats_cell(text)


def test_columns_of_corrections_do_not_say_where_songs_are() -> None:
    found = match_columns(["Title", "File", "Notes file", "Beats file"], {})
    assert (found["where"], found["notes"], found["beats"]) == ([1], [2], [3])
