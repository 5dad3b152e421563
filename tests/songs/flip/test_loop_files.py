"""Files to choose a loop by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from matplotlib.image import imread

from pipeline.files import read_json
from pipeline.songs.flip.loop_files import bar_numbers, write_loops
from pipeline.songs.flip.loops import loop_at
from tests.record_makers import record_of


def test_each_loop_is_heard_four_times_marked_and_listed_by_bars_from_one(tmp_path: Path) -> None:
    record = record_of("CFGCaFGC")
    loops = [loop_at(record, 4, 2), loop_at(record, 3, 1)]
    write_loops(tmp_path, record, loops)
    assert [one["bars"] for one in read_json(tmp_path / "loops.json")["loops"]] == ["5-6", "4"]
    for number, loop in enumerate(loops, 1):
        sound, rate_hz = soundfile.read(tmp_path / f"{number:02d}.wav")
        assert rate_hz == 44100 and sound.shape == (4 * (loop.end - loop.start), 2)
        assert 0.01 < np.abs(sound).max() <= 1
        listed = read_json(tmp_path / "loops.json")["loops"][number - 1]
        assert listed["sound"] == f"{number:02d}.wav"
        assert {"seam", "clarity", "percussive", "seam_flux"} <= set(listed["parts"])
    assert imread(tmp_path / "loops.png").shape[1] == 1600
    assert bar_numbers(loops[0]) == "5-6"
