"""An LSTM that predicts the next token: a character or a piece of a word.

Sources: the cell is Hochreiter and Schmidhuber 1997, as torch computes it; the table of token vectors serves as
output layer too (Press and Wolf 2017, arXiv 1608.05859); one dropout mask for a whole stretch of text (Gal and
Ghahramani 2016, arXiv 1512.05287) and dropped recurrent weights (Merity et al. 2017, AWD-LSTM, arXiv 1708.02182).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

State = list[tuple[Tensor, Tensor]]
"""Hidden and cell state a layer, each `[1, batch, hidden]`."""


class LanguageModel(nn.Module):
    """Token vectors, LSTM layers, and the same vectors again to score the next token.

    Parameters
    ----------
    num_tokens
        Size of the vocabulary.
    hidden_size, num_layers
        Width and depth.
    dropout
        Share of features dropped before, between and after the layers.
    weight_drop
        Share of recurrent weights dropped.
    draws
        Decides on the first weights.
    """

    def __init__(
        self,
        num_tokens: int,
        hidden_size: int,
        num_layers: int,
        dropout: float,
        weight_drop: float,
        draws: torch.Generator,
    ) -> None:
        super().__init__()
        self.hidden_size, self.dropout, self.weight_drop = hidden_size, dropout, weight_drop
        bound = hidden_size**-0.5

        def weights(*shape: int, scale: float = bound) -> nn.Parameter:
            return nn.Parameter((torch.rand(*shape, generator=draws) * 2 - 1) * scale)

        self.table = weights(num_tokens, hidden_size, scale=0.1)
        self.bias = nn.Parameter(torch.zeros(num_tokens))
        self.input_weights = nn.ParameterList(weights(4 * hidden_size, hidden_size) for _ in range(num_layers))
        self.hidden_weights = nn.ParameterList(weights(4 * hidden_size, hidden_size) for _ in range(num_layers))
        self.biases = nn.ParameterList(weights(4 * hidden_size) for _ in range(num_layers))

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` texts."""
        shape = (1, batch, self.hidden_size)
        return [(self.bias.new_zeros(shape), self.bias.new_zeros(shape)) for _ in self.biases]

    def forward(self, tokens: Tensor, state: State, draws: torch.Generator | None = None) -> tuple[Tensor, State]:
        """Scores of the next token after each one.

        Parameters
        ----------
        tokens
            Indices `[batch, time]`.
        state
            From `initial_state` or the call before.
        draws
            Where dropout takes its chances from, on the CPU; None drops nothing.

        Returns
        -------
        tuple
            Logits `[batch, time, tokens]` and the state after the last token.
        """
        features = self._drop(self.table[tokens], draws)
        after: State = []
        for layer, (hidden, cell) in enumerate(state):
            recurrent = self.hidden_weights[layer]
            if draws is not None and self.weight_drop:
                recurrent = recurrent * self._mask(recurrent.shape, self.weight_drop, draws)
            bias = self.biases[layer]
            weights = [self.input_weights[layer], recurrent, bias, torch.zeros_like(bias)]
            features, hidden, cell = torch.lstm(
                features, (hidden, cell), weights, True, 1, 0.0, draws is not None, False, True
            )
            features = self._drop(features, draws)
            after.append((hidden, cell))
        return features @ self.table.T + self.bias, after

    def _drop(self, features: Tensor, draws: torch.Generator | None) -> Tensor:
        """Drop the same features at all times of a text: `[batch, time, hidden]`."""
        if draws is None or not self.dropout:
            return features
        return features * self._mask(torch.Size((features.shape[0], 1, features.shape[2])), self.dropout, draws)

    def _mask(self, shape: torch.Size, share: float, draws: torch.Generator) -> Tensor:
        kept = torch.rand(shape, generator=draws) >= share
        return (kept / (1 - share)).to(self.bias.device)


def detached(state: State) -> State:
    """The state without its history."""
    return [(hidden.detach(), cell.detach()) for hidden, cell in state]
