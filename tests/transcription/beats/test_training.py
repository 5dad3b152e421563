"""What the judges of beats and bars learn from, and that they learn it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pipeline.transcription.beats.examples import (
    HIT,
    PITCH,
    Lesson,
    Truth,
    is_learned_from,
    known_pieces,
    make_lesson,
    onsets_of,
    transcribed,
    with_faults,
)
from pipeline.transcription.beats.metre import clearness, describe_levels

from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.transcription.beats import training as beats_training
from pipeline.transcription.beats.onsets import LAYERS


def piece(bpm: float = 100.0, bars: int = 12, seed: int = 0, first: float = 0.5) -> Truth:
    """Bass and chord on the bar line, a melody in eighths, and kick and snare by turns."""
    rng = np.random.default_rng(seed)
    beats = first + 60 / bpm * np.arange(4 * bars + 4)
    notes, hits = [], []
    for bar in range(bars):
        line = 4 * bar
        notes += [(line, 4.0, 36 + (0, 5, 7, 9)[bar % 4], 100), *((line, 2.0, pitch, 70) for pitch in (60, 64, 67))]
        notes += [(line + eighth / 2, 0.4, 72 + int(rng.integers(8)), 80) for eighth in range(8)]
        hits += [(line + beat, (36, 38)[beat % 2], 100) for beat in range(4)]
    count = np.arange(len(beats))
    notes_table, hits_table = np.zeros(len(notes), PITCH), np.zeros(len(hits), HIT)
    for index, (start, length, pitch, velocity) in enumerate(notes):
        notes_table[index] = *np.interp([start, start + length], count, beats), pitch, velocity
    for index, (start, pitch, velocity) in enumerate(hits):
        hits_table[index] = np.interp(start, count, beats), pitch, velocity
    return Truth(np.sort(notes_table, order="start"), hits_table, beats, 4, True, True)


def lesson_of(known: Truth) -> Lesson:
    """What a piece teaches as it is."""
    lesson = make_lesson(known, onsets_of(known), 1.0)
    assert lesson is not None
    return lesson


def write_midi(path: Path, bpm: float) -> None:
    """The piece as a MIDI file of two tracks."""
    import symusic

    known = piece(bpm, bars=8, first=0.0)
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, bpm))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    song, drums = symusic.Track("song", 0, False), symusic.Track("drums", 0, True)
    tick = 480 * bpm / 60
    for note in known.notes:
        start, end = round(note["start"] * tick), round(note["end"] * tick)
        song.notes.append(symusic.Note(start, end - start, int(note["pitch"]), int(note["velocity"])))
    for hit in known.hits:
        drums.notes.append(symusic.Note(round(hit["start"] * tick), 60, int(hit["pitch"]), int(hit["velocity"])))
    score.tracks.extend([song, drums])
    score.dump_midi(str(path))


def learned_names(count: int) -> list[str]:
    """File names of the half that is learned from."""
    return [name for name in (f"song{number}.mid" for number in range(50)) if is_learned_from(Path(name))][:count]


def test_a_lesson_knows_the_right_level_and_bar_line() -> None:
    lesson = lesson_of(piece(bpm=100))
    assert lesson.right_levels.sum() == 1
    assert 1 <= lesson.right_phases.sum() <= 3


def test_a_piece_that_does_not_tell_its_beats_teaches_the_level_alone() -> None:
    known = piece()
    blind = Truth(known.notes, known.hits, known.beats + 0.1, 4, False, False)
    lesson = lesson_of(blind)
    assert lesson.right_levels.any() and not lesson.right_phases.any()


def test_a_piece_of_few_notes_teaches_nothing() -> None:
    known = piece(bars=1)
    assert make_lesson(known, onsets_of(known), 1.0) is None


def test_coherence_is_full_where_all_onsets_lie_and_less_elsewhere() -> None:
    layers = {name: (np.zeros(0), np.zeros(0)) for name in LAYERS} | {"any": (np.arange(400.0), np.ones(400))}
    told = describe_levels(layers, np.array([105.0, 70.0]), np.array([1.0, 1.5]))
    assert told.shape == (2, 61)
    assert told[0, :4].tolist() == [0, 0, 0, 0]
    half, beat = told[:, 4], told[:, 5]
    assert beat[0] > 0.98 and half[0] < 0.01
    assert beat[1] < 0.01  # onsets on every two thirds of a beat


def test_one_likely_phase_is_clearer_than_many() -> None:
    clear = clearness([np.array([9.0, 0, 0, 0]), np.zeros(4)])
    assert clear[0, 2] < clear[1, 2] and clear[0, 3] > clear[1, 3] == pytest.approx(0.25)


def test_the_judges_learn_which_level_and_phase_are_right() -> None:
    taught = [[lesson_of(piece(bpm, seed=seed))] for seed, bpm in enumerate((72, 90, 100, 110, 126, 140))]
    weights = beats_training.learn(taught)
    unheard = lesson_of(piece(104, seed=9))
    phase_odds = [level.phases @ weights["phase"] for level in unheard.levels]
    told = np.stack([level.features for level in unheard.levels])
    level_odds = np.concatenate([told, clearness(phase_odds)], axis=1) @ weights["level"]
    best = int(level_odds.argmax())
    assert unheard.right_levels[best]
    assert unheard.right_phases[phase_odds[best].argmax()]


def test_faults_are_the_same_each_time_and_keep_what_is_known() -> None:
    known = piece()
    first, second = (with_faults(known, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first.notes, second.notes) and np.array_equal(first.hits, second.hits)
    assert len(first.notes) < len(known.notes)
    assert np.array_equal(first.beats, known.beats)
    assert np.all(np.diff(first.hits["start"]) >= 0) and first.hits["start"].min() >= 0


def test_a_piece_without_drums_gets_no_hits_from_faults() -> None:
    known = piece()
    silent = Truth(known.notes, known.hits[:0], known.beats, 4, True, True)
    assert not len(with_faults(silent, np.random.default_rng(0)).hits)


def test_half_of_the_files_is_learned_from_and_some_may_be_left_out(tmp_path: Path) -> None:
    names = [f"song{number}.mid" for number in range(8)]
    for name in names:
        write_midi(tmp_path / name, 100)
    learned = {path.name for path, _ in known_pieces(tmp_path, 8, [])}
    others = {path.name for path, _ in known_pieces(tmp_path, 8, [], learned=False)}
    assert learned | others == set(names) and not learned & others
    gone = sorted(learned)[0]
    assert {path.name for path, _ in known_pieces(tmp_path, 8, [gone.removesuffix(".mid")])} == learned - {gone}
    assert len(known_pieces(tmp_path, 1, [])) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--midi", "nowhere", "--soundfonts", "x.sf2"], "nowhere is no folder"),
        (["--midi", ".", "--soundfonts", "x.sf2", "--pieces", "0"], "--pieces must be at least 1"),
        (["--midi", ".", "--soundfonts", "x.sf2"], "there is no such file"),
    ],
)
def test_a_wrong_command_is_told_in_a_sentence(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        beats_training.run(words)


@pytest.mark.slow
def test_the_same_command_makes_the_same_weights(tmp_path: Path) -> None:
    (tmp_path / "midi").mkdir()
    for number, name in enumerate(learned_names(5)):
        write_midi(tmp_path / "midi" / name, 80 + 10 * number)
    soundfont = str(soundfont_path(None))
    made = []
    for name in ("first.npz", "second.npz"):
        out = tmp_path / name
        beats_training.run(["--midi", str(tmp_path / "midi"), "--soundfonts", soundfont, "--out", str(out)])
        with np.load(out) as file:
            made.append({key: file[key] for key in file.files})
    assert set(made[0]) == {"level", "phase"}
    assert all(np.array_equal(made[0][key], made[1][key]) for key in made[0])


@pytest.mark.slow
def test_what_is_found_in_a_piece_is_kept_in_the_cache(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    write_midi(path, 100)
    known = piece(100, bars=8, first=0.0)
    heard = transcribed(path, known, soundfont_path(None), tmp_path)
    assert len(heard.notes) > 30 and len(heard.hits) > 10
    assert len(list(tmp_path.glob("*.pkl"))) == 1
    path.unlink()
    again = transcribed(path, known, soundfont_path(None), tmp_path)
    assert np.array_equal(heard.notes, again.notes) and np.array_equal(heard.hits, again.hits)
