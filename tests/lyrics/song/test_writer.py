"""Lyrics keep their form: words are words, rhymes rhyme, the chorus comes back, nothing is copied."""

import itertools
from dataclasses import replace
from functools import cache

import pytest
import torch

from pipeline.errors import UserError
from pipeline.lyrics.corpus.corpus import read_texts
from pipeline.lyrics.corpus.song_lyrics import START, WORD
from pipeline.lyrics.language_model.training import LanguageModelTrainer
from pipeline.lyrics.phonetics.rhyme import rhymes
from pipeline.lyrics.phonetics.syllables import syllables_of
from pipeline.lyrics.song.lexicon import letters_only
from pipeline.lyrics.song.metrics import sections_of_text
from pipeline.lyrics.song.plan import LinePlan, LyricPlan, SectionPlan, rhyme_partner
from pipeline.lyrics.song.writer import LyricWriter
from pipeline.settings.lyrics import LanguageModelSettings, LyricsSettings

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower
MODEL = LanguageModelSettings(
    tokens="characters",
    vocabulary_size=2000,
    hidden_size=32,
    num_layers=1,
    dropout=0.0,
    weight_drop=0.0,
    weight_decay=0.0,
    learning_rate=0.01,
    batch_size=8,
    sequence_length=32,
    steps=60,
    minutes=5.0,
    patience=12,
    seed=1,
)
FORM = (("verse", 4), ("chorus", 4), ("verse", 4), ("chorus", 2), ("rap", 8), ("chorus", 4))
SYLLABLES = (8, 6)
COPY_LIMIT = 22


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    settings = LyricsSettings()
    found = LanguageModelTrainer(read_texts(settings, tmp_path_factory.mktemp("texts")).texts, MODEL)
    for _ in found.run():
        pass
    return found


def training_texts(trainer):
    return list(trainer.texts.read(trainer.texts.training, 1_000_000))


@cache
def defaults():
    return replace(LyricsSettings(), model=MODEL, seed=1, candidates=12)


@cache
def usual_writer(trainer):
    return LyricWriter(trainer.model, trainer.symbols, training_texts(trainer), defaults())


def writer(trainer, **changes):
    if not changes:
        return usual_writer(trainer)
    return LyricWriter(trainer.model, trainer.symbols, training_texts(trainer), replace(defaults(), **changes))


def asked(form=FORM, scheme="ABAB"):
    """A plan of sections (kind, lines) whose lines have `SYLLABLES`."""
    sections = []
    for kind, count in form:
        partners = [rhyme_partner(scheme, place) for place in range(count)]
        lines = [LinePlan(SYLLABLES[at % 2], partners[at], partners.count(at)) for at in range(count)]
        sections.append(SectionPlan(kind, tuple(lines)))
    return LyricPlan(scheme, tuple(sections))


@pytest.fixture(scope="module")
def lyrics(trainer):
    lyric_writer = writer(trainer)
    return lyric_writer.titled(lyric_writer.write(number, asked()) for number in (1, 2))


def lines_in(lyric):
    return [line for section in lyric.sections for line in section.lines]


def test_sections_follow_the_plan(lyrics):
    for lyric in lyrics:
        assert tuple((section.name, len(section.lines)) for section in lyric.sections) == FORM
        for section in lyric.sections:
            assert section.authors == ("model",) * len(section.lines)
            assert section.syllables == tuple(SYLLABLES[at % 2] for at in range(len(section.lines)))


def test_lines_have_the_syllables_that_were_asked_for(lyrics):
    for lyric in lyrics:
        for section in lyric.sections:
            for line, wanted in zip(section.lines, section.syllables, strict=True):
                assert abs(len(syllables_of(line)) - wanted) <= 1, line


def test_chorus_returns_word_for_word_and_verses_do_not(lyrics):
    for lyric in lyrics:
        first, short, last = (section.lines for section in lyric.sections if section.name == "chorus")
        assert first == last and short == first[:2]
        one, two = (set(section.lines) for section in lyric.sections if section.name == "verse")
        assert not one & two


def human_lines(trainer):
    return [line for text in training_texts(trainer) for section in sections_of_text(text) for line in section.lines]


def test_no_line_is_copied_and_no_long_run(trainer, lyrics):
    lines = [line.lower() for line in human_lines(trainer)]
    known, text = {letters_only(line) for line in lines}, "\n".join(lines)
    for line in itertools.chain(*map(lines_in, lyrics)):
        assert letters_only(line) not in known
        size = COPY_LIMIT + 1
        assert not any(line.lower()[at : at + size] in text for at in range(len(line) - COPY_LIMIT)), line


def test_every_word_is_a_word_of_the_texts(trainer, lyrics):
    words = {word.lower() for line in human_lines(trainer) for word in WORD.findall(line)}
    for line in itertools.chain(*map(lines_in, lyrics)):
        assert {word.lower() for word in WORD.findall(line)} <= words


def test_pairs_rhyme_and_never_on_the_same_word(lyrics):
    pairs = []
    for lyric in lyrics:
        for section in lyric.sections:
            ends = [WORD.findall(line)[-1].lower() for line in section.lines]
            pairs += [(ends[at], ends[one]) for at, one in enumerate(section.rhymes_with) if one is not None]
    assert len(pairs) == 24
    assert sum(rhymes(*pair) for pair in pairs) >= 22
    assert all(first != second for first, second in pairs)


def test_lyrics_differ_and_so_do_their_titles(lyrics):
    first, second = lyrics
    assert first.title != second.title
    assert not set(lines_in(first)) & set(lines_in(second))


def test_titles_are_phrases_of_the_chorus(lyrics):
    for lyric in lyrics:
        chorus = next(section for section in lyric.sections if section.name == "chorus")
        assert any(lyric.title.lower() in line.lower() for line in chorus.lines)
        assert lyric.title[0].isupper()


def test_same_seed_writes_the_same_and_another_does_not(trainer, lyrics):
    form = asked(FORM[:2])
    again, other = writer(trainer).write(1, form), writer(trainer, seed=2).write(1, form)
    assert lines_in(again) == lines_in(lyrics[0])[:8]
    assert lines_in(again) != lines_in(other)


def test_a_song_does_not_depend_on_the_songs_before_it(trainer, lyrics):
    lyric_writer = writer(trainer)
    lyric_writer.write(1, asked(FORM[:1], "AABB"))
    assert lines_in(lyric_writer.write(2, asked())) == lines_in(lyrics[1])


def test_titles_that_are_taken_give_way_in_order(trainer, lyrics):
    lyric_writer = writer(trainer)
    first, second = lyric_writer.titled([lyrics[0], replace(lyrics[0], number=2)])
    assert first.title == lyrics[0].title != second.title


def drawn(trainer, sizes, endings, seed=3, **changes):
    lyric_writer = writer(trainer, **changes)
    scores, state = lyric_writer.sampler.read(START, trainer.model.initial_state(1))
    return lyric_writer.sampler.draw(scores, state, sizes, endings, torch.Generator().manual_seed(seed))


def test_sampled_lines_keep_syllables_and_last_word(trainer):
    found = drawn(trainer, [7, 9] * 30, {"night", "light"})
    assert {one.syllables for one in found} == {7, 9}
    for one in found:
        assert one.words[-1] in ("night", "light")
        assert len(syllables_of(one.line)) == one.syllables
    assert [one.log_probability for one in found] == sorted((one.log_probability for one in found), reverse=True)


def test_score_is_the_mean_log_probability_of_the_characters(trainer):
    line = drawn(trainer, [8] * 30, {"night", "light"})[-1]
    sampler = writer(trainer).sampler
    scores, state = sampler.read(START, trainer.model.initial_state(1))
    total = 0.0
    for character in line.spelt + "\n":
        total += scores[0, trainer.symbols.index(character)].item()
        scores, state = sampler.read(character, state)
    assert line.log_probability == pytest.approx(total / (len(line.spelt) + 1), abs=1e-4)


def test_top_k_of_one_leaves_no_choice(trainer):
    assert len(drawn(trainer, [8] * 6, {"night"}, top_k=1, copy_limit=90)) <= 1
    assert len(drawn(trainer, [8] * 6, {"night"}, copy_limit=90)) > 1


def test_copy_limit_bounds_the_longest_run(trainer):
    text = "\n".join(training_texts(trainer)).lower()
    for one in drawn(trainer, [8] * 40, {"night", "light", "day", "way"}, copy_limit=12):
        assert not any(one.spelt.lower()[at : at + 13] in text for at in range(len(one.spelt) - 12))


def test_words_to_avoid_are_in_no_line_and_no_title(trainer):
    lyric_writer = writer(trainer, avoid=["The", "and", "I"], prompt="The night and I")
    lyric = lyric_writer.write(1, asked(FORM[:2]))
    for line in lines_in(lyric)[1:]:
        assert not {"the", "and", "i"} & {word.lower() for word in WORD.findall(line)}
    assert not {"the", "and", "i"} & set(lyric.title.lower().split())
    words = {word for text in training_texts(trainer) for line in text.split("\n") for word in WORD.findall(line[::-1])}
    with pytest.raises(UserError, match=r"lyrics\.avoid leaves no words"):
        writer(trainer, avoid=sorted(words))


def test_the_prompt_is_the_first_line_as_given(trainer):
    lyric = writer(trainer, prompt="Zyzzogeton, my quirky friend's 2 mice").write(1, asked(FORM[:2]))
    first, second = lyric.sections
    assert first.lines[0] == "Zyzzogeton, my quirky friend's 2 mice"
    assert first.authors[:2] == ("person", "model") and first.syllables[:2] == (None, SYLLABLES[1])
    assert rhymes(WORD.findall(first.lines[2])[-1], "mice")
    assert second.authors == ("model",) * 4
    with pytest.raises(UserError, match=r"lyrics\.prompt has no word"):
        writer(trainer, prompt=" ?").begin(1, asked())


def test_a_song_is_written_step_by_step_and_back(trainer):
    lyric_writer = writer(trainer)
    song, whole = lyric_writer.begin(1, asked(FORM[:3])), lyric_writer.write(1, asked(FORM[:3]))
    first = song.candidates()
    assert not {one.spelt for one in song.candidates()} & {one.spelt for one in first}
    song.take("My own words, whatever they rhyme with", "person")
    place = song.next_line
    assert (place.kind, place.number, place.line, place.plan.syllables) == ("verse", 1, 1, SYLLABLES[1])
    assert place.before == ("My own words, whatever they rhyme with",) and place.rhyme is None
    song.take(song.candidates()[-1])
    assert song.next_line.rhyme == "My own words, whatever they rhyme with"
    song.back()
    song.back()
    assert song.candidates() == first
    song.take(first[0])
    while song.next_line is not None:
        song.take(song.candidates()[0])
    assert song.lyric() == whole, "what was asked and taken back has left no trace"
    assert len(song.taken) == 12
    with pytest.raises(ValueError, match="all lines are written"):
        song.candidates()


def test_any_words_of_a_person_can_be_taken(trainer):
    song = writer(trainer).begin(1, asked((("chorus", 4), ("verse", 2), ("chorus", 4))))
    for line in ("1999", "Žluťoučký kůň", "Don\u2019t look", "ok", "...?", "x" * 300):
        assert song.candidates()
        song.take(line, "edited")
    lyric = song.lyric()
    assert lyric.sections[0] == lyric.sections[2] and lyric.sections[0].authors == ("edited",) * 4
    assert lyric.title
    with pytest.raises(ValueError, match="no line was taken"):
        writer(trainer).begin(1, asked()).back()
