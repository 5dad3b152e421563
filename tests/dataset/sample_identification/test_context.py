from dataclasses import replace
from pathlib import Path

import numpy as np

from gan.spec import ONSET, RollSpec, Track
from pipeline.dataset.cutting import PreparedFile, SourceFile, prepare_file
from pipeline.dataset.sample_identification.catalog_pairs import FoundSample
from pipeline.dataset.sample_identification.context import free_track, sample_notes, with_samples
from pipeline.dataset.sample_identification.matches import SampleMatch
from pipeline.dataset.store import SamplePhrase
from pipeline.scores.notes import notes_from_roll, unpack_rolls
from pipeline.settings.data import TrackSettings, TracksSettings
from tests.music_makers import cutting, tune, write_midi

POP = TracksSettings(
    name="pop",
    assign="program",
    tracks=[
        TrackSettings("Piano", programs=list(range(8))),
        TrackSettings("Guitar", programs=list(range(24, 32))),
        TrackSettings("Strings", programs=list(range(40, 56))),
    ],
    arrangements=[],
)
SPEC = RollSpec((Track("Piano"), Track("Guitar"), Track("Strings")))
SETTINGS = cutting(spec=SPEC, tracks=POP, min_tracks=1)
MATCH = SampleMatch("aa", "bb", "Old", "New", 0, 2, 3.0, 1.0, 2.0, False, ((4, 8),), 8, 0.9)
LINES = tuple(2.0 * bar for bar in range(9))


def prepared(path: Path, strings: bool) -> PreparedFile:
    """A song of eight bars at 120 bpm on the piano, with strings or without."""
    tracks = {(0, 0, "Piano"): tune(0)}
    if strings:
        tracks[1, 48, "Strings"] = tune(1)
    write_midi(path, tracks)
    return prepare_file(SourceFile("bb", str(path)), SETTINGS)


def found_in(path: Path) -> FoundSample:
    """A sample that plays C and E a quarter note after bar 5 begins."""
    notes = ((8.5, 9.0, 60), (8.5, 10.0, 64))
    return FoundSample(MATCH, str(path), LINES, 0, notes=notes)


def test_a_resting_track_holds_the_sample_where_it_plays(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    before = prepared(path, strings=False).songs[0]
    sampled: list[SamplePhrase] = []
    songs = sample_notes([found_in(path)], SPEC)
    (file,) = with_samples(iter([prepared(path, strings=False)]), songs, SPEC, POP, sampled)
    after = file.songs[0]
    assert {one.first_bar for one in sampled} == {1, 2, 3, 4} and {one.track for one in sampled} == {"Strings"}
    place = after.starts.index(3)
    notes = notes_from_roll(unpack_rolls(after.phrases[place], SPEC.num_pitches), SPEC.lowest_pitch)
    own = notes[notes["track"] == 2]
    assert own[["pitch", "onset", "length"]].tolist() == [
        (60 + after.shift, 16 + 4, 4),
        (64 + after.shift, 16 + 4, 12),
    ], "in the key of the phrase, a bar after it begins"
    assert (after.phrases[:, :, :2] == before.phrases[:, :, :2]).all(), "other tracks stay as they are"
    first = after.starts.index(0)
    assert (after.phrases[first] == before.phrases[first]).all()


def test_a_song_whose_strings_play_has_it_on_the_guitar(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    sampled: list[SamplePhrase] = []
    songs = sample_notes([found_in(path)], SPEC)
    list(with_samples(iter([prepared(path, strings=True)]), songs, SPEC, POP, sampled))
    assert {one.track for one in sampled} == {"Guitar"}


def test_a_track_that_plays_but_is_not_known_is_free() -> None:
    phrase = np.zeros((2, 3, 4, 16, 11), np.uint8)
    phrase[ONSET, :, 0, 0, 0] = 1
    assert free_track(phrase, (True, True, True), SPEC) is None
    assert free_track(phrase, (False, True, True), SPEC) == 0


def test_nothing_changes_without_a_sure_match_or_with_other_tracks(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    before = prepared(path, strings=False).songs[0].phrases
    unknown = replace(found_in(path), match=replace(MATCH, problem="unknown"))
    assert sample_notes([unknown], SPEC) == {}
    sampled: list[SamplePhrase] = []
    for songs, tracks in (({}, POP), (sample_notes([found_in(path)], SPEC), replace(POP, name="band"))):
        (file,) = with_samples(iter([prepared(path, strings=False)]), songs, SPEC, tracks, sampled)
        assert (file.songs[0].phrases == before).all() and not sampled
