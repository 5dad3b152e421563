"""Encoded documents come back as they were."""

import numpy as np
import torch

from pipeline.lyrics.corpus.encoded_texts import EncodedTexts, TextSplit, TokenStreams

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


def test_streams_hold_the_documents_in_another_order():
    side = TextSplit(np.repeat(np.arange(8, dtype=np.uint16), 6), np.arange(6, 49, 6))
    first, second = (TokenStreams(side, 3, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert first.length == 16
    whole = first.stretch(0, 16)
    assert whole.flatten().bincount().tolist() == [6] * 8
    assert torch.equal(whole, torch.cat([first.stretch(0, 7), first.stretch(7, 40)], dim=1))
    assert not torch.equal(whole, second.stretch(0, 16))


def test_much_text_is_read_evenly():
    texts = EncodedTexts.of([f"{number:09d}\n" for number in range(1000)], ["1"], ["2"])
    assert len(list(texts.read(texts.training, 10_000))) == 1000
    few = [int(text) for text in texts.read(texts.training, 1000)]
    assert few == list(range(0, 1000, 10))
