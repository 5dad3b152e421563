"""The bench of the language model: both contenders learn, read the same text, and are compared."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pipeline.bench import language
from pipeline.bench.language import PlainLSTM, main
from pipeline.lyrics.corpus.encoded_texts import TextSplit
from pipeline.lyrics.corpus.vocabulary import Characters
from pipeline.lyrics.language_model.evaluation import bits_per_character

torch.set_num_threads(1)


def test_the_plain_lstm_is_measured_like_ours() -> None:
    model, letters = PlainLSTM(4, 8), Characters("?abc")
    with torch.no_grad():
        model.linear.weight.zero_()
        model.linear.bias.copy_(torch.tensor([0.5, 0.25, 0.125, 0.125]).log())
    side = TextSplit.of(["aabc", "ax"], letters)
    assert bits_per_character(model, side, letters) == pytest.approx((2 + 3 + 3 + 1) / 4, abs=1e-5)


@pytest.mark.slow
def test_both_are_trained_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(language, "WARM_STEPS", 2)
    lines = [
        f"the {first} and the {second} are {third}" for first in "abcd" for second in "efgh" for third in "ijklmno"
    ]
    (tmp_path / "book.txt").write_text("\n".join(lines * 8))
    words = ["lyrics=book", f"lyrics.path={tmp_path / 'book.txt'}", "lyrics.model.hidden_size=16"]
    assert main(["--seconds", "0.5", *words]) == 0
    printed = capsys.readouterr().out
    for name in ("ours", "plain LSTM", "trigrams", "xz"):
        assert f"\n{name}" in printed
    assert main(["--seconds", "0"]) == 1 and "--seconds must be more than 0" in capsys.readouterr().err
