"""The form of lyrics is measured alike for generated and human words."""

from dataclasses import replace

import pytest
import torch

from pipeline.lyrics.corpus.song_lyrics import SECTION_MARKS, START, LyricSection
from pipeline.lyrics.language_model.training import build_model
from pipeline.lyrics.song.lyric import Lyric, WrittenSection
from pipeline.lyrics.song.metrics import (
    METRICS_HEADS,
    form_cost,
    line_costs,
    lyric_metrics,
    metrics_rows,
    once,
    rhyme_lengths,
    sections_of_text,
)
from pipeline.lyrics.song.plan import LinePlan, LyricPlan, SectionPlan
from pipeline.lyrics.song.writer import LyricWriter
from pipeline.settings.lyrics import LanguageModelSettings, LyricsSettings

torch.set_num_threads(1)
LINES = ("The rain is on the window", "I came home late at night", "A candle on the window", "It was the only light")


def spelt(*sections):
    """Sections as the model reads them, line by line backwards."""
    return START + "".join(
        SECTION_MARKS[one.name] + "".join(line[::-1] + "\n" for line in one.lines) for one in sections
    )


def section(name="verse", lines=LINES):
    return LyricSection(name, tuple(lines))


def written(lines, syllables, rhymes_with):
    authors = ("model",) * len(lines)
    return WrittenSection("verse", tuple(lines), authors, tuple(syllables), tuple(rhymes_with))


def test_training_text_is_read_back_as_people_read_it():
    parts = (section(), section("chorus", LINES[:2]))
    assert tuple(sections_of_text(spelt(*parts))) == parts
    assert sections_of_text(START + "ereh m'I\n") == [LyricSection("verse", ("I'm here",))]


def test_sections_that_come_back_count_once():
    verse, chorus, short = section(), section("chorus"), section("chorus", LINES[:2])
    assert once([short, verse, chorus, chorus, verse]) == [verse, chorus]
    assert lyric_metrics([[short, verse, chorus]], []).lines == 8


def test_targets_are_met_within_one_syllable():
    found = lyric_metrics([[written(LINES, (7, 6, 9, None), (None,) * 4)]], [])
    assert found.on_target == pytest.approx(2 / 3)
    assert lyric_metrics([[section(lines=("a b c d", "a b c d", "a b c d e f g h"))]], []).on_target == 0.0


def test_pairs_asked_to_rhyme_are_told_from_lines_that_happen_to():
    found = lyric_metrics([[written(LINES, (7,) * 4, (None, None, 0, 1))]], [])
    assert found.rhyming_pairs == 0.5, "a word does not rhyme with itself"
    assert found.rhyming_lines == 0.5
    assert lyric_metrics([[section()]], []).rhyming_pairs is None
    far = ("one day", "a cat", "a house", "a tree", "a stone", "a way")
    assert lyric_metrics([[section(lines=far)]], []).rhyming_lines == 0.0


def test_rhyme_density_counts_vowels_backwards_but_no_word_twice():
    assert rhyme_lengths([section(lines=("cold night", "old light"))]) == [0, 0, 1, 2]
    assert rhyme_lengths([section(lines=("cold night", "cold night"))]) == [0] * 4
    assert rhyme_lengths([]) == []


def test_copies_are_found_in_the_training_text():
    text = spelt(section())
    assert lyric_metrics([[section()]], [text]).copied_lines == 4
    found = lyric_metrics([[section(lines=("and a candle on the windowsill",))]], [text])
    assert (found.copied_lines, found.longest_copy) == (0, len("a candle on the window"))


def test_words_are_looked_up():
    assert lyric_metrics([[section(lines=("the zyzzogeton sleeps",))]], []).known_words == pytest.approx(2 / 3)
    empty = lyric_metrics([], [])
    assert empty.lines == 0 and empty.known_words is None


def test_the_table_has_a_row_a_measure_and_three_columns():
    texts = [spelt(section(lines=[f"{word} {line}" for line in LINES])) for word in ("one", "two", "three", "four")]
    lyric = Lyric(1, "Night", "ABAB", (written(LINES, (7, 6, 7, 6), (None, None, 0, 1)),))
    rows = metrics_rows([lyric], texts[:3], texts[3:])
    assert {len(row) for row in rows} == {len(METRICS_HEADS)}
    assert rows[0][1:] == ("4", "4", "4")


def test_the_cost_of_form_is_in_bits_a_character():
    settings = LyricsSettings()
    texts = [spelt(section(), section("chorus", LINES[::-1]))]
    symbols = "\ufffd" + "".join(sorted({*"".join(texts)}))
    small: LanguageModelSettings = replace(settings.model, hidden_size=8, num_layers=1)
    lyric_writer = LyricWriter(
        build_model(len(symbols), small), symbols, texts, replace(settings, prompt="I came home")
    )
    lines = tuple(LinePlan(6) for _ in range(3))
    plan = LyricPlan(
        "free", (SectionPlan("verse", lines), SectionPlan("chorus", lines[:2]), SectionPlan("chorus", lines))
    )
    song = lyric_writer.begin(1, plan)
    for line in (*LINES[:2], *LINES[:3]):
        song.take(line)
    found = form_cost([line_costs(lyric_writer, song.lyric(), plan)])
    assert 3 < found.written < 7 and 3 < found.free < 7
