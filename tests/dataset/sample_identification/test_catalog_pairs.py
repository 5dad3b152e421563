from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gan.spec import RollSpec, Track
from pipeline.dataset.sample_identification import catalog_pairs
from pipeline.dataset.sample_identification.catalog_pairs import (
    NO_SONG,
    MetreSettings,
    match_pair,
    match_pairs,
    moved_notes,
    pairs_of,
    samples_of,
)
from pipeline.dataset.sample_identification.features import MatchingFeatures
from pipeline.dataset.sample_identification.heard_files import HEARD_NOTE, HeardFile
from pipeline.dataset.sample_identification.loops import BarGrid, LoopFit
from pipeline.dataset.sample_identification.matches import UNKNOWN
from pipeline.dataset.sample_identification.matching import HeardRecording, LoopMatch
from pipeline.files import file_hash
from pipeline.settings.data import ExecutorSettings
from pipeline.sources.catalog import CatalogRow
from tests.music_makers import Row, tune, write_midi

METRE = MetreSettings(RollSpec((Track("Piano"),)), True, False)
ONE = ExecutorSettings(workers=1)


def row(path: Path | None, title: str, kind: str = "song", **more: str) -> CatalogRow:
    """A row of the catalog."""
    sha256 = file_hash(path) if path else ""
    return replace(CatalogRow(sha256[:8], title, "", kind, str(path or ""), "", 1, sha256, ""), **more)


def chords(seed: int, bars: int, first_bar: int = 0) -> list[Row]:
    """Three chance voices in quarter notes, 8 bars of them over and over."""
    voices = [tune(10 * seed + voice, 8, 48 + 9 * voice) for voice in range(3)]
    return [(beat, 1.0, voice[(4 * first_bar + beat) % 32][2]) for beat in range(4 * bars) for voice in voices]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sample(here: Path) -> CatalogRow:
    return row(write_midi(here / "old.mid", {(0, 0, "Piano"): chords(1, 8)}), "Old", "sample", used_in="New")


@pytest.fixture
def song(here: Path) -> CatalogRow:
    """Bars 3 and 4 of the sample, moved up three semitones and faster, in bars 5 to 12 of 16, over a bass."""
    loop = [(beat, length, pitch + 3) for beat, length, pitch in chords(1, 2, 2)]
    played = [(16 + 8 * turn + beat, length, pitch) for turn in range(4) for beat, length, pitch in loop]
    bass = [(float(beat), 1.0, 36) for beat in range(64)]
    return row(write_midi(here / "new.mid", {(0, 0, "Piano"): played, (1, 33, "Bass"): bass}, bpm=140), "New")


def test_a_score_is_found_in_a_score_and_kept(
    sample: CatalogRow, song: CatalogRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = pairs_of([song, sample], {}, METRE, 20.0)
    (found,) = match_pairs(pairs, ONE)
    match = found.match
    assert not match.problem and (match.sample_title, match.song_title) == ("Old", "New")
    assert (match.first_bar, match.end_bar, match.loop_bars) == (2, 4, 2.0)
    assert match.semitones == 3.0 and match.ratio == pytest.approx(140 / 120, rel=0.01)
    assert match.places == ((4, 12),) and match.song_bars == 16
    first = [pitch for start, _, pitch in found.notes if start == found.notes[0][0]]
    assert sorted(first) == sorted(pitch + 3 for _, _, pitch in chords(1, 8)[24:27])
    monkeypatch.setattr(catalog_pairs, "_match", None)
    assert match_pair(pairs[0]) == found, "read from disk"
    renamed = pairs_of([replace(song, title="Newer"), replace(sample, used_in="newer ")], {}, METRE, 20.0)
    assert match_pair(renamed[0]).match == replace(match, song_title="Newer")


def test_another_song_gets_no_match(sample: CatalogRow, here: Path) -> None:
    other = row(write_midi(here / "other.mid", {(0, 0, "Piano"): chords(7, 16)}), "New")
    (found,) = match_pairs(pairs_of([sample, other], {}, METRE, 20.0), ONE)
    assert found.match.problem == UNKNOWN and not found.notes and found.curve


def test_what_can_not_be_compared_is_a_row_with_a_problem(sample: CatalogRow, song: CatalogRow, here: Path) -> None:
    broken = here / "broken.mid"
    broken.write_bytes(b"MThd")
    rows = [
        replace(song, problem="is in 3/4"),
        sample,
        replace(sample, title="Lost", used_in="Nowhere"),
        row(None, "Gone", "sample", used_in="Other", problem="not there"),
        row(broken, "Broken", "sample", used_in="Other"),
        replace(song, title="Other"),
    ]
    problems = [one.match.problem for one in match_pairs(pairs_of(rows, {}, METRE, 20.0), ONE)]
    assert problems[:3] == ["its song: is in 3/4", NO_SONG, "not there"]
    assert problems[3].startswith("the sample: ")


def test_a_sample_listed_again_for_another_song_is_compared_with_it(sample: CatalogRow, song: CatalogRow) -> None:
    again = replace(sample, used_in="Third", problem="duplicate of old.mid")
    pairs = pairs_of([sample, again, song, replace(song, title="Third")], {}, METRE, 20.0)
    assert [(one.song.title, one.problem) for one in pairs] == [("New", ""), ("Third", "")]


def test_samples_that_no_song_used_are_none(sample: CatalogRow, song: CatalogRow) -> None:
    assert samples_of([song, replace(sample, used_in=""), sample]) == [sample]


def test_a_loop_of_a_short_sample_goes_on_with_its_beginning() -> None:
    notes = np.array([(0.5, 1.0, 60), (3.0, 4.0, 64)], HEARD_NOTE)
    features = MatchingFeatures(np.zeros((80, 1), np.float32), np.zeros((80, 1), np.float32))
    sample = HeardFile(HeardRecording(features, BarGrid(np.arange(9) / 2, np.arange(3) * 2.0), 4.0), notes, 0)
    loop = LoopFit(2.0, 4.0, 1.0, 4.0, 1.0, 1.0, 1.0, True, np.ones(200, np.float32))
    lines, plays = np.arange(6) * 2.0, np.array([False, True, True, True, False])
    assert moved_notes(LoopMatch(loop, 2.0, 1.0, False), sample, lines, plays) == (
        (2.0, 3.0, 66),
        (3.5, 4.0, 62),
        (6.0, 7.0, 66),
        (7.5, 8.0, 62),
    )
