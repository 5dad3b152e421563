"""A trained model as the beginning of another one, and the one that is shipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.config import compose
from pipeline.errors import UserError
from pipeline.lyrics.corpus.encoded_texts import EncodedTexts
from pipeline.lyrics.corpus.vocabulary import Characters
from pipeline.lyrics.language_model.evaluation import bits_per_character
from pipeline.lyrics.language_model.pretrained import (
    load_pretrained,
    pretrained_hash,
    pretrained_vocabulary,
    pretrained_weights,
)
from pipeline.lyrics.language_model.pretraining import without_training_state
from pipeline.lyrics.language_model.training import FINE_TUNING_SHARE, LanguageModelTrainer
from pipeline.settings.lyrics import LyricsSettings

torch.set_num_threads(1)
LINES = ["the sea is wide\n", "the stone is cold\n", "the light is low\n", "the door is old\n"]
SMALL = ("lyrics.model.hidden_size=16", "lyrics.model.steps=60", "lyrics.model.learning_rate=0.02")
PLAIN = compose(*SMALL).lyrics


def asked(init: Path | None = None, kind: str = "song", **model: Any) -> LyricsSettings:
    return replace(PLAIN, init=None if init is None else str(init), kind=kind, model=replace(PLAIN.model, **model))


@pytest.fixture(scope="module")
def trainer() -> LanguageModelTrainer:
    documents = ["\x02" + first + second for first in LINES for second in LINES]
    made = LanguageModelTrainer(EncodedTexts.of(documents[2:], documents[:1], documents[1:2]), asked().model)
    for _ in made.run():
        pass
    return made


@pytest.fixture
def checkpoint(trainer: LanguageModelTrainer, tmp_path: Path) -> Path:
    (tmp_path / "mine" / "lyrics").mkdir(parents=True)
    torch.save(trainer.state_dict(), tmp_path / "mine" / "lyrics" / "model.pt")
    return tmp_path / "mine" / "lyrics" / "model.pt"


def complaint(init: Path, kind: str = "song", **model: Any) -> str:
    with pytest.raises(UserError) as caught:
        load_pretrained(asked(init, kind, **model))
    return str(caught.value)


def test_a_model_is_found_by_its_file_its_folder_and_its_run(checkpoint: Path) -> None:
    for place in (checkpoint, checkpoint.parent, checkpoint.parent.parent):
        saved = load_pretrained(asked(place))
        assert saved is not None and saved["kind"] == "song"
        assert pretrained_hash(str(place)) == pretrained_hash(str(checkpoint))
    assert load_pretrained(asked()) is None and pretrained_hash(None) == {}


def test_what_a_model_knows_is_kept_and_tokens_are_added(trainer: LanguageModelTrainer, checkpoint: Path) -> None:
    saved = load_pretrained(asked(checkpoint))
    known = pretrained_vocabulary(saved)
    assert isinstance(known, Characters) and saved is not None
    more = EncodedTexts.of(
        ["\x02the sea is wide"], ["\x02the door"], ["\x02" + LINES[0] + LINES[1]], Characters(known.symbols + "#%")
    )
    tuned = LanguageModelTrainer(more, asked().model, pretrained=saved)
    table = tuned.model.table
    assert torch.equal(table[:-2], trainer.best["table"])
    assert torch.allclose(table[-1], trainer.best["table"].mean(0)) and torch.equal(table[-1], table[-2])
    assert tuned.learning_rate < 0.02 * FINE_TUNING_SHARE / 49
    before = bits_per_character(LanguageModelTrainer(more, asked().model).model, more.test, more.vocabulary)
    assert bits_per_character(tuned.model, more.test, more.vocabulary) < before / 2
    tuned.load_state_dict(tuned.state_dict())
    with pytest.raises(ValueError, match="started from another"):
        LanguageModelTrainer(more, asked().model).load_state_dict(tuned.state_dict())
    with pytest.raises(ValueError, match="does not go on"):
        pretrained_weights(saved, Characters("xyz"))


def test_a_shipped_model_is_half_as_large_and_as_good(trainer: LanguageModelTrainer, tmp_path: Path) -> None:
    torch.save(without_training_state(trainer.state_dict()), tmp_path / "small.pt")
    saved = load_pretrained(asked(tmp_path / "small.pt"))
    assert saved is not None
    again = LanguageModelTrainer(trainer.texts, asked().model, pretrained=saved)
    bits = bits_per_character(again.model, trainer.texts.test, trainer.vocabulary)
    trainer.model.load_state_dict(trainer.best)
    whole = bits_per_character(trainer.model, trainer.texts.test, trainer.vocabulary)
    assert bits == pytest.approx(whole, abs=0.01) and again.model.table.dtype == torch.float32


def test_what_can_not_be_started_from_is_said(checkpoint: Path, tmp_path: Path) -> None:
    assert "there is no such model" in complaint(tmp_path / "nothing")
    (tmp_path / "broken.pt").write_bytes(checkpoint.read_bytes()[:2000])
    assert "damaged" in complaint(tmp_path / "broken.pt")
    torch.save({"format": 1, "weights": torch.ones(3)}, tmp_path / "other.pt")
    assert "no language model" in complaint(tmp_path / "other.pt")
    assert "give lyrics.model.hidden_size=16 with it" in complaint(checkpoint, hidden_size=32)
    for kind in ("book", "essay"):
        assert "reads lines backwards" in complaint(checkpoint, kind)
