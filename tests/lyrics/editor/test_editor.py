"""A person in the loop: what is typed is understood, what is taken is kept, and the lyric says whose each line is."""

import json
import re
from dataclasses import replace
from functools import cache

import pytest
import torch

from pipeline.errors import UserError
from pipeline.lyrics.corpus.song_lyrics import SECTION_MARKS, START, WORD
from pipeline.lyrics.editor.editor import varied
from pipeline.lyrics.editor.screen import WIDTH, lyric_page
from pipeline.lyrics.editor.terminal import needs_person, require_person, write_together
from pipeline.lyrics.language_model.lstm import LanguageModel
from pipeline.lyrics.phonetics.rhyme import rhymes
from pipeline.lyrics.song.line_sampling import LineCandidate
from pipeline.lyrics.song.plan import LinePlan, LyricPlan, SectionPlan
from pipeline.lyrics.song.writer import LyricDraft, LyricWriter
from pipeline.settings.lyrics import LyricsSettings

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower
VERSES = """
the river runs below the town
a lamp is burning in the night
we let the yellow curtain down
I hold the window to the light
the snow has fallen on the hill
my father walks along the bay
the kettle sings, the house is still
you never told me what to say
and morning opens like a door
the children laughing in the rain
I do not need it any more
we wait for someone on the train
the wind is over and the sea
will carry all I ever knew
a heavy bird is in the tree
and nothing here is really true
"""
SYMBOLS = "".join(sorted({*VERSES, *SECTION_MARKS.values(), START}))
PLAN = LyricPlan(
    "AABB",
    (
        SectionPlan("verse", (LinePlan(8, None, 1), LinePlan(8, 0))),
        SectionPlan("chorus", (LinePlan(6, None, 1), LinePlan(6, 0))),
        SectionPlan("chorus", (LinePlan(6, None, 1), LinePlan(6, 0))),
    ),
)
"""Four lines to write, two of which come back."""


@cache
def writer(seed=1, avoid=(), prompt=None):
    """A writer with a model that was never trained: its lines are made of the words of `VERSES` all the same."""
    model = LanguageModel(len(SYMBOLS), 12, 1, 0.0, 0.0, torch.Generator().manual_seed(seed))
    model.eval()
    spelt = START + SECTION_MARKS["verse"] + "".join(line[::-1] + "\n" for line in VERSES.strip().split("\n"))
    settings = LyricsSettings(seed=1, candidates=10, avoid=list(avoid), prompt=prompt)
    return LyricWriter(model, SYMBOLS, [spelt], settings)


class Person:
    """Types `answers`, then closes the terminal; remembers what was on the screen before each of them."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.screen = ""
        self.screens = []

    def read(self, prompt):
        self.screens.append(self.screen)
        self.screen = ""
        if not self.answers:
            raise EOFError
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def show(self, text):
        self.screen += text + "\n"

    @property
    def offers(self):
        """The numbered lines on each screen."""
        return [re.findall(r"^ +\d  (.*?) +\d+$", screen, re.M) for screen in self.screens]

    @property
    def said(self):
        return "".join(self.screens) + self.screen


@pytest.fixture
def path(tmp_path):
    return tmp_path / "session.json"


def sit_down(path, *answers, plans=None, **changes):
    """Let a person write; the person and the lyrics, None where they left."""
    person = Person(*answers)
    try:
        return person, write_together(writer(**changes), plans or {1: PLAN}, path, person.read, person.show)
    except KeyboardInterrupt:
        return person, None


def signed(lyric):
    """Each line with whose it is."""
    return [(line, author) for one in lyric.sections for line, author in zip(one.lines, one.authors, strict=True)]


def test_lines_are_picked_edited_and_written_and_say_whose_they_are(path):
    person, (lyric,) = sit_down(path, "2", "e 3", "Snow on the wires tonight", "my own words are here", "1", "")
    lines = signed(lyric)
    assert lines[:3] == [
        (person.offers[0][1], "model"),
        ("Snow on the wires tonight", "edited"),
        ("my own words are here", "person"),
    ]
    assert lines[3] == (person.offers[4][0], "model")
    assert lines[4:] == lines[2:4], "the chorus comes back as it is"
    page = lyric_page(lyric)
    assert "Snow on the wires tonight +\n" in page and "my own words are here *\n" in page
    assert page.endswith("Lines * by a person: 2; + the model's, changed by a person: 1; the others by the model: 3\n")


def test_a_lyric_of_the_model_alone_is_not_signed(path):
    lyric = writer().write(1, PLAN)
    assert "*" not in lyric_page(lyric) and "by the model" not in lyric_page(lyric)


def test_a_candidate_edited_into_itself_stays_the_models(path):
    first, _ = sit_down(path)
    _, (lyric,) = sit_down(path, "e 1", first.offers[0][0], "f", "")
    assert signed(lyric)[0] == (first.offers[0][0], "model")


def test_an_edit_that_is_emptied_takes_nothing(path):
    person, _ = sit_down(path, "e 1", "")
    assert "Nothing is taken." in person.said
    assert json.loads(path.read_text())["songs"]["1"]["lines"] == []


def test_enter_draws_others_and_numbers_are_theirs(path):
    person, _ = sit_down(path, "", "a", "2")
    first, second, third = person.offers[:3]
    assert first and second and third
    assert not set(first) & set(second) and not set(second) & set(third)
    assert json.loads(path.read_text())["songs"]["1"]["lines"][0]["text"] == third[1]


def test_offered_lines_end_on_different_words_where_they_can():
    lines = ["in the night", "by the light", "at night", "some night", "one light"]
    ranked = [LineCandidate(line[::-1], 3, -0.1 * at) for at, line in enumerate(lines)]
    assert [one.spelt[::-1] for one in varied(ranked)] == [lines[at] for at in (0, 1, 2, 4, 3)]


def test_going_back_crosses_sections_and_songs(path):
    plans = {1: PLAN, 2: PLAN}
    person, lyrics = sit_down(path, "b", "f", "", "2", *"bbbbb", "snow on snow", "f", "", "f", "", plans=plans)
    assert "There is nothing before this line." in person.said
    offers = [screen for screen in person.offers if screen]
    assert offers[0] == offers[1], "going back at the beginning changes nothing"
    assert signed(lyrics[0])[0] == ("snow on snow", "person")
    assert signed(lyrics[1])[0] == (person.offers[3][0], "model"), "the line that was taken away is gone"


def test_the_model_finishes_with_its_best_lines(path):
    _, (lyric,) = sit_down(path, "f", "")
    assert signed(lyric) == signed(writer().write(1, PLAN))


def test_a_song_is_named_by_the_person(path):
    _, (lyric,) = sit_down(path, "t “Above” the Town", "f", "")
    assert lyric.title == '"Above" the Town'


ANSWERS = (
    "2",
    "",
    "b",
    "my own words are here",
    "e 1",
    "Snow on the hill",
    "",
    "3",
    "t Snow",
    "b",
    "b",
    "1",
    "f",
    "",
    "f",
    "",
)
"""A whole session of two songs, a return among them."""
SHORT = LyricPlan(
    "AA",
    (SectionPlan("verse", (LinePlan(4, None, 1), LinePlan(4, 0), LinePlan(4))), SectionPlan("chorus", (LinePlan(4),))),
)


def test_a_session_that_stops_anywhere_goes_on_as_if_it_had_not(path):
    plans = {1: SHORT, 2: SHORT}
    whole, expected = sit_down(path, *ANSWERS, plans=plans)
    assert expected is not None and not whole.answers
    for stop in (1, 3, 4, 7, 9, 14):
        path.unlink()
        sit_down(path, *ANSWERS[:stop], KeyboardInterrupt(), plans=plans)
        person, found = sit_down(path, *ANSWERS[stop:], plans=plans)
        assert found == expected
        shown, all_shown = ([offer for offer in one.offers if offer] for one in (person, whole))
        assert shown == all_shown[len(all_shown) - len(shown) :]
        assert len(shown) >= len([offer for offer in whole.offers[stop:] if offer])


def test_every_command_is_on_disk_before_the_next(path):
    person = Person("2", "my own words", "", "b")
    kept = []

    def read(prompt):
        kept.append(len(json.loads(path.read_text())["songs"]["1"]["lines"]))
        return person.read(prompt)

    with pytest.raises(KeyboardInterrupt):
        write_together(writer(), {1: PLAN}, path, read, person.show)
    assert kept == [0, 1, 2, 2, 1]


def test_help_and_wrong_commands_change_nothing(path):
    person, _ = sit_down(path, "?", "99", "xyzzy", UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"))
    assert person.said.count("line 1 of 4") == 1, "the lines are not shown again"
    assert "takes line 3" in person.said and "could not be read" in person.said
    assert json.loads(path.read_text())["songs"]["1"]["lines"] == []


def test_a_line_that_misses_is_taken_with_a_friendly_word_and_rhymed_with(path):
    person, _ = sit_down(
        path, "1", "we went down to the bay and did not say", "the rain and the night", avoid=("Rain",)
    )
    assert re.search(r'Taken as it is: 10 syllables, not 8; "say" does not rhyme with "\w+"\.', person.said)
    assert "with rain, which lyrics.avoid names." in person.said
    assert 'rhymes with "night"' in person.screens[3]
    assert all(rhymes(WORD.findall(line)[-1], "night") for line in person.offers[3])


def test_a_long_line_keeps_the_screen_narrow(path):
    person, _ = sit_down(path, "a very long line " * 5 + "of mine")
    assert "of mine" in person.said
    assert max(len(line) for line in person.said.split("\n") if str(path) not in line) <= WIDTH


def test_the_prompt_is_the_first_line_and_is_not_taken_back(path):
    person, (lyric,) = sit_down(path, "b", "1", "b", "f", "", prompt="The snow is mine")
    assert signed(lyric)[0] == ("The snow is mine", "person")
    assert person.said.count("There is nothing before this line.") == 1
    assert not needs_person(path, {1: PLAN}, "The snow is mine")
    assert needs_person(path, {1: PLAN}, None)


def test_lines_stay_where_the_model_changed(path):
    _, (before,) = sit_down(path, "2", "my own words are here", "f", "")
    person, (after,) = sit_down(path, seed=2)
    assert signed(after) == signed(before)
    assert "The model or its settings changed" in person.said


def longer(section, line, syllables):
    """`PLAN` with another number of syllables for one line."""
    sections = list(PLAN.sections)
    lines = list(sections[section].lines)
    lines[line] = replace(lines[line], syllables=syllables)
    sections[section] = replace(sections[section], lines=tuple(lines))
    return replace(PLAN, sections=tuple(sections))


def test_where_a_plan_changed_only_lines_that_no_longer_fit_are_asked_for(path):
    plans = {1: PLAN, 2: PLAN}
    _, before = sit_down(path, "2", "my own", "f", "", "f", "", plans=plans)
    own = {**plans, 1: longer(0, 1, 12)}
    assert not needs_person(path, own), "a person's line fits any plan"
    person, after = sit_down(path, plans=own)
    assert [signed(one) for one in after] == [signed(one) for one in before]
    other = {**plans, 1: longer(0, 0, 12)}
    assert needs_person(path, other)
    person, after = sit_down(path, "snow on the hill", "", plans=other)
    assert "has another plan" in person.said and f'no place in it any more: "{signed(before[0])[0][0]}"' in person.said
    assert signed(after[0]) == [("snow on the hill", "person"), *signed(before[0])[1:]]
    assert signed(after[1]) == signed(before[1])


def test_songs_that_are_not_asked_for_stay_in_the_session(path):
    _, lyrics = sit_down(path, "1", "f", "", "snow on the hill", "f", "", plans={1: PLAN, 2: PLAN})
    sit_down(path, plans={1: PLAN})
    assert not needs_person(path, {1: PLAN, 2: PLAN})
    _, again = sit_down(path, plans={1: PLAN, 2: PLAN})
    assert again == lyrics


def test_a_person_is_needed_until_all_songs_are_at_their_end(path):
    plans = {1: PLAN, 2: PLAN}
    assert needs_person(path, plans)
    with pytest.raises(UserError, match="no terminal"):
        require_person(path, plans, None)
    sit_down(path, "f", "", "f", plans=plans)
    assert needs_person(path, plans)
    sit_down(path, "", plans=plans)
    assert not needs_person(path, plans)
    require_person(path, plans, None)
    assert needs_person(path, {**plans, 3: PLAN})


@pytest.mark.parametrize(
    "text",
    ["", "[1]", '{"format": 2}', '{"format": 1, "model": "", "songs": {"1": {"lines": [{"text": "a"}]}}}', "\xff"],
)
def test_a_damaged_session_is_named_and_kept(path, text):
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"session\.json is damaged"):
        sit_down(path)
    assert path.read_bytes() == text.encode("latin-1")


def test_a_model_that_finds_no_line_leaves_it_to_the_person(path, monkeypatch):
    def finds_none(song):
        raise UserError("the language model finds no new line: raise lyrics.model.steps.")

    monkeypatch.setattr(LyricDraft, "candidates", finds_none)
    person, _ = sit_down(path, "my own words", "f", "1")
    assert "The language model finds no new line: raise lyrics.model.steps. Or write" in person.said
    assert "There are no lines to choose from." in person.said
    assert [line["text"] for line in json.loads(path.read_text())["songs"]["1"]["lines"]] == ["my own words"]


def test_where_there_are_no_others_the_last_ones_stay(path, monkeypatch):
    draw, calls = LyricDraft.candidates, []

    def only_once(song):
        calls.append(song)
        if len(calls) > 1:
            raise UserError("the language model finds no new line.")
        return draw(song)

    monkeypatch.setattr(LyricDraft, "candidates", only_once)
    person, _ = sit_down(path, "", "1")
    assert "There are no others." in person.said
    assert person.offers[0] == person.offers[1]
    assert json.loads(path.read_text())["songs"]["1"]["lines"][0]["text"] == person.offers[0][0]
