"""Lyrics keep their form: words are words, rhymes rhyme, the chorus comes back, nothing is copied."""

import itertools
from dataclasses import replace

import pytest
import torch

from pipeline.lyrics.corpus import read_corpus, texts_of
from pipeline.lyrics.merit import Song, Usage
from pipeline.lyrics.rhyme import rhyme_key, rhymes
from pipeline.lyrics.sampling import MAX_COPY, Lexicon, LineSampler, plain
from pipeline.lyrics.settings import LanguageModelSettings
from pipeline.lyrics.training import Trainer
from pipeline.lyrics.verse import START, WORD
from pipeline.lyrics.writing import Writer, lines_of, rhyme_partner, title_case, words_for
from pipeline.music.form import FORMS
from tests.song_makers import configured

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower

MODEL = LanguageModelSettings(
    tokens="characters",
    vocabulary_size=2000,
    hidden_size=48,
    num_layers=1,
    dropout=0.0,
    weight_drop=0.0,
    weight_decay=0.0,
    learning_rate=0.01,
    batch_size=8,
    sequence_length=32,
    steps=150,
    minutes=5.0,
    patience=12,
    seed=1,
)
FORM = (("intro", 0), ("verse", 4), ("chorus", 4), ("verse", 4), ("chorus", 2), ("rap", 8), ("chorus", 4))


@pytest.fixture(scope="module")
def trainer():
    found = Trainer(texts_of(read_corpus(None)), MODEL)
    for _ in found.run():
        pass
    return found


def training_texts(trainer):
    return list(trainer.texts.read(trainer.texts.training, 1_000_000))


def writer(trainer, seed=1):
    settings = replace(configured("+stage=lyrics").lyrics, model=MODEL, seed=seed, count=2, candidates=12)
    return Writer(trainer.model, trainer.symbols, training_texts(trainer), settings)


@pytest.fixture(scope="module")
def lyrics(trainer):
    hand = writer(trainer)
    return [hand.write(number, FORM) for number in (1, 2)]


def lines_in(lyric):
    return [line for section in lyric.sections for line in section.lines]


def test_sections_follow_the_form_and_instruments_stay_silent(lyrics):
    for lyric in lyrics:
        found = [(section.name, len(section.lines)) for section in lyric.sections]
        assert found == [(name, number) for name, number in FORM if number]


def test_chorus_returns_word_for_word_and_verses_do_not(lyrics):
    for lyric in lyrics:
        first, short, last = (section.lines for section in lyric.sections if section.name == "chorus")
        assert first == last and short == first[:2]
        one, two = (set(section.lines) for section in lyric.sections if section.name == "verse")
        assert not one & two


def test_no_line_is_copied_and_no_long_run(lyrics):
    corpus = read_corpus(None)
    lines = [line.lower() for document in corpus.training for line in document.lines]
    known, text = {plain(line) for line in lines}, "\n".join(lines)
    for line in itertools.chain(*map(lines_in, lyrics)):
        assert plain(line) not in known
        size = MAX_COPY + 1
        assert not any(line.lower()[at : at + size] in text for at in range(len(line) - MAX_COPY)), line


def test_every_word_is_a_word_of_the_texts(lyrics):
    words = {
        word.lower()
        for document in read_corpus(None).training
        for line in document.lines
        for word in WORD.findall(line)
    }
    for line in itertools.chain(*map(lines_in, lyrics)):
        assert {word.lower() for word in WORD.findall(line)} <= words


def test_rhymes_follow_the_scheme(lyrics):
    pairs, rhymed = 0, 0
    for lyric in lyrics:
        for section in lyric.sections:
            ends = [WORD.findall(line)[-1] for line in section.lines]
            if len(ends) < 4:
                continue
            schemes = [[rhyme_partner(scheme, place) for place in range(len(ends))] for scheme in ("ABAB", "AABB")]
            counts = [
                sum(rhymes(ends[place], ends[other]) for place, other in enumerate(scheme) if other is not None)
                for scheme in schemes
            ]
            pairs, rhymed = pairs + len(ends) // 2, rhymed + max(counts)
    assert pairs == 24 and rhymed >= 22


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
    form = FORM[:3]
    again, other = writer(trainer).write(1, form), writer(trainer, seed=2).write(1, form)
    assert lines_in(again) == lines_in(lyrics[0])[:8]
    assert lines_in(again) != lines_in(other)


def test_sampled_lines_keep_length_and_last_word(trainer):
    lexicon = Lexicon(training_texts(trainer))
    sampler = LineSampler(trainer.model, trainer.symbols, lexicon, 0.8, 0.95, seed=3)
    scores, state = sampler.read(START, trainer.model.initial_state(1))
    drawn = sampler.draw(scores, state, 60, (20, 40), {"night", "light"})
    assert drawn
    for line in drawn:
        assert line.words[-1] in ("night", "light")
        assert 20 <= len(line.spelt) <= 40
    assert [one.score for one in drawn] == sorted((one.score for one in drawn), reverse=True)


def test_score_is_the_mean_log_probability_of_the_characters(trainer):
    sampler = LineSampler(trainer.model, trainer.symbols, Lexicon(training_texts(trainer)), 0.8, 0.95, seed=3)
    scores, state = sampler.read(START, trainer.model.initial_state(1))
    line = sampler.draw(scores, state, 30, (10, 40), {"night", "light"})[-1]
    total = 0.0
    for character in line.spelt + "\n":
        total += scores[0, trainer.symbols.index(character)].item()
        scores, state = sampler.read(character, state)
    assert line.score == pytest.approx(total / (len(line.spelt) + 1), abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("night", "white", True),
        ("rain", "lane", True),
        ("come", "some", True),
        ("love", "above", True),
        ("two", "blue", True),
        ("walking", "talking", True),
        ("walking", "thing", False),
        ("day", "away", True),
        ("rolled", "gold", True),
        ("tide", "side", True),
        ("sea", "free", True),
        ("town", "own", False),
        ("home", "come", False),
        ("stone", "done", False),
        ("night", "night", False),
        ("salt", "sea", False),
    ],
)
def test_rhymes(first, second, together):
    assert rhymes(first, second) is together
    assert rhyme_key(first.upper()) == rhyme_key(first)


def test_rhyme_partners_are_earlier_lines_of_the_same_four():
    assert [rhyme_partner("ABAB", place) for place in range(6)] == [None, None, 0, 1, None, None]
    assert [rhyme_partner("AABB", place) for place in range(6)] == [None, 0, None, 2, None, 4]


def test_two_bars_make_a_line_where_somebody_sings():
    assert [lines_of("verse", bars) for bars in (1, 4, 8, 64)] == [2, 2, 4, 8]
    assert lines_of("intro", 8) == lines_of("solo", 8) == 0


def test_title_case_leaves_small_words_small():
    assert title_case(["the", "salt", "of", "the", "sea"]) == "The Salt of the Sea"
    assert title_case(["what", "for"]) == "What For"


def test_merit_prefers_idiom_theme_and_fresh_words():
    sea = [["the", "boat", "is", "home"], ["the", "sail", "is", "down"]]
    town = [["a", "bus", "was", "late"], ["a", "street", "was", "dark"]]
    usage = Usage([sea, sea, town, town])
    assert usage.idiom(["the", "boat", "is", "home"]) == 1.0
    assert usage.idiom(["home", "is", "boat", "the"]) == 0.0
    song = Song(usage)
    song.add(["the", "boat", "is", "home"])
    assert song.merit(["the", "sail", "is", "late"], -1.0) > song.merit(["the", "bus", "is", "late"], -1.0)
    assert song.merit(["a", "boat"], -1.0) > song.merit(["a", "boat"], -1.5)


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_the_music_has_a_chorus_that_comes_back(name):
    cycle = [*FORMS[name].opening, *FORMS[name].cycle, *FORMS[name].cycle]
    kinds = [kind for kind, lines in words_for([(part.role, 4 * part.phrases) for part in cycle]) if lines]
    assert kinds.count("chorus") >= 2
    assert "verse" in kinds


def test_a_bridge_that_returns_is_the_chorus_but_not_beside_one():
    assert words_for([("verse", 8), ("bridge", 4), ("verse", 8), ("bridge", 4)])[1] == ("chorus", 2)
    assert words_for([("chorus", 8), ("bridge", 4), ("chorus", 8), ("bridge", 4)])[1] == ("bridge", 2)
    assert words_for([("intro", 4), ("verse", 8)]) == (("intro", 0), ("verse", 4))


def test_sections_that_no_lyric_knows_are_sung_as_verses():
    assert words_for([("accompanied", 40), ("made", 4)]) == (("verse", 8), ("verse", 2))
