"""Transcriptions in a prepared set: what of them is known, their chords, and how much their phrases count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import compose
from pipeline.dataset.cutting import CuttingSettings, SourceFile, cutting_settings, prepare_file, returns_in
from pipeline.dataset.resumable_reading import from_bytes, to_bytes
from pipeline.dataset.splits import SPLITS
from pipeline.dataset.store import open_store
from pipeline.dataset.store_writer import write_store
from pipeline.scores.chords.symbols import ChordRows, print_progression, read_progression, unknown_chords
from pipeline.scores.quantisation import BarSpan
from pipeline.scores.score import Part
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.midi import transcription_midi
from pipeline.transcription.transcriber import Transcription
from tests.music_makers import part, song_midi, tune

BARS = 12
SURE = (1.0,) * 4 + (0.5, 0.6, 0.4, 0.5) + (0.3, 0.2, 0.1, 0.1)
"""Confidence of four bars each: none, some and much doubt."""


@pytest.fixture(scope="module")
def pop() -> CuttingSettings:
    return replace(
        cutting_settings(compose("stage=prepare", "tracks=pop", "prepare.hop_bars=4")),
        common_key=False,
        by_sections=False,
        min_tracks=1,
    )


def heard(path: Path, chords: ChordRows | None = None, beats_per_bar: int = 4, far: int = 8, every: int = 1) -> Path:
    """A transcription on disk: a tune whose pitches lie less than `far` semitones apart, chords, bass and drums.

    Of the notes of the tune one in `every` is heard.
    """
    beats = Beats(0.5 * np.arange(BARS * beats_per_bar + 2), beats_per_bar)
    line = [(onset, 1.5, 72 + pitch % far) for onset, _, pitch in tune(1, BARS)][::every]
    parts: tuple[Part, ...] = (
        part([(beat, 0.25, 36) for beat in range(4 * BARS)], "Drums", is_drum=True),
        part(line, "Lead", 73),
        part([(onset, 1, pitch + low) for onset, _, pitch in tune(2, BARS) for low in (0, -5)], "Piano"),
        part([(onset, 1, pitch - 24) for onset, _, pitch in tune(3, BARS)], "Bass", 33),
    )
    one = Transcription(parts, beats, (), 60.0)
    if chords is not None:
        one = replace(one, chords=chords, chord_confidence=np.ones(len(chords)))
    path.write_bytes(transcription_midi(one, "mine"))
    return path


def source(path: Path, **changes: object) -> SourceFile:
    return SourceFile("a", "a.mp3", transcription=str(path), **changes)  # type: ignore[arg-type]


def test_tracks_that_a_transcription_does_not_teach_are_unknown_and_their_notes_are_left_out(
    tmp_path: Path, pop: CuttingSettings
) -> None:
    path = heard(tmp_path / "a.mid")
    (song,) = prepare_file(source(path, known=("Lead", "Drums", "Bass", "Strings")), pop).songs
    names = [track.name for track in pop.tracks.tracks]
    assert [name for name, known in zip(names, song.known, strict=True) if known] == [
        "Lead",
        "Drums",
        "Bass",
        "Strings",
    ]
    assert [name for name, notes in zip(names, song.notes, strict=True) if notes] == ["Lead", "Drums", "Bass"]
    (rest,) = prepare_file(source(path, known=("Lead",)), pop).songs
    assert rest.known == (True, *(False,) * 5)
    for known in ((), ("Guitar",)):
        (reject,) = prepare_file(source(path, known=known), pop).rejects
        assert reject.reason == "heard too badly: it teaches no track"


def test_the_lead_of_a_transcription_sounds_one_note_at_a_time(tmp_path: Path, pop: CuttingSettings) -> None:
    (song,) = prepare_file(source(heard(tmp_path / "a.mid"), known=("Lead", "Piano")), pop).songs
    assert song.pitch_steps[0] == song.sounding[0]


def test_a_tune_that_leaps_as_none_does_is_not_learnt(tmp_path: Path, pop: CuttingSettings) -> None:
    told = ("Lead", "Drums", "Piano")
    (sung,) = prepare_file(source(heard(tmp_path / "a.mid"), known=told), pop).songs
    assert sung.known[0] and sung.notes[0] and sung.remarks == ()
    path = heard(tmp_path / "b.mid", far=12)
    (song,) = prepare_file(source(path, known=told), pop).songs
    assert song.known == (False, *sung.known[1:]) and song.notes == (0, *sung.notes[1:])
    assert song.remarks == ("nothing is learnt of what leaps too often (Lead)",)
    assert (song.key, song.bars) == (prepare_file(source(path), pop).songs[0].key, sung.bars)
    (alone,) = prepare_file(source(path, known=("Lead",)), pop).rejects
    assert alone.reason == "heard too badly: all that it teaches leaps too often"


def test_a_tune_of_a_note_now_and_then_is_not_learnt(tmp_path: Path, pop: CuttingSettings) -> None:
    (whole,) = prepare_file(source(heard(tmp_path / "a.mid"), known=("Lead", "Drums")), pop).songs
    sparse = heard(tmp_path / "b.mid", every=16)
    (song,) = prepare_file(source(sparse, known=("Lead", "Drums")), pop).songs
    assert whole.known[0] and not song.known[0] and song.notes[0] == 0
    assert song.remarks == ("nothing is learnt of what is heard in snatches (Lead)",)


def test_bars_that_sound_alike_return_in_the_plan_of_a_transcription(tmp_path: Path, pop: CuttingSettings) -> None:
    path = heard(tmp_path / "a.mid")
    told = (-1, -1, -1, -1, *range(BARS - 4))
    (song,) = prepare_file(source(path, known=("Lead", "Drums"), returns=told), pop).songs
    plays = song.plan.playing[:, 4:BARS]
    assert plays.any() and song.plan.exact[:, 4:BARS][plays].all()
    assert (song.plan.source[:, 4:BARS][plays] == np.broadcast_to(np.arange(BARS - 4), plays.shape)[plays]).all()


def test_bars_of_a_later_span_return_from_bars_of_it_alone(pop: CuttingSettings) -> None:
    told = (-1, -1, 0, 1, 2, 3)
    assert returns_in(BarSpan(8.0, 5, 2), pop.spec, told, 4.0).tolist() == [-1, -1, 0, 1, -1]  # type: ignore[union-attr]
    assert returns_in(BarSpan(8.0, 4, 2), pop.spec, told, 2.0) is None, "bars of another length"
    assert returns_in(BarSpan(7.0, 4, 2), pop.spec, told, 4.0) is None, "bars that begin elsewhere"
    assert returns_in(BarSpan(8.0, 4, 2), pop.spec, (), 4.0) is None


def test_bars_that_were_heard_alike_return_in_the_plan_of_a_transcription(tmp_path: Path, pop: CuttingSettings) -> None:
    """Two notes of each bar of sixteen are another in each repetition of a phrase."""
    random = np.random.default_rng(0)
    bars = np.tile(random.integers(60, 67, (4, 16)), (3, 1))
    bars[np.arange(BARS)[:, None], random.integers(0, 16, (BARS, 2))] = 67 + np.arange(BARS)[:, None]
    notes = [(place / 4, 0.25, int(pitch)) for place, pitch in enumerate(bars.flatten())]
    one = Transcription((part(notes, "Piano"),), Beats(0.5 * np.arange(BARS * 4 + 2), 4), (), 60.0)
    (tmp_path / "a.mid").write_bytes(transcription_midi(one, "mine"))
    (song,) = prepare_file(source(tmp_path / "a.mid", known=("Piano",)), pop).songs
    piano = song.known.index(True)
    assert song.plan.source[piano].tolist()[:8] == [-1, -1, -1, -1, 0, 1, 2, 3]
    assert song.plan.exact[piano].tolist() == [False] * 4 + [True] * 8
    (plain,) = prepare_file(source(tmp_path / "a.mid"), pop).songs
    assert not plain.plan.exact.any(), "corrected notes are as they are"


def test_other_track_sets_take_a_transcription_as_a_score(tmp_path: Path, pop: CuttingSettings) -> None:
    band = cutting_settings(compose("stage=prepare", "tracks=band", "prepare.hop_bars=4"))
    path = heard(tmp_path / "a.mid")
    for settings in (band, replace(pop, tracks=replace(pop.tracks, tracks=pop.tracks.tracks[:-1]))):
        told, plain = (prepare_file(source(path, known=known), settings).songs for known in (("Bass",), None))
        assert told[0].known == plain[0].known and np.array_equal(told[0].phrases, plain[0].phrases)


def test_chords_of_a_transcription_are_those_that_it_wrote_down_and_no_others(
    tmp_path: Path, pop: CuttingSettings
) -> None:
    chords = np.concatenate([read_progression("Am F C G7"), unknown_chords(8), read_progression("Dm Dm Dm Dm")])
    (song,) = prepare_file(source(heard(tmp_path / "a.mid", chords), known=("Lead", "Piano")), pop).songs
    assert song.starts == (0, 4, 8)
    assert print_progression(song.chords[0]) == "Am | F | C | G7"
    assert (song.chords[1] == -1).all(), "nothing is recognised where nothing was heard"
    assert print_progression(song.chords[2]) == "Dm | Dm | Dm | Dm"
    assert song.has_written_chords


def test_phrases_count_as_much_as_their_bars_were_surely_heard(tmp_path: Path, pop: CuttingSettings) -> None:
    path = heard(tmp_path / "a.mid")
    (song,) = prepare_file(source(path, known=("Lead", "Bass"), confidence=SURE), pop).songs
    assert (song.starts, song.weights) == ((0, 4), (1.0, 0.5))
    assert song.remarks == ("phrases that were heard too badly are left out (1)",)
    assert len(song.phrases) == len(song.chords) == len(song.signatures) == 2
    whole = prepare_file(source(path, known=("Lead", "Bass")), pop).songs[0]
    assert whole.weights == (1.0,) * 3 and whole.remarks == ()
    assert np.array_equal(whole.phrases[:2], song.phrases)
    (reject,) = prepare_file(source(path, confidence=(0.2,) * BARS), pop).rejects
    assert reject.reason == "heard too badly: no phrase has a confidence of 0.25"


def test_bars_of_two_beats_count_in_pairs_and_dotted_beats_as_bars_of_six_eighths(
    tmp_path: Path, pop: CuttingSettings
) -> None:
    path = heard(tmp_path / "a.mid", beats_per_bar=2)
    confidence = (1.0, 0.8) * 12
    (song,) = prepare_file(source(path, confidence=confidence), replace(pop, pair_bars=True)).songs
    assert set(song.weights) == {0.9}
    spec = replace(pop.spec, beats_per_bar=2, steps_per_beat=6, is_compound=True)
    (song,) = prepare_file(source(path, confidence=(1.0,) * 4 + (0.6,) * 20), replace(pop, spec=spec)).songs
    assert song.starts[:2] == (0, 4) and song.weights[:2] == (1.0, 0.6)


def test_weights_are_stored_beside_the_phrases(tmp_path: Path, pop: CuttingSettings) -> None:
    (tmp_path / "set").mkdir()
    path = heard(tmp_path / "a.mid")
    files = [prepare_file(source(path, known=("Lead", "Bass"), confidence=SURE), pop)]
    files += [prepare_file(SourceFile("b", str(song_midi(tmp_path / "b.mid", 4))), pop)]
    write_store(iter([from_bytes(to_bytes(one)) for one in files]), pop, tmp_path / "set")
    store = open_store(tmp_path / "set")
    found = {
        store.songs[song].song: store.index().weights[store.index().songs == song].tolist()
        for song in range(len(store.songs))
    }
    assert found == {"a": [1.0, 0.5], "b": [1.0, 1.0]}
    assert sum(len(store.index(split).weights) for split in SPLITS) == len(store) == 4
    lines = (tmp_path / "set" / "phrases.csv").read_text().splitlines()
    assert lines[0] == "song,first_bar,section,weight" and "a,4,0,0.5" in lines


def test_a_recording_that_teaches_one_track_is_taken(tmp_path: Path, pop: CuttingSettings) -> None:
    settings = replace(pop, min_tracks=2)
    (song,) = prepare_file(source(heard(tmp_path / "a.mid"), known=("Bass",)), settings).songs
    assert len(song.starts) == BARS // 4
    assert sum(song.known) == 1
