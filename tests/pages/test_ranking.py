"""The page of a ranking: every run is on it, nothing on it needs a network, and what a run lacks is a dash."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from pipeline.drawing.palette import TRACK_COLOURS
from pipeline.evaluation.plot_style import PLOT_STYLES
from pipeline.evaluation.ranking import Estimate, LearningCurve, RankedRun
from pipeline.pages.ranking import (
    MOST_COLUMNS,
    RANKING_BOX,
    _apart,
    draw_learning_of_runs,
    draw_ranking,
    render_ranking,
    write_ranking_page,
)
from tests.evaluation.picture_checks import pixels, same_and_other, where

BEST = RankedRun(
    name="sweep/1",
    rank=1,
    validation=Estimate(0.87, 0.81, 0.92),
    test=Estimate(0.82, 0.75, 0.9),
    windows=Estimate(0.76, 0.72, 0.8),
    differences={"model": "default", "train.learning_rate": "0.001"},
    steps=2400,
    minutes=6.04,
    parameters=880_000,
    copying="2 % nearer to the training songs than 95 % of unseen songs are",
    sample="runs/1 sample#.mp3",
    picture="runs/1-samples.png",
    links=[("report", "../1/evaluate/report.md")],
    curve=LearningCurve([1.0, 2.0], [0.4, 0.6], kept=1),
)
FOLDER = RankedRun("<b>theirs</b> & co", 2, Estimate(0.1), Estimate(None))


class Cells(HTMLParser):
    """The text of each cell of the table's body, row by row, and every address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.addresses: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag == "tr":
            self.rows.append([])
        self.inside = self.inside or tag in ("td", "th")
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "br":
            self.rows[-1][-1] += " "

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def cells(page: str) -> list[list[str]]:
    """Head and body of the table, spaces made one."""
    return [[" ".join(cell.split()) for cell in row] for row in Cells(page).rows]


def test_the_page_and_its_pictures_are_written(tmp_path: Path) -> None:
    write_ranking_page(tmp_path, [FOLDER, BEST], "sweep", "python -m pipeline +stage=evaluate name=sweep", floor=0.9)
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", "ranking.png", "learning.png"}
    head, first, second = cells((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert [row[0] for row in (first, second)] == ["1", "2"], "the best stands first"
    row = dict(zip(head, first, strict=True))
    assert row["run"].startswith("sweep/1")
    assert row["quality (validation)"] == "0.87 0.81 to 0.92"
    assert row["told apart (windows)"] == "0.76 0.72 to 0.80"
    assert row["told apart (phrases)"] == "-"
    assert row["train.learning_rate"] == "0.001"
    assert (row["steps"], row["minutes"], row["parameters"]) == ("2,400", "6.0", "0.88 M")
    assert row["copying"].startswith("2 %")


def test_a_folder_of_music_lacks_much_and_is_shown(tmp_path: Path) -> None:
    write_ranking_page(tmp_path, [FOLDER], "folders", "command")
    assert not (tmp_path / "learning.png").exists()
    head, row = cells((tmp_path / "index.html").read_text(encoding="utf-8"))
    found = dict(zip(head, row, strict=True))
    assert found["quality (validation)"] == "0.10"
    assert {found[name] for name in ("quality (test)", "steps", "minutes", "parameters", "copying", "sample")} == {"-"}


def test_names_are_escaped_and_addresses_quoted() -> None:
    page = render_ranking([BEST, FOLDER], "a <title> & more", "name='x' <y>", ["a <note>"])
    assert "<b>theirs" not in page
    assert "&lt;b&gt;theirs&lt;/b&gt; &amp; co" in page
    assert "a &lt;title&gt; &amp; more" in page
    assert "a &lt;note&gt;" in page
    assert "&lt;y&gt;" in page
    assert 'src="runs/1%20sample%23.mp3"' in page


def test_nothing_on_the_page_needs_a_network() -> None:
    page = render_ranking([BEST, FOLDER], "sweep", "command")
    addresses = Cells(page).addresses
    assert {"ranking.png", "learning.png", "runs/1-samples.png", "../1/evaluate/report.md"} <= set(addresses)
    assert not [address for address in addresses if ":" in address and address != "data:,"]
    assert not re.search(r"https?://|@import|url\(", page)


@pytest.mark.parametrize("count", [0, MOST_COLUMNS, MOST_COLUMNS + 1])
def test_many_settings_share_a_column(count: int) -> None:
    differences = {f"model.size_{number}": str(number) for number in range(count)}
    run = RankedRun("sweep/0", 1, Estimate(0.5), Estimate(0.5), differences=differences)
    head, row = cells(render_ranking([run, FOLDER], "sweep", "command"))[:2]
    assert len(head) == len(row) == 11 + (count if count <= MOST_COLUMNS else 1)
    assert ("what differs" in head) == (count > MOST_COLUMNS)


CURVE = LearningCurve([1.0, 2.0, 3.0], [0.3, 0.6, 0.5], kept=1)
RUNS = [
    RankedRun("sweep/1", 2, Estimate(0.5, 0.4, 0.6), Estimate(0.4, 0.3, 0.5), curve=CURVE),
    RankedRun("sweep/0", 1, Estimate(0.8, 0.7, 0.9), Estimate(0.7), curve=LearningCurve([1.0], [0.7])),
    RankedRun("a folder $x_1$", 3, Estimate(None), Estimate(None)),
]


def test_a_better_run_lies_further_right(tmp_path: Path) -> None:
    left, top, right = RANKING_BOX
    draw_ranking(tmp_path / "ranking.png", RUNS, "title")
    image = pixels(tmp_path / "ranking.png")
    rows = [image[top + 34 * row : top + 34 * (row + 1), left:right] for row in range(3)]
    first, second = (float(where(row, PLOT_STYLES["generated"].colour).mean()) for row in rows[:2])
    assert first > second + 100
    assert not len(where(rows[2], PLOT_STYLES["generated"].colour)), "a run without a figure has no mark"
    same_and_other(tmp_path, lambda path, which: draw_ranking(path, RUNS[which:], "title"))


def test_learning_curves_of_many_runs_fade_after_the_twelfth(tmp_path: Path) -> None:
    many = [RankedRun(f"sweep/{n}", n + 1, Estimate(0.5), Estimate(0.5), curve=CURVE) for n in range(14)]
    shapes = set()
    for name, runs in (("few", RUNS), ("many", many), ("none", [])):
        draw_learning_of_runs(tmp_path / f"{name}.png", runs, "title", floor=0.9)
        shapes.add(pixels(tmp_path / f"{name}.png").shape)
    assert len(shapes) == 1
    few = pixels(tmp_path / "few.png")
    assert len(where(few, TRACK_COLOURS[0]))
    assert len(where(few, TRACK_COLOURS[1]))
    same_and_other(tmp_path, lambda path, which: draw_learning_of_runs(path, RUNS[which:], "title"))


def test_names_beside_curves_never_touch() -> None:
    placed = _apart([100, 101, 99, 300, 480], least=20, room=480)
    assert sorted(placed) == pytest.approx([99, 119, 139, 300, 480])
    assert placed[2] < placed[0] < placed[1], "the order of the curves is kept"
    assert np.diff(sorted(_apart([470.0] * 5, least=20, room=480))).min() >= 20
