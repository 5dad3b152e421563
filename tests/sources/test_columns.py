import pytest

from pipeline.sources.columns import read_bpm, read_key_cell, read_kind, read_seconds, read_split


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
