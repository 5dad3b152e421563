"""Words in the studio: lines under their notes, candidates, and a session that the terminal goes on with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.lyrics.editor.session import Session
from pipeline.lyrics.editor.terminal import SESSION, write_together
from pipeline.lyrics.song.plan import plan_lyric
from pipeline.songs.song import Song
from pipeline.studio.session.words import StudioWords, WordsDraft, placed_lines
from tests.lyrics.editor.test_editor import Person, writer
from tests.studio_makers import BASS, LEAD, band_song, studio_config

SONG = band_song()


class Held:
    """A song that is edited."""

    def __init__(self, song: Song) -> None:
        self.song = song


@pytest.fixture
def lyrics_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the lyrics stage left of song 1, and a language model's file that is not read."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "outputs/album/lyrics"
    folder.mkdir(parents=True)
    plan = plan_lyric(studio_config().lyrics, 1, SONG, "Lead")
    (folder / "lyrics.json").write_text(json.dumps({"songs": [asdict(writer().write(1, plan))]}))
    (folder / "model.pt").touch()
    return folder


@pytest.fixture
def draft(lyrics_folder: Path) -> Callable[..., WordsDraft]:
    """Words of a song in a studio that is started anew each time."""

    def start(song: Song | Held = SONG) -> WordsDraft:
        words = StudioWords(studio_config())
        words._writer = writer()
        held = song if isinstance(song, Held) else Held(song)
        return WordsDraft(words, lambda: held.song)

    return start


def test_lines_stand_under_the_notes_they_are_sung_on(draft: Callable[..., WordsDraft]) -> None:
    lines = draft().lines()
    onsets = set(SONG.notes["onset"][SONG.notes["track"] == LEAD].tolist())
    assert {line["section"] for line in lines} == {0, 1}
    for line in lines:
        first = SONG.sections[line["section"]].first_bar * 16
        last = first + SONG.sections[line["section"]].num_bars * 16
        steps = [syllable["step"] for word in line["words"] for syllable in word["syllables"]]
        assert steps == sorted(steps) and first <= steps[0] == line["first_step"] < line["last_step"] <= last
        assert sum(step in onsets for step in steps) > 0.7 * len(steps), "most begin with a note of the tune"
        assert line["text"].split() == [word["text"] for word in line["words"]]
        assert line["author"] == "model" and line["syllables"] == len(steps)
    rhymes = [line["rhyme"] for line in lines if line["section"] == 0]
    assert "".join(rhymes) in ("AABB", "ABAB", "AA", "AABBCC", "ABABCC")


def test_taken_lines_are_kept_with_all_others_and_marked(draft: Callable[..., WordsDraft], lyrics_folder: Path) -> None:
    before = [line["text"] for line in draft().lines()]
    draft().take(1, "  my own words, here ", "person")
    draft().take(2, "changed by me", "edited")
    after = draft().lines()
    assert [line["text"] for line in after] == [before[0], "my own words, here", "changed by me", *before[3:]]
    assert [line["author"] for line in after[:4]] == ["model", "person", "edited", "model"]
    assert after[1]["words"][0]["text"] == "my" and after[1]["syllables"] == 4
    kept = Session.load(lyrics_folder / SESSION).songs[1].lines
    assert [line.text for line in kept][:3] == [before[0], "my own words, here", "changed by me"]


def test_candidates_fit_the_place_and_draws_differ(draft: Callable[..., WordsDraft]) -> None:
    words = draft()
    asked = words.lines()[2]["asked_syllables"]
    first, other = words.candidates(2), words.candidates(2, draw=1)
    assert len(first) == 7 and not {one["text"] for one in first} & {one["text"] for one in other}
    assert [one["syllables"] for one in first].count(asked) >= 4
    assert draft().candidates(2) == first, "the same after a restart"
    words.take(2, first[3]["text"], "model")
    line = draft().lines()[2]
    assert (line["text"], line["author"], line["syllables"]) == (first[3]["text"], "model", first[3]["syllables"])


def test_the_terminal_goes_on_where_the_page_was(draft: Callable[..., WordsDraft], lyrics_folder: Path) -> None:
    draft().take(0, "my own first line", "person")
    draft().set_title("A Name of Mine")
    plan = plan_lyric(studio_config().lyrics, 1, SONG, "Lead")
    person = Person("b", "the last line of the terminal", "")
    (lyric,) = write_together(writer(), {1: plan}, lyrics_folder / SESSION, person.read, person.show)
    assert lyric.title == "A Name of Mine" and lyric.sections[0].lines[0] == "my own first line"
    assert lyric.sections[0].authors[0] == "person"
    assert "changed since then" not in "".join(person.screens)
    texts = [line["text"] for line in draft().lines()]
    assert texts[0] == "my own first line" and "the last line of the terminal" in texts
    assert draft().title == "A Name of Mine"


def test_words_follow_the_tune_and_do_not_mind_the_bass(
    draft: Callable[..., WordsDraft], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.studio.session import words as room

    fitted: list[int] = []
    fit = room.fit_words
    monkeypatch.setattr(room, "fit_words", lambda song, *rest: fitted.append(song.number) or fit(song, *rest))
    held = Held(SONG)
    shown = draft(held)
    before = shown.lines()
    held.song = without(SONG, BASS, 0)
    assert shown.lines() == before and len(fitted) == 1
    held.song = without(SONG, LEAD, 8)
    after = shown.lines()
    assert len(fitted) == 2 and [line["text"] for line in after][:1] == [before[0]["text"]]
    assert after != before


def without(song: Song, track: int, onset: int) -> Song:
    """The song without the notes of a track that begin at a step."""
    stays = ~((song.notes["track"] == track) & (song.notes["onset"] == onset))
    return replace(
        song, notes=song.notes[stays], velocities=song.velocities[stays], timing_ticks=song.timing_ticks[stays]
    )


def test_a_song_without_words_has_places_for_them(draft: Callable[..., WordsDraft]) -> None:
    other = replace(SONG, number=7)
    words = draft(other)
    lines = words.lines()
    assert lines and all(line["text"] == "" and line["words"] == [] for line in lines)
    assert [line["first_step"] for line in lines] == sorted(line["first_step"] for line in lines)
    assert len(words.candidates(1)) == 7
    words.take(1, "the second one", "person")
    assert [line["text"] for line in draft(other).lines()][:2] == ["", "the second one"]
    assert words.title is None


def test_what_comes_back_is_one_line(draft: Callable[..., WordsDraft]) -> None:
    sections = tuple(replace(section, role="chorus", name="chorus") for section in SONG.sections)
    plan = plan_lyric(studio_config().lyrics, 1, replace(SONG, sections=sections), "Lead")
    placed = placed_lines(plan)
    half = len(placed) // 2
    assert [one.index for one in placed[:half]] == [one.index for one in placed[half:]]
    assert len(np.unique([one.section for one in placed])) == 2


@pytest.mark.parametrize(
    ("line", "text", "author", "said"),
    [
        (0, " ", "person", "A line needs a word in it"),
        (0, "...", "person", "A line needs a word in it"),
        (0, "word " * 40, "person", "at most 100 fit"),
        (0, "words", "ghost", "A line is by one of model, person, edited"),
        (99, "words", "person", "There is no line 99"),
        (-1, "words", "person", "There is no line -1"),
    ],
)
def test_what_is_no_line_is_refused(
    draft: Callable[..., WordsDraft], lyrics_folder: Path, line: int, text: str, author: str, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        draft().take(line, text, author)
    assert not (lyrics_folder / SESSION).exists()


def test_without_a_language_model_there_is_nothing_to_offer(lyrics_folder: Path) -> None:
    (lyrics_folder / "model.pt").unlink()
    words = WordsDraft(StudioWords(studio_config()), lambda: SONG)
    assert words.lines(), "lines that were written are shown"
    with pytest.raises(UserError, match="no language model of songs"):
        words.candidates(0)
