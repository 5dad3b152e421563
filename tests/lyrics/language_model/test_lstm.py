"""The LSTM against itself."""

import torch

from pipeline.lyrics.language_model.training import build_model
from tests.lyrics.language_model.models import settings

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


def test_a_token_is_looked_up_alike_with_few_and_with_many_tokens_at_once():
    model = build_model(5, settings(dropout=0.5))
    tokens = torch.tensor([[3, 1, 4, 1, 0, 2, 2, 3]])
    together, after = model(tokens, model.initial_state(1))
    state, alone = model.initial_state(1), []
    for place in range(8):
        logits, state = model(tokens[:, place : place + 1], state)
        alone.append(logits)
    assert torch.allclose(together, torch.cat(alone, 1), atol=1e-5)
    assert torch.allclose(after[1][0], state[1][0], atol=1e-5)
