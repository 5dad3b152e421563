"""Statistics of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from gan.spec import RollSpec
from pipeline.dataset.cutting import PreparedSong
from pipeline.dataset.splits import SPLITS

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def describe_music(songs: Sequence[PreparedSong], splits: Sequence[str], spec: RollSpec) -> dict[str, Any]:
    """The contents of `statistics.json`.

    `notes_per_bar` counts over all usable bars of songs that say what the track plays; `polyphony` is the mean number
    of pitches over the steps in which the track sounds (0 for a silent track); `programs` counts notes by General MIDI
    program, the most frequent first.
    """
    bars = sum(song.bars for song in songs)
    columns = {
        name: np.sum([getattr(song, name) for song in songs], axis=0) for name in ("notes", "sounding", "pitch_steps")
    }
    known_bars = np.sum([song.bars * np.array(song.known) for song in songs], axis=0)
    tempos = np.quantile([song.tempo_bpm for song in songs], QUANTILES)
    programs: list[Counter[int]] = [Counter() for _ in spec.tracks]
    for song in songs:
        for total, own in zip(programs, song.programs, strict=True):
            total.update(own)
    return {
        "spec": spec.to_dict(),
        "songs": {split: splits.count(split) for split in SPLITS},
        "phrases": {
            split: sum(len(song.starts) for song, its in zip(songs, splits, strict=True) if its == split)
            for split in SPLITS
        },
        "bars": bars,
        "tempo_bpm": {f"{share:g}": round(float(bpm), 1) for share, bpm in zip(QUANTILES, tempos, strict=True)},
        "notes_per_bar": {
            name: round(int(count) / max(int(known), 1), 3)
            for name, count, known in zip(spec.names, columns["notes"], known_bars, strict=True)
        },
        "polyphony": {
            name: round(int(total) / max(int(steps), 1), 3)
            for name, total, steps in zip(spec.names, columns["pitch_steps"], columns["sounding"], strict=True)
        },
        "keys": dict(Counter(song.key or "none" for song in songs).most_common()),
        "modes": dict(Counter(song.key.split()[-1] if song.key else "none" for song in songs).most_common()),
        "programs": {
            name: {str(program): count for program, count in sorted(own.items(), key=lambda one: (-one[1], one[0]))}
            for name, own in zip(spec.names, programs, strict=True)
        },
    }
