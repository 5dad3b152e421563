"""The songs that come with the program: every one is whole, in 4/4, for a band with a tune, and no two are alike."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from pipeline.scores.abc.reading import read_abc
from pipeline.scores.score import Score
from pipeline.settings.data import CollectSettings, DataSettings
from pipeline.sources.catalog import OWN_SONGS, locate
from pipeline.sources.folders import find_originals

FILES = sorted(OWN_SONGS.rglob("*.abc"))
VOICES = {"Lead", "Keys", "Guitar", "Strings", "Bass", "Drums"}


def read(path: Path) -> Score:
    content = path.read_bytes()
    (score,) = read_abc(content, path.stem, len(content) + 1)
    return score


@pytest.fixture(scope="module")
def scores() -> dict[str, Score]:
    return {path.stem: read(path) for path in FILES}


def test_there_are_two_dozen_songs_in_folders_by_style() -> None:
    assert len(FILES) >= 24
    rows = find_originals(DataSettings("originals", "originals", "", "MIT"), CollectSettings(), False)
    assert [row.problem for row in rows] == [""] * len(FILES)
    assert [locate(row.where) for row in rows] == FILES
    assert locate("originals/mine.mid") == Path("originals/mine.mid"), "a folder of the user's that is called so"
    keys = [row.key for row in rows]
    assert "F# minor" in keys and "Eb major" in keys
    assert keys.count("") <= 2, "but for modes"
    styles = {row.source.split("/")[1] for row in rows}
    assert {"boom-bap", "trap", "chipmunk-soul", "gospel", "rnb", "funk", "synth-pop", "indie", "ballad"} == styles


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_song_is_whole(path: Path) -> None:
    score = read(path)
    assert score.remarks == (), "nothing had to be guessed or mended"
    assert {part.name for part in score.parts} <= VOICES
    assert [part.name for part in score.parts if part.is_drum] == ["Drums"]
    assert [(metre.numerator, metre.denominator) for metre in score.metres] == [(4, 4)]
    assert 32 <= score.end / 4 <= 96
    assert score.tempos and 60 <= score.tempos[0][1] <= 150
    assert len({str(chord) for _, chord in score.chords}) >= 4
    lead = next(part for part in score.parts if part.name == "Lead").events
    order = np.argsort(lead["onset"])
    ends = (lead["onset"] + lead["duration"])[order]
    assert (ends[:-1] <= lead["onset"][order][1:] + 1e-6).all(), "one note at a time"
    velocities = {velocity for part in score.parts if part.is_drum for velocity in part.events["velocity"].tolist()}
    assert len(velocities) >= 3, "drums have accents and ghost notes"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_song_ends_on_its_last_chord_held(path: Path) -> None:
    score = read(path)
    pitched = np.concatenate([part.events for part in score.parts if not part.is_drum])
    last = pitched[pitched["onset"] + pitched["duration"] > score.end - 0.5]
    assert last["duration"].max() >= 2
    chord = next(chord for _, chord in reversed(score.chords) if chord is not None)
    assert last["pitch"].min() % 12 in (chord.root, chord.bass)


def phrases_of_tune(score: Score, length: int) -> set[tuple[tuple[int, float], ...]]:
    """Intervals and times between so many notes of the tune that follow one another, where it is no repeated note."""
    lead = np.sort(next(part for part in score.parts if part.name == "Lead").events, order="onset")
    moves = list(zip(np.diff(lead["pitch"]).tolist(), np.diff(lead["onset"]).round(2).tolist(), strict=True))
    found = {tuple(moves[at : at + length]) for at in range(len(moves) - length + 1)}
    return {phrase for phrase in found if len({interval for interval, _ in phrase}) > 2}


def test_no_two_songs_have_a_phrase_in_common(scores: dict[str, Score]) -> None:
    tunes = {name: phrases_of_tune(score, 8) for name, score in scores.items()}
    for (one, first), (other, second) in itertools.combinations(tunes.items(), 2):
        assert not first & second, f"{one} and {other}"
