from pathlib import Path

import pytest

from pipeline.dataset.sample_identification.matches import (
    SAMPLES,
    UNKNOWN,
    SampleMatch,
    bars_text,
    read_bars,
    read_matches,
    write_matches,
)
from pipeline.errors import UserError

SURE = SampleMatch("aa", "bb", "Break", "Dawn", 16, 18, 3.0, 0.8125, 2.0, False, ((0, 8), (16, 17)), 40, 0.975)
LOST = SampleMatch("cc", "", "Loop", "Nowhere", confidence=0.25, problem=UNKNOWN)


def test_matches_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_matches(tmp_path, [SURE, LOST])
    assert read_matches(tmp_path) == [SURE, LOST]


def test_people_count_bars_from_one(tmp_path: Path) -> None:
    write_matches(tmp_path, [SURE, LOST])
    header, sure, lost = (tmp_path / SAMPLES).read_text().splitlines()
    assert header.startswith("sample,song,sample_title,song_title,sample_bars,semitones,ratio,loop_bars,turntable")
    assert sure == "aa,bb,Break,Dawn,17-18,3.0,0.8125,2.0,no,1-8 17,40,0.975,"
    assert lost == f"cc,,Loop,Nowhere,,,,,,,0,0.25,{UNKNOWN}"


def test_stretches_of_bars_are_read_back() -> None:
    stretches = [(0, 1), (4, 8), (11, 12)]
    assert read_bars(bars_text(stretches)) == stretches and bars_text(stretches) == "1 5-8 12"


def test_a_set_without_samples_has_no_matches(tmp_path: Path) -> None:
    assert read_matches(tmp_path) == []


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    write_matches(tmp_path, [SURE])
    path = tmp_path / SAMPLES
    path.write_text(path.read_text().replace("17-18", "all"))
    with pytest.raises(UserError, match=r"samples\.csv is damaged \(all is no stretch of bars\)"):
        read_matches(tmp_path)


def test_the_share_of_bars_is_that_of_the_places() -> None:
    assert SURE.share_of_bars == pytest.approx(9 / 40) and LOST.share_of_bars == 0
