"""Records out of recordings and scores, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UserError
from pipeline.scores.chords.symbols import print_progression
from pipeline.settings.render import RenderSettings
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.songs.flip.attacks import attack_near
from pipeline.songs.flip.record import Record, read_record
from tests.music_makers import SPEC, write_midi
from tests.record_makers import band_sound, even_beats
from tests.xml_makers import ATTRIBUTES, write_xml, xml_note

CHORDS = [(60, 64, 67), (65, 69, 72), (55, 59, 62), (60, 64, 67)]


def read(path: Path, max_minutes: float = 30) -> Record:
    return read_record(
        str(path), "generate.flip", SPEC, 1.0, TranscribeSettings(max_minutes=max_minutes), RenderSettings()
    )


def write_song(path: Path, bpm: float = 96, metre: tuple[int, int] = (4, 4)) -> Path:
    """Four bars of chords on every beat over drums."""
    chords = [(float(beat), 0.9, pitch) for beat in range(16) for pitch in CHORDS[beat // 4]]
    hits = [(float(beat), 0.25, 36 if beat % 2 == 0 else 38) for beat in range(16)]
    return write_midi(path, {(0, 0, "Piano"): chords, (9, 0, "Drums"): hits}, metre=metre, bpm=bpm)


def test_a_midi_file_is_played_and_has_the_bars_that_it_says(tmp_path: Path) -> None:
    record = read(write_song(tmp_path / "old.mid"))
    assert (record.num_bars, record.beats_per_bar, record.bpm) == (4, 4, pytest.approx(96))
    assert record.bar_seconds == pytest.approx(np.arange(5) * 2.5)
    assert record.whole_bars == range(4)
    assert print_progression(record.chords) == "C | F | G | C" and str(record.key) == "C major"
    assert (record.chord_confidence == 1).all()
    assert len(record.notes) == 48 and len(record.hits) == 16
    assert set(record.notes["track"]) == {"Piano"}
    assert record.notes["start"] == pytest.approx(record.notes["onset"] * 60 / 96)
    assert record.sound.shape[1] == 2 and abs(record.tuning_cents) < 5
    for start in np.unique(record.notes["start"])[1:]:
        attack = attack_near(record.sound, round(start * SAMPLE_RATE_HZ))
        assert attack is not None and abs(attack / SAMPLE_RATE_HZ - start) < 0.01


def test_notation_is_played_by_its_notes(tmp_path: Path) -> None:
    bar = "".join(xml_note(step, 4, 2) for step in "CEGE")
    record = read(write_xml(tmp_path / "old.xml", ATTRIBUTES.format("") + bar, bar, bar, bar))
    assert record.num_bars == 4 and record.bpm == 120
    attack = attack_near(record.sound, SAMPLE_RATE_HZ)
    assert attack is not None and abs(attack - SAMPLE_RATE_HZ) < 0.02 * SAMPLE_RATE_HZ


def test_a_recording_is_transcribed_once_and_heard_in_stereo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sound = band_sound("CDFDGDaDCDFD", tuple(even_beats(12).tolist()))
    soundfile.write("old.wav", sound, SAMPLE_RATE_HZ)
    record = read(Path("old.wav"))
    assert record.bpm == pytest.approx(120, abs=1) and record.beats_per_bar == 4
    assert np.abs(record.sound - sound).max() < 1e-3
    assert len(record.notes) and len(record.hits)
    assert record.chords.shape == (2 * record.num_bars, 3) and len(record.chord_confidence) == 2 * record.num_bars
    assert 0 < record.chord_confidence.max() <= 1
    off = record.beats.seconds / 0.5
    assert np.abs(off - np.rint(off)).max() < 0.05
    again = read(Path("old.wav"))
    assert np.array_equal(again.notes, record.notes)


NOISE = np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE_HZ)


@pytest.mark.parametrize(
    ("name", "samples", "reason"),
    [
        ("silence.wav", np.zeros(SAMPLE_RATE_HZ * 5), "silent from beginning to end"),
        ("short.wav", 0.1 * NOISE[:20000], "lasts less than 1 s"),
        ("hiss.wav", 1e-3 * NOISE, "no notes are found in it|no bar of 4/4 fits into its 2.0 s"),
        ("long.wav", 0.1 * np.tile(NOISE, 4), "raise transcribe.max_minutes"),
    ],
)
def test_recordings_without_a_bar_of_music_are_refused_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, samples: NDArray[np.float64], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    soundfile.write(name, samples, SAMPLE_RATE_HZ)
    with pytest.raises(UserError, match=reason) as error:
        read(Path(name), max_minutes=0.1)
    assert str(error.value).startswith(f"generate.flip={name} can't be flipped: ")


def test_scores_that_are_none_in_another_metre_or_too_long_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.mid").write_bytes(b"MThd" + bytes(40))
    (tmp_path / "text.abc").write_text("hello", encoding="utf-8")
    write_midi(tmp_path / "empty.mid", {(0, 0, "Piano"): []})
    for name in ("broken.mid", "text.abc", "empty.mid"):
        with pytest.raises(UserError, match=f"generate.flip=.*{name} can't be flipped: "):
            read(tmp_path / name)
    with pytest.raises(UserError, match=r"is in 3/4, and this checkpoint makes 4/4: flip a record in 4/4\."):
        read(write_song(tmp_path / "waltz.mid", metre=(3, 4)))
    with pytest.raises(UserError, match=r"lasts more than transcribe.max_minutes=0.1; .* raise transcribe.max_minutes"):
        read(write_song(tmp_path / "long.mid"), max_minutes=0.1)
    with pytest.raises(UserError, match="there is no such file"):
        read(tmp_path / "none.mid")
