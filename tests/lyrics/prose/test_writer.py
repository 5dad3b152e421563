"""Prose keeps its rules; the models are small tables, so that every chance is known."""

import itertools
import math
from collections import Counter
from dataclasses import replace

import pytest
import torch

from pipeline.errors import UserError
from pipeline.lyrics.corpus.encoded_texts import TextSplit
from pipeline.lyrics.corpus.song_lyrics import START
from pipeline.lyrics.corpus.text_decoding import tidy
from pipeline.lyrics.corpus.vocabulary import Characters, Subwords
from pipeline.lyrics.prose.metrics import prose_metrics, prose_summary
from pipeline.lyrics.prose.scoring import score_text, variety
from pipeline.lyrics.prose.training_text import TrainingText
from pipeline.lyrics.prose.writer import ProseWriter, markdown
from tests.song_makers import configured

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower
NOUNS = ("sea", "stone", "light", "river", "door", "night", "salt", "rain", "heart", "artist", "art")
VERBS = ("takes", "finds", "breaks", "leaves")
SENTENCES = [
    f"The {first} {verb} the {second}."
    for (first, second), verb in zip(itertools.permutations(NOUNS, 2), itertools.cycle(VERBS))
]
BOOK = [START + " ".join(SENTENCES[at : at + 22]) + "\n" for at in range(0, 110, 22)]
ESSAYS = [
    f"{START}The {name.title()}\n\n"
    + "\n".join(" ".join(SENTENCES[at : at + 5]) for at in range(place, 110, 30))
    + "\n"
    for place, name in enumerate(NOUNS)
]
LEANING = [START + "The sea. The sea. The salt. " * 20]
"""At each place one token is likelier than the others."""


class Table:
    """A model that looks back `order` tokens, and less far where those were never seen: Witten and Bell's rule."""

    def __init__(self, texts, vocabulary, order):
        self.bias = torch.zeros(len(vocabulary))
        self.order, self.counts, self.made = order, {}, {}
        for text in texts:
            tokens = vocabulary.encode(text).tolist()
            for size in range(order + 1):
                for at in range(size, len(tokens)):
                    self.counts.setdefault(tuple(tokens[at - size : at]), Counter())[tokens[at]] += 1

    def initial_state(self, batch):
        return [(torch.full((1, batch, self.order), -1.0), torch.zeros(1, batch, 1))]

    def __call__(self, tokens, state):
        hidden, cell = state[0]
        long = torch.cat([hidden[0].long(), tokens], dim=1).tolist()
        places = range(1, tokens.shape[1] + 1)
        logits = torch.stack(
            [torch.stack([self.after(tuple(row[at : at + self.order])).log() for at in places]) for row in long]
        )
        return logits, [(torch.tensor([row[-self.order :] for row in long], dtype=torch.float)[None], cell)]

    def after(self, history):
        """The chances after the last tokens `[tokens]`; -1 stands before the first one."""
        if history not in self.made:
            shorter = self.after(history[1:]) if history else torch.full_like(self.bias, 1 / len(self.bias))
            found = self.counts.get(history, Counter())
            chances = shorter * len(found)
            for token, count in found.items():
                chances[token] += count
            self.made[history] = chances / (found.total() + len(found)) if found else shorter
        return self.made[history]


SETTINGS = {kind: configured("+stage=lyrics", f"lyrics={kind}").lyrics for kind in ("book", "essay")}


def writer(texts=BOOK, order=6, vocabulary=None, model=None, kind="book", **changes):
    vocabulary = vocabulary or Characters.of(Counter("".join(texts)))
    plain = {"count": 1, "candidates": 2, "length": 180, "temperature": 1.0, "top_p": 1.0, "copy_limit": 500, "seed": 1}
    settings = replace(SETTINGS[kind], **(plain | changes))
    side = TextSplit.of(texts, vocabulary)
    return ProseWriter(model or Table(texts, vocabulary, order), vocabulary, side, settings)


def all_of(prose_writer, numbers=(1,)):
    return [one for number in numbers for one in prose_writer.write(number)]


def words(text):
    return text.lower().replace(".", " ").split()


def test_temperature_near_0_writes_the_likeliest_text_whatever_the_seed():
    first, second = (writer(LEANING, temperature=1e-6, length=60, seed=seed).write(1)[0].text for seed in (1, 2))
    assert first == second == "The sea. " * 6 + "The sea."


def test_top_k_1_equals_temperature_0():
    cold, single = (
        writer(LEANING, length=120, **change).write(1)[0].text for change in ({"temperature": 1e-6}, {"top_k": 1})
    )
    assert cold == single


def test_same_seed_same_text_another_seed_or_number_another_text():
    prose_writer = writer()
    three = [one.text for one in prose_writer.write(3)]
    assert [one.text for one in writer().write(3)] == three, "a text depends on its number alone"
    assert [one.text for one in prose_writer.write(2)] != three
    assert [one.text for one in writer(seed=2).write(3)] != three


def test_avoided_words_are_not_written_and_longer_words_with_them_inside_are():
    free = Counter(word for one in all_of(writer(), (1, 2, 3)) for word in words(one.text))
    assert free["art"] and free["heart"] and free["artist"]
    kept = Counter(
        word for one in all_of(writer(avoid=["ART", "the sea", "Breaks"]), (1, 2, 3)) for word in words(one.text)
    )
    assert not kept["art"] and not kept["breaks"] and kept["heart"] and kept["artist"]
    assert set(kept) <= set(free), "no word is cut short or made longer to get around it"


def test_avoided_phrases_are_not_written():
    kept = " ".join(one.text.lower() for one in all_of(writer(avoid=["the  sea"])))
    assert "the sea" not in kept and " sea" not in kept and "the " in kept


def test_avoided_words_are_taken_back_whole_where_nothing_longer_is_likely():
    texts = [START + "the cat sat. the cot set. the cat sits. " * 20]
    kept = Counter(word for one in all_of(writer(texts, avoid=["sat", "cot"])) for word in words(one.text))
    assert set(kept) <= {"the", "cat", "set", "sits"} and kept["cat"]


def test_what_the_prompt_says_is_not_avoided():
    found = writer(avoid=["art"], prompt="The art").write(1)[0].text
    assert found.startswith("The art") and "art" not in words(found[7:])


@pytest.mark.parametrize("limit", [12, 25])
def test_no_run_longer_than_the_limit_stands_in_the_training_text(limit):
    training = "\n".join(BOOK)
    for one in all_of(writer(copy_limit=limit, temperature=0.7, order=12)):
        assert not any(one.own[at : at + limit + 1] in training for at in range(len(one.own) - limit))
        assert len(one.own) > 100
    loose = writer(temperature=0.7, order=12).write(1)[0].text
    assert any(loose[at : at + 26] in training for at in range(len(loose) - 25)), "without a limit there are"


@pytest.mark.parametrize("length", [20, 150, 400])
def test_a_book_text_ends_with_a_sentence_near_its_length(length):
    for one in all_of(writer(length=length)):
        assert one.text.endswith(".") and length <= len(one.text) <= length + 150


def test_a_text_without_sentences_ends_with_a_line_or_a_word():
    lines = [f"the {first} and the {second}\n" for first, second in itertools.permutations(NOUNS, 2)]
    for one in all_of(writer([START + "".join(lines)], length=100)):
        assert one.text.split("\n")[-1].split()[-1] in NOUNS and "\n" in one.text
    run_on = [START + "".join(lines).replace("\n", " ")]
    for one in all_of(writer(run_on, length=100)):
        assert set(one.text.split()) <= {*NOUNS, "the", "and"}


def test_an_essay_has_a_title_of_its_own_and_paragraphs_that_end_with_sentences():
    found = all_of(writer(ESSAYS, kind="essay", length=400))
    titles = {text[1:].partition("\n")[0] for text in ESSAYS}
    for one in found:
        assert one.title and one.title[0].isupper() and one.title not in titles
        assert all(part.endswith(".") for part in one.text.split("\n\n")) and "\n" not in one.text.replace("\n\n", "")
        assert 0.5 * 400 < len(one.text) < 1.25 * 400 + 300
        assert markdown(one) == f"# {one.title}\n\n{one.text}\n"


def test_essays_without_titles_are_named_by_a_phrase_of_theirs():
    untitled = [START + "\n\n" + text.partition("\n\n")[2] for text in ESSAYS]
    for one in all_of(writer(untitled, kind="essay")):
        assert one.title.lower() in one.text.lower() and len(one.title.split()) > 1


def test_a_prompt_is_an_essays_title_and_a_books_first_words():
    essay = writer(ESSAYS, kind="essay", prompt="On  the SEA ").write(1)[0]
    assert essay.title == "On the SEA" and "SEA" not in essay.text
    book = writer(prompt="The river").write(1)[0]
    assert book.text.startswith("The river") and book.own == book.text[9:] and book.title is None
    assert markdown(book) == book.text + "\n"


@pytest.mark.parametrize("prompt", ["\u6f22\u5b57 \U0001f600", "Th\u00e9 \u201csea\u201d \x00\ud800", "\u0416", "   "])
def test_a_prompt_of_unknown_characters_is_kept_and_read_as_far_as_it_goes(prompt):
    found = writer(prompt=prompt).write(1)[0]
    assert found.text.startswith(tidy(prompt.encode("utf-8", "replace").decode()).strip()) and len(found.own) > 150


def test_accents_are_read_without_where_the_model_lacks_them():
    plain, accented = (writer(prompt=prompt).write(1)[0].own for prompt in ("The river", "Th\u00e9 riv\u00ear"))
    assert plain == accented


def test_curled_quotes_are_read_as_the_model_knows_them():
    straight, curled = (
        [START + "'It is,' he said. 'It is not,' she said. ".replace("'", mark) * 20] for mark in "'\u2019"
    )
    for texts in (straight, curled):
        found = {writer(texts, prompt=f"{mark}It is,{mark} he").write(1)[0].own for mark in "'\u2019"}
        assert len(found) == 1


def test_words_are_those_of_the_training_text():
    known = set(words(" ".join(BOOK).replace(START, "")))
    wild = writer(order=1, candidates=1)
    assert all(set(words(one.text)) <= known for one in all_of(wild))


def test_a_word_is_refused_as_soon_as_no_word_begins_so():
    rules = writer([START + "'It was beautifully made!' he said. It didn't. " * 4])._rules(0)
    for text, piece in (
        ("beautifull", "!'"),
        ("beautifull", " "),
        ("beauti", "e"),
        ("bEau", "t"),
        ("did", "'s"),
        ("dd", "'"),
    ):
        assert rules.refuses(text, piece), (text, piece)
    for text, piece in (
        ("beautifully", "!'"),
        ("Beautifull", "y"),
        ("did", "n"),
        ("didn", "'"),
        ("didn'", "t"),
        ("'", "m"),
    ):
        assert not rules.refuses(text, piece), (text, piece)


def test_a_language_without_spaces_may_make_words():
    signs = "\u5929\u5730\u65e5\u6708\u5c71\u6c34\u706b\u6728"
    texts = [START + "".join(f"{a}{b}{c}{a}{c}{b}\u3002" for a, b, c in itertools.permutations(signs, 3))]
    found = writer(texts, order=1, length=60).write(1)[0].text
    assert found.endswith("\u3002") and len(found) >= 60


def test_subwords_keep_the_same_rules():
    pieces = Subwords.of(BOOK, 340)
    assert max(pieces.widths) > 3
    prose_writer = writer(vocabulary=pieces, order=2, avoid=["art", "sea"], copy_limit=25)
    known, training = set(words(" ".join(BOOK).replace(START, ""))), "\n".join(BOOK)
    found = all_of(prose_writer)
    assert "artist" in {word for one in found for word in words(one.text)}
    for one in found:
        assert set(words(one.text)) <= known - {"art", "sea"} and one.text.endswith(".")
        assert not any(one.text[at : at + 26] in training for at in range(len(one.text) - 25))


def test_bits_are_those_of_the_model_before_temperature_and_cuts():
    texts = [START + "ab ba. ab ba. ab ba. ba ba. "]
    vocabulary = Characters.of(Counter("".join(texts)))
    table = Table(texts, vocabulary, 1)
    one = writer(texts, vocabulary=vocabulary, model=table, temperature=0.3, top_p=0.9, length=10).write(1)[0]
    tokens = vocabulary.encode(START + one.text).tolist()
    chances = [table.after((first,))[second].log().item() for first, second in itertools.pairwise(tokens)]
    assert one.bits_per_character == pytest.approx(-sum(chances) / math.log(2) / len(one.text), abs=1e-4)


def test_candidates_come_best_first_and_loops_cost():
    found = writer(candidates=5).write(1)
    assert len(found) == 5 and [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    vocabulary = Characters.of(Counter("".join(BOOK)))
    known = TrainingText(TextSplit.of(BOOK, vocabulary), vocabulary, 40)
    loop, varied = "The sea takes the salt. " * 10, " ".join(SENTENCES[:10])
    assert variety(["a", "b", "a", "b"]) == pytest.approx(2 / 3) and variety(["a"]) == 1
    assert score_text(loop, 1.0, known, 100) < score_text(varied, 1.5, known, 100)
    assert score_text(varied[:50], 1.5, known, 100) < score_text(varied[:100], 1.5, known, 100)


def test_where_nothing_can_be_written_it_says_what_to_change():
    texts = [START + "yes yes yes. yes yes. " * 9]
    with pytest.raises(UserError, match=r"lyrics\.avoid.*lyrics\.copy_limit"):
        writer(texts, avoid=["yes"]).write(1)


def test_a_text_that_can_go_no_further_ends_with_what_it_has():
    texts = [START + "one two three four five six. " * 3]
    found = writer(texts, order=3, copy_limit=14, length=500).write(1)
    assert all(one.text and set(words(one.text)) <= set(words(texts[0][1:])) for one in found)


def test_figures_stand_beside_those_of_held_out_text():
    prose_writer = writer(copy_limit=20)
    found = [prose_writer.write(number)[0] for number in (1, 2)]
    held_out = "The moon takes the stone. " * 100
    numbers = prose_metrics(found, "".join(BOOK), held_out, prose_writer.known)
    assert numbers["characters"] == sum(len(one.text) for one in found)
    assert numbers["longest_copy"] == len(numbers["copied"]) <= 20 and numbers["copied"] in "".join(BOOK)
    assert numbers["longest_copy_held_out"] == len(" takes the stone. The ")
    assert numbers["known_words"] == 1 and numbers["known_words_held_out"] == pytest.approx(0.8, abs=0.01)
    assert numbers["distinct_2"] > numbers["distinct_2_held_out"]
    assert f"{numbers['longest_copy']} characters" in prose_summary(numbers)
