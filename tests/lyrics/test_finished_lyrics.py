"""Words that need not be written again: the same model, settings, plan and taken lines give the same."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from pipeline.files import write_json
from pipeline.lyrics import writing
from pipeline.lyrics.editor.session import Session, SessionLine, SessionSong
from pipeline.lyrics.editor.terminal import SESSION
from pipeline.lyrics.finished_lyrics import MADE_FROM, finished_lyrics, made_from
from pipeline.lyrics.language_model.training import build_model
from pipeline.lyrics.song.lyric import Lyric, WrittenSection
from pipeline.lyrics.song.metrics import LineCosts
from pipeline.lyrics.song.plan import LinePlan, LyricPlan, SectionPlan
from pipeline.lyrics.song.writer import LyricWriter
from pipeline.settings.lyrics import LyricsSettings

TEXT = "emoh emac I\nniar eht ni\n"
LINES = ("I came home", "in the rain")


def writer_of(**changes: object) -> LyricWriter:
    """A writer whose model has learnt nothing."""
    settings = LyricsSettings()
    symbols = "\ufffd" + "".join(sorted({*TEXT}))
    torch.manual_seed(0)
    small = replace(settings.model, hidden_size=8, num_layers=1)
    return LyricWriter(build_model(len(symbols), small), symbols, [TEXT], replace(settings, **changes))  # type: ignore[arg-type]


def plan(syllables: int = 3) -> LyricPlan:
    return LyricPlan("free", (SectionPlan("verse", (LinePlan(syllables), LinePlan(3)), 0),))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the songs that are written."""
    numbers: list[int] = []

    def complete(writer: LyricWriter, number: int, plan: LyricPlan, taken: SessionSong | None) -> Lyric:
        numbers.append(number)
        verse = WrittenSection(
            "verse", LINES, ("model", "model"), (plan.sections[0].lines[0].syllables, 3), (None, None)
        )
        return Lyric(number, "Untitled", "free", (verse,))

    monkeypatch.setattr(writing, "complete_lyric", complete)
    return numbers


def write(place: Path, asked: list[int], plans: dict[int, LyricPlan], writer: LyricWriter | None = None) -> list[int]:
    """The numbers of the songs that were written; the others stayed as they were."""
    asked.clear()
    lyrics, prints, costs = writing.write_alone(writer or writer_of(), plans, place)
    assert [lyric.number for lyric in lyrics] == [*plans]
    assert set(costs) == set(plans) - set(asked)
    costs |= {number: LineCosts(10.0 * number, 20, 30.5, 40) for number in asked}
    values = {"songs": [asdict(lyric) for lyric in lyrics], MADE_FROM: made_from(prints, costs)}
    write_json(place / "lyrics.json", values)
    return list(asked)


def test_only_songs_with_another_plan_or_other_lines_are_written_again(tmp_path: Path, asked: list[int]) -> None:
    assert write(tmp_path, asked, {1: plan(), 2: plan()}) == [1, 2]
    assert write(tmp_path, asked, {1: plan(), 2: plan(), 3: plan()}) == [3]
    assert write(tmp_path, asked, {1: plan(), 2: plan(4), 3: plan()}) == [2]
    session = Session(tmp_path / SESSION)
    session.songs[1] = SessionSong(lines=[SessionLine("verse", 1, 1, "I went home", "person", 3)])
    session.save()
    assert write(tmp_path, asked, {1: plan(), 2: plan(4), 3: plan()}) == [1]
    assert write(tmp_path, asked, {1: plan(), 2: plan(4)}) == []


def test_another_model_or_setting_writes_all_again(tmp_path: Path, asked: list[int]) -> None:
    write(tmp_path, asked, {1: plan()}, writer := writer_of())
    assert write(tmp_path, asked, {1: plan()}, writer) == []
    assert write(tmp_path, asked, {1: plan()}, writer_of(seed=7)) == [1]


def test_lyrics_come_back_as_they_were_with_their_costs(tmp_path: Path, asked: list[int]) -> None:
    write(tmp_path, asked, {1: plan(), 2: plan()})
    first, second = finished_lyrics(tmp_path / "lyrics.json").values()
    assert (first.lyric.number, second.costs) == (1, LineCosts(20.0, 20, 30.5, 40))
    assert first.lyric.sections[0].lines == LINES and first.lyric.sections[0].syllables == (3, 3)
    (tmp_path / "lyrics.json").write_text("half")
    assert finished_lyrics(tmp_path / "lyrics.json") == {}
    assert finished_lyrics(tmp_path / "missing.json") == {}
