"""Parts brought to the tracks of a track set."""

from __future__ import annotations

import numpy as np

from pipeline.scores.score import Part, Score, make_events
from pipeline.scores.tracks import fit_to_tracks
from pipeline.settings.music import TrackSettings, TracksSettings


def voices(assign: str, names: list[str]) -> TracksSettings:
    return TracksSettings("mine", assign, [TrackSettings(name) for name in names], [])


def test_chords_become_as_many_lines_as_there_are_voices() -> None:
    chords = [(72, 67, 64, 48), (74, 67, 65, 50), (76, 67, 60, 52)]
    events = make_events(
        np.repeat([0.0, 1.0, 2.0], 4), np.ones(12), [pitch for chord in chords for pitch in chord], np.full(12, 90)
    )
    score = Score("a", (Part("Piano", 0, False, events),), ())
    fitted = fit_to_tracks(score, voices("register", ["S", "A", "T", "B"]))
    assert [part.events["pitch"].tolist() for part in fitted.parts] == [
        list(line) for line in zip(*chords, strict=True)
    ]
    by_name = fit_to_tracks(score, voices("name", ["Melody", "Bridge", "Piano"]))
    assert [(part.name, len(part.events)) for part in by_name.parts] == [("Melody", 3), ("Piano", 9)]
    assert by_name.parts[0].events["pitch"].tolist() == [72, 74, 76]
    assert fit_to_tracks(score, voices("program", ["Piano"])) is score
