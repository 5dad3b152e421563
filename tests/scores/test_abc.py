from pathlib import Path

from pipeline.scores.reading.score_files import read_scores
from tests.music_makers import note_rows


def test_each_tune_of_an_abc_file_is_a_score(tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    path.write_text(
        "X:1\nT:First\nM:4/4\nL:1/4\nK:C\nC D E F|G2 G2-|G4|]\n\nX:2\nT:Second\nM:3/4\nL:1/4\nK:C\nC D E|F3|]\n"
    )
    first, second = read_scores(path, 1)
    assert (first.title, second.title) == ("First", "Second")
    assert note_rows(first) == [(0, 1, 60), (1, 1, 62), (2, 1, 64), (3, 1, 65), (4, 2, 67), (6, 6, 67)]
    assert str(first.metres[0]) == "4/4" and str(second.metres[0]) == "3/4"
