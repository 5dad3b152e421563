from pathlib import Path

import numpy as np
import pytest

from gan.spec import HOLD, ONSET, RollSpec, Track
from pipeline.dataset.cutting import PreparedSong, SourceFile, cut_phrases, phrase_digest, prepare_file, song_digest
from pipeline.scores.chords.symbols import UNKNOWN
from pipeline.scores.notes import Notes, make_notes, notes_from_roll, unpack_rolls
from pipeline.settings.data import TrackSettings, TracksSettings
from tests.music_makers import JIG, SPEC, cutting, song_midi, tune, write_midi
from tests.xml_makers import ATTRIBUTES, write_parts, xml_note


def line(seed: int, bars: int = 8, root: int = 60, track: int = 1) -> Notes:
    rows = [(track, pitch, int(onset * 4), int(length * 4)) for onset, length, pitch in tune(seed, bars, root)]
    return make_notes(*np.array(rows).T)


def both(first: Notes, second: Notes) -> Notes:
    return make_notes(*(np.concatenate([first[name], second[name]]) for name in first.dtype.names))


def cut(notes: Notes, bars: int, hop: int = 1, min_tracks: int = 1) -> tuple[list[int], np.ndarray]:
    starts, packed = cut_phrases(notes, bars, SPEC, hop, min_tracks)
    return starts, unpack_rolls(packed, SPEC.num_pitches)


def test_phrases_are_the_bars_they_start_at() -> None:
    notes = line(1)
    starts, rolls = cut(notes, 8, hop=2)
    assert starts == [0, 2, 4]
    assert rolls.shape == (3, *SPEC.shape)
    for start, roll in zip(starts, rolls, strict=True):
        own = notes[(notes["onset"] >= 16 * start) & (notes["onset"] < 16 * (start + 4))].copy()
        own["onset"] -= 16 * start
        assert np.array_equal(notes_from_roll(roll, SPEC.lowest_pitch), own)


def test_a_note_held_into_a_phrase_starts_with_it() -> None:
    notes = make_notes(1, [60, 62], [0, 20], [32, 4])
    _, rolls = cut(notes, 5)
    assert rolls[1, ONSET, 1, 0, 0, 60 - 24] and not rolls[1, HOLD, 1, 0, 0, 60 - 24]
    assert rolls[1, HOLD, 1, 0, 1:, 60 - 24].all()


def test_phrases_in_which_too_few_tracks_sound_do_not_count() -> None:
    notes = both(line(1), make_notes(2, [36, 38], [0, 16], [4, 4]))
    assert cut(notes, 8, min_tracks=1)[0] == [0, 1, 2, 3, 4]
    assert cut(notes, 8, min_tracks=2)[0] == [0, 1]


def test_a_repeated_phrase_is_kept_once() -> None:
    once = line(1, bars=4)
    again = once.copy()
    again["onset"] += 64
    starts, rolls = cut(both(once, again), 8, hop=4)
    assert starts == [0]
    assert len({phrase_digest(np.packbits(roll, axis=-1)) for roll in rolls}) == 1


@pytest.mark.parametrize("shift", [-7, 1, 5])
def test_a_transposed_song_is_the_same_song(shift: int) -> None:
    drums = make_notes(0, 36, np.arange(0, 128, 4), 1)
    here, there = both(line(1), drums), both(line(1, root=60 + shift), drums)
    assert song_digest([here], SPEC) == song_digest([there], SPEC)
    assert song_digest([here], SPEC) != song_digest([both(line(2), drums)], SPEC)


def test_moved_drums_make_another_song() -> None:
    songs = [both(line(1), make_notes(0, pitch, 0, 1)) for pitch in (36, 38)]
    assert song_digest([songs[0]], SPEC) != song_digest([songs[1]], SPEC)


def raise_too_deep(*_: object) -> None:
    raise RecursionError("too deep")


def test_an_error_nobody_thought_of_costs_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.dataset.cutting.read_scores", raise_too_deep)
    reading = prepare_file(SourceFile("a", "a.mid"), cutting())
    assert [reject.reason for reject in reading.rejects] == ["can't be made sense of: RecursionError: too deep"]


def test_what_the_catalog_says_of_a_song_counts(tmp_path: Path) -> None:
    path = song_midi(tmp_path / "deadbeef.mid", 1)
    plain = prepare_file(SourceFile("a", str(path), "deadbeef"), cutting()).songs[0]
    told = prepare_file(SourceFile("a", str(path), "A Song", 97.5, "D minor", "test"), cutting()).songs[0]
    odd = prepare_file(SourceFile("a", str(path), key="H dur"), cutting()).songs[0]
    assert (plain.title, plain.tempo_bpm, plain.split) == ("deadbeef", 120, "")
    assert (told.title, told.tempo_bpm, told.key, told.shift, told.split) == ("A Song", 97.5, "D minor", -5, "test")
    assert odd.key == plain.key != "D minor"


def test_notes_on_named_beats_of_a_file_lie_on_their_cells_of_the_phrase(tmp_path: Path) -> None:
    piano = [(0, 1, 60), (1.5, 0.5, 64), (4, 2, 67), (7.75, 0.25, 72), (12, 4, 60)]
    bass = [(onset, 1, 36) for onset in range(0, 16, 4)]
    path = write_midi(tmp_path / "a.mid", {(0, 0, "piano"): piano, (1, 33, "bass"): bass})
    (song,) = prepare_file(SourceFile("a", str(path)), cutting(common_key=False)).songs
    (roll,) = unpack_rolls(song.phrases, SPEC.num_pitches)
    onsets = {(bar, step, pitch + 24) for bar, step, pitch in zip(*np.nonzero(roll[ONSET, 1]), strict=True)}
    assert onsets == {(0, 0, 60), (0, 6, 64), (1, 0, 67), (1, 15, 72), (3, 0, 60)}
    holds = {(bar, step, pitch + 24) for bar, step, pitch in zip(*np.nonzero(roll[HOLD, 1]), strict=True)}
    assert holds == {
        *((0, step, 60) for step in (1, 2, 3)),
        (0, 7, 64),
        *((1, step, 67) for step in range(1, 8)),
        *((3, step, 60) for step in range(1, 16)),
    }
    assert np.argwhere(roll[ONSET, 2]).tolist() == [[bar, 0, 12] for bar in range(4)]


def onsets_of(song: PreparedSong, track: int = 1) -> list[tuple[int, int, int]]:
    """Bar, step and MIDI pitch of the notes that begin in the first phrase of a song."""
    roll = unpack_rolls(song.phrases, SPEC.num_pitches)[0]
    return sorted((bar, step, pitch + 24) for bar, step, pitch in zip(*np.nonzero(roll[ONSET, track]), strict=True))


def test_a_jig_lies_on_two_beats_of_six_steps(tmp_path: Path) -> None:
    piano = [(0, 0.5, 60), (0.5, 0.5, 62), (1, 0.5, 64), (1.5, 1.5, 65), (3, 1, 67), (4, 0.5, 69), (5.75, 0.25, 71)]
    bass = [(1.5 * beat, 1.5, 36) for beat in range(8)]
    path = write_midi(tmp_path / "a.mid", {(0, 0, "piano"): piano, (1, 33, "bass"): bass}, metre=(6, 8), bpm=90)
    (song,) = prepare_file(SourceFile("a", str(path)), cutting(common_key=False, spec=JIG)).songs
    assert onsets_of(song) == [(0, 0, 60), (0, 2, 62), (0, 4, 64), (0, 6, 65), (1, 0, 67), (1, 4, 69), (1, 11, 71)]
    assert [place[:2] for place in onsets_of(song, 2)] == [(bar, step) for bar in range(4) for step in (0, 6)]
    assert (song.bars, song.tempo_bpm) == (4, 90), "quarter notes a minute"


def test_a_transcription_is_written_by_beats_which_are_dotted_in_six_eight(tmp_path: Path) -> None:
    """Beats of a recording are quarter notes in its MIDI file; a third of a beat is an eighth note of the jig."""
    piano = [(beat + third / 3, 1 / 3, 60 + third) for beat in range(8) for third in range(3)]
    bass = [(beat, 1, 36) for beat in range(8)]
    path = write_midi(tmp_path / "a.mid", {(0, 0, "piano"): piano, (1, 33, "bass"): bass}, metre=(2, 4), bpm=60)
    source = SourceFile("a", "a.mp3", transcription=str(path))
    (song,) = prepare_file(source, cutting(common_key=False, spec=JIG)).songs
    assert onsets_of(song) == [(n // 6, n % 6 * 2, 60 + n % 3) for n in range(24)]
    assert song.tempo_bpm == 90 and song.remarks == ()
    write_midi(path, {(0, 0, "piano"): piano, (1, 33, "bass"): bass}, metre=(2, 4), bpm=240)
    (song,) = prepare_file(source, cutting(common_key=False, spec=JIG)).songs
    assert song.remarks == ("its beats may be its eighth notes (240 a minute; its bpm can be told)",)


def test_drums_alone_are_taken_and_say_nothing_of_the_band_nor_of_chords(tmp_path: Path) -> None:
    beat = [(0.5 * eighth, 0.25, (36, 42, 38, 42)[eighth % 4] + (eighth // 8) % 2) for eighth in range(64)]
    path = write_midi(tmp_path / "groove.mid", {(9, 0, ""): beat})
    (song,) = prepare_file(SourceFile("a", str(path)), cutting(hop_bars=4)).songs
    assert song.known == (True, False, False) and len(song.phrases) > 0
    assert (song.chords == UNKNOWN).all()
    (reject,) = prepare_file(SourceFile("a", str(path)), cutting(hop_bars=4, unknown=[])).rejects
    assert reject.reason == "one track only; prepare.min_tracks=1 takes it", "drums beside a band that rests"


@pytest.mark.parametrize(
    ("tracks", "asked", "reason"),
    [
        ([(0, 32)], 2, "one track only; prepare.min_tracks=1 takes it"),
        ([(0, 32), (33, 32)], 3, "2 tracks only; prepare.min_tracks=2 takes it"),
        ([(0, 16), (33, 0)], 2, "no 4 bars in which 2 tracks sound; prepare.min_tracks=1 takes it"),
    ],
)
def test_too_few_tracks_are_explained_with_the_setting_that_takes_them(
    tmp_path: Path, tracks: list[tuple[int, int]], asked: int, reason: str
) -> None:
    """The piano plays from the first bar on, the bass as well or, the last time, after the piano has ended."""
    lines = {
        (channel, program, ""): [(beat + (16 if beats == 0 else 0), 1, 48 + beat % 5) for beat in range(beats or 16)]
        for channel, (program, beats) in enumerate(tracks)
    }
    path = write_midi(tmp_path / "a.mid", lines)
    (reject,) = prepare_file(SourceFile("a", str(path)), cutting(min_tracks=asked, hop_bars=4)).rejects
    assert reject.reason == reason
    advised = int(reason.partition("min_tracks=")[2][0])
    assert prepare_file(SourceFile("a", str(path)), cutting(min_tracks=advised, hop_bars=4)).songs


def test_parts_without_a_track_are_counted_where_too_few_tracks_are_left(tmp_path: Path) -> None:
    """A piano between a trumpet and a tuba, which the band has no track for."""
    lines = {(channel, program, ""): tune(channel) for channel, program in enumerate((56, 0, 58))}
    path = write_midi(tmp_path / "a.mid", lines)
    (reject,) = prepare_file(SourceFile("a", str(path)), cutting()).rejects
    assert reject.reason == "one track only (2 parts fit no track of band); prepare.min_tracks=1 takes it"


def test_bars_of_one_beat_are_counted_in_fours_with_a_remark(tmp_path: Path) -> None:
    path = song_midi(tmp_path / "a.mid", 1, metre=(1, 4))
    (song,) = prepare_file(SourceFile("a", str(path)), cutting()).songs
    assert song.remarks == ("bar lines of 4/4 are estimated (the header says 1/4)",)
    assert prepare_file(SourceFile("a", str(song_midi(path, 1))), cutting()).songs[0].remarks == ()


def test_two_bars_of_a_polka_are_one_where_asked(tmp_path: Path) -> None:
    path = song_midi(tmp_path / "a.mid", 1, metre=(2, 4))
    (reject,) = prepare_file(SourceFile("a", str(path)), cutting()).rejects
    assert reject.reason == "is in 2/4; data.pair_bars=true takes two bars as one"
    (song,) = prepare_file(SourceFile("a", str(path)), cutting(pair_bars=True)).songs
    whole = prepare_file(SourceFile("a", str(song_midi(path, 1))), cutting()).songs[0]
    assert song.bars == whole.bars == 8 and np.array_equal(song.phrases, whole.phrases)


def test_a_transcribed_song_is_called_like_its_recording_and_keeps_what_was_told_of_it(tmp_path: Path) -> None:
    written = str(song_midi(tmp_path / "song.mid", 1))
    remarks = ("channels of opposite polarity were turned",)
    named = SourceFile("a", "x/Track 03.mp3", "Autumn", transcription=written, remarks=remarks)
    unnamed = SourceFile("b", "x/Blue Moon.mp3", transcription=written)
    called = SourceFile("c", "x/Blue Moon.mp3", "Blue Moon", transcription=written)
    songs = [prepare_file(source, cutting()).songs[0] for source in (named, unnamed, called)]
    assert [song.title for song in songs] == ["Autumn", "Blue Moon", "Blue Moon"]
    assert songs[0].remarks == remarks and songs[1].remarks == ()


def test_a_recorded_waltz_is_left_out_with_both_ways_on(tmp_path: Path) -> None:
    written = str(song_midi(tmp_path / "song.mid", 1, metre=(3, 4)))
    (reject,) = prepare_file(SourceFile("a", "x/Waltz.mp3", transcription=written), cutting()).rejects
    assert reject.path == "x/Waltz.mp3"
    assert reject.reason == (
        "sounds like 3/4; data.metre=3/4 takes such music, transcribe.recognise_metre=false takes it as it is"
    )


def test_guessed_instruments_are_remarked_where_programs_decide(tmp_path: Path) -> None:
    bar = ATTRIBUTES.format("") + xml_note("C", 4, 8)
    parts = [(f"<part-name>{name}</part-name>", [bar] * 4) for name in ("Piano", "Bass guitar")]
    source = SourceFile("a", str(write_parts(tmp_path / "a.xml", *parts)))
    (song,) = prepare_file(source, cutting()).songs
    assert song.remarks == ("instruments by the names of parts: Bass guitar",)
    duet = TracksSettings("duet", "register", [TrackSettings("High"), TrackSettings("Low")], [])
    (song,) = prepare_file(source, cutting(tracks=duet, spec=RollSpec((Track("High"), Track("Low"))))).songs
    assert song.remarks == ()
