"""LSTM language model: predicts the next token, a character or a piece of a word.

Sources: the cell is Hochreiter and Schmidhuber 1997, as torch computes it; the table of token vectors serves as
output layer too (Press and Wolf 2017, arXiv 1608.05859); what goes into a layer after the first is added to what
comes out of it (He et al. 2016, arXiv 1512.03385); recurrent weights start orthogonal (Saxe et al. 2014, arXiv
1312.6120); one dropout mask for a whole stretch of text (Gal and Ghahramani 2016, arXiv 1512.05287) and dropped
recurrent weights (Merity et al. 2017, AWD-LSTM, arXiv 1708.02182).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = list[tuple[Tensor, Tensor]]
"""Hidden and cell state a layer, each `[1, batch, hidden]`."""


class LanguageModel(nn.Module):
    """LSTM language model with tied input and output embeddings.

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

        def weights(*shape: int) -> nn.Parameter:
            return nn.Parameter((torch.rand(*shape, generator=draws) * 2 - 1) * bound)

        def rotations() -> nn.Parameter:
            squares = torch.randn(4, hidden_size, hidden_size, generator=draws)
            return nn.Parameter(torch.linalg.qr(squares)[0].flatten(0, 1).contiguous())

        # vectors of length 16 rather than 1 learn the frequent tokens in a fraction of the steps
        self.table = nn.Parameter(torch.randn(num_tokens, hidden_size, generator=draws))
        self.bias = nn.Parameter(torch.zeros(num_tokens))
        self.input_weights = nn.ParameterList(weights(4 * hidden_size, hidden_size) for _ in range(num_layers))
        self.hidden_weights = nn.ParameterList(rotations() for _ in range(num_layers))
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
        table = self._drop(self.table, draws)
        features, first = self._looked_up(tokens, table)
        after: State = []
        for layer, (hidden, cell) in enumerate(state):
            recurrent = self.hidden_weights[layer]
            if draws is not None and self.weight_drop:
                recurrent = recurrent * self._mask(recurrent.shape, self.weight_drop, draws)
            bias = self.biases[layer]
            weights = [self.input_weights[layer] if layer else first, recurrent, bias, torch.zeros_like(bias)]
            found, hidden, cell = torch.lstm(
                features, (hidden, cell), weights, True, 1, 0.0, draws is not None, False, True
            )
            found = self._drop(found, draws)
            features = features + found if layer else found
            after.append((hidden, cell))
        return features @ self.table.T + self.bias, after

    def _looked_up(self, tokens: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
        """What the first layer reads, `[batch, time, inputs]`, and its input weights, `[4 hidden, inputs]`.

        Where there are fewer different tokens than features, their gates are worked out once for all places: a token
        is then a row with a single one. For characters that saves a fourth of the operations.
        """
        if len(table) < min(self.hidden_size, tokens.numel()):
            return F.one_hot(tokens, len(table)).to(table.dtype), self.input_weights[0] @ table.T
        return table[tokens], self.input_weights[0]

    def _drop(self, features: Tensor, draws: torch.Generator | None) -> Tensor:
        """Drop the same features at all times, `[batch, time, hidden]`, or of all tokens, `[tokens, hidden]`."""
        if draws is None or not self.dropout:
            return features
        shape = (*features.shape[:-2], 1, features.shape[-1])
        return features * self._mask(torch.Size(shape), self.dropout, draws)

    def _mask(self, shape: torch.Size, share: float, draws: torch.Generator) -> Tensor:
        kept = torch.rand(shape, generator=draws) >= share
        return (kept / (1 - share)).to(self.bias.device)


def detached(state: State) -> State:
    """The state without its history."""
    return [(hidden.detach(), cell.detach()) for hidden, cell in state]
