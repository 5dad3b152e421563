"""The settings of a model and of its training: plain values, each with the reason for its default.

This module imports no torch, so that a command line can read defaults and report a wrong value at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

LOSSES = ("relativistic", "wasserstein")
PRECISIONS = ("auto", "float32", "bfloat16")
NEURONS = ("deterministic", "stochastic")
REPORTS_PER_CHECKPOINT = 8


def _need(condition: bool, key: str, rule: str, value: object) -> None:
    """Raise a `ValueError` that names the key, the rule and the value."""
    if not condition:
        raise ValueError(f"{key} must be {rule}, not {value}")


@dataclass
class ModelSettings:
    """What all designs of generator and discriminator have in common; each has settings of its own beside.

    Attributes
    ----------
    design
        `albumgan` is ours. The others are there to be compared with: MuseGAN's `jamming`, `composer` and `hybrid`
        model, `binary` for BinaryMuseGAN, `tutorial` for the network of the author's notebook (`gan.musegan`).
    latent_size
        Numbers in each of the four latents; MuseGAN's 32 is plenty for phrases of four bars.
    """

    design: str = "albumgan"
    latent_size: int = 32

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ModelSettings:
        """The settings of the design that `values` name, with the design's own defaults.

        Raises `ValueError` when there is no such design, or when a setting does nothing with it.
        """
        design = values.get("design", cls.design)
        _need(design in DESIGNS, "model.design", f"one of {', '.join(DESIGNS)}", design)
        kind = DESIGNS[design]
        for key in values.keys() - {field.name for field in fields(kind)}:
            raise ValueError(f"model.{key} does nothing with model.design={design}")
        return kind(**{"design": design, **values})

    def check(self) -> None:
        """Raise `ValueError` with the key in the sentence when a value cannot work."""
        _need(self.latent_size >= 1, "model.latent_size", "at least 1", self.latent_size)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint; `of` reads them back."""
        return asdict(self)


@dataclass
class AlbumGANSettings(ModelSettings):
    """The sizes of `albumgan`, the default design.

    Attributes
    ----------
    trunk_width
        Channels of the generator's shared part, which decides on harmony and rhythm for all tracks.
    trunk_blocks
        Residual blocks of the shared part; they look 1, 2, 4 ... beats to either side in turn.
    track_width
        Channels of each track's private part.
    context_width
        Channels into which the generator encodes the notes that are given.
    step_width
        Channels of the discriminator over steps.
    beat_width
        Channels of the discriminator over beats.
    bar_width
        Channels of the discriminator over bars and the phrase.
    decoder_width
        Channels of the decoder, which decides notes one after another.
    voices
        Most notes that a polyphonic track strikes at once.
    dropout
        Share of the decoder's channels that are dropped in training, the same over a phrase.
    rhythm_temperature, pitch_temperature
        Of the decisions when phrases are sampled, when something begins and which note: 1 as learnt, 0 for what is most
        likely. Pitches a little nearer to the likely ones are more like the data's.
    """

    trunk_width: int = 128
    trunk_blocks: int = 3
    track_width: int = 48
    context_width: int = 64
    step_width: int = 64
    beat_width: int = 160
    bar_width: int = 160
    decoder_width: int = 128
    voices: int = 6
    dropout: float = 0.1
    rhythm_temperature: float = 1.0
    pitch_temperature: float = 0.8

    def check(self) -> None:
        """Raise `ValueError` with the key in the sentence when a value cannot work."""
        super().check()
        sizes = "trunk_width trunk_blocks track_width context_width step_width beat_width bar_width decoder_width"
        for key in sizes.split():
            _need(getattr(self, key) >= 1, f"model.{key}", "at least 1", getattr(self, key))
        _need(1 <= self.voices <= 10, "model.voices", "1 to 10", self.voices)
        _need(0 <= self.dropout < 1, "model.dropout", "at least 0 and below 1", self.dropout)
        for key in ("rhythm_temperature", "pitch_temperature"):
            _need(0 < getattr(self, key) <= 2, f"model.{key}", "above 0 and at most 2", getattr(self, key))


@dataclass
class MuseGANSettings(ModelSettings):
    """The sizes of MuseGAN's designs `jamming`, `composer`, `hybrid` and `tutorial`.

    Attributes
    ----------
    filters
        Of the narrowest layer; all others have multiples of it. Published: 64 (`jamming`, `composer`, `hybrid`), 32
        (`binary`), 16 (`tutorial`).
    """

    design: str = "hybrid"
    filters: int = 64

    def check(self) -> None:
        """Raise `ValueError` with the key in the sentence when a value cannot work."""
        super().check()
        _need(self.filters >= 1, "model.filters", "at least 1", self.filters)


@dataclass
class BinaryMuseGANSettings(MuseGANSettings):
    """The sizes of `binary`, BinaryMuseGAN.

    Attributes
    ----------
    neurons
        Last layer: `deterministic` or `stochastic`.
    pretrain_steps
        Generator steps after which the generator is left as it is and its refiner learns.
    """

    design: str = "binary"
    neurons: str = "deterministic"
    pretrain_steps: int = 2000

    def check(self) -> None:
        """Raise `ValueError` with the key in the sentence when a value cannot work."""
        super().check()
        _need(self.neurons in NEURONS, "model.neurons", f"one of {', '.join(NEURONS)}", self.neurons)
        _need(self.pretrain_steps >= 0, "model.pretrain_steps", "at least 0", self.pretrain_steps)


DESIGNS: dict[str, type[ModelSettings]] = {
    "albumgan": AlbumGANSettings,
    "jamming": MuseGANSettings,
    "composer": MuseGANSettings,
    "hybrid": MuseGANSettings,
    "binary": BinaryMuseGANSettings,
    "tutorial": MuseGANSettings,
}
"""The settings of each design that `model.design` may name."""


@dataclass
class TrainSettings:
    """How long and how fast to train.

    Attributes
    ----------
    steps
        Steps in all. This is what counts: the same number and seed give the same weights. With 0 the networks that
        training begins with stay as they are.
    minutes
        Upper bound of training time, for machines slower than expected; time before a resume counts.
    batch_size
        Phrases that are learnt from at once, real and generated each. Many small batches teach more in a minute.
    batches_per_step
        Batches that a step learns from one after another, once phrases have been sampled for all of them together.
    discriminator_steps
        Steps of the discriminator for one of the generator, each with a batch of its own.
    loss
        `relativistic`: pairs, R1 and R2 penalties (R3GAN). `wasserstein`: WGAN-GP, as MuseGAN has it.
    learning_rate
        Of the discriminator, and of both sides of MuseGAN's designs; `generator_speed` times that is the generator's.
    decay_share
        The learning rate falls linearly to zero over this last share of the steps, which settles the samples. More
        `steps` than a finished run had lift it again, to where a run of so many steps would have it.
    beta1
        Adam's momentum, 0 as in R3GAN: the other side moves.
    beta2
        Adam's decay of squared gradients.
    gamma
        Weight of the R1 and R2 penalties, as if they were computed at every step; with 5 the discriminator could not
        tell the phrases of a generator that learns by likelihood at all. With `loss=wasserstein` the weight of the
        gradient penalty on interpolates.
    penalty_steps
        The penalties are computed every so many steps and weigh as many times more (lazy regularisation, Karras et al.
        2020): they cost as much as a step. With 1 they are computed at each.
    ema_decay
        Decay a step of the averaged generator that samples are drawn from; with 0 it is the generator itself.
    pretrain_share
        Over this first share of the steps the generator learns real phrases alone (teacher forcing), before there is an
        adversary.
    patience
        The generator stops to learn real phrases alone once the likelihood of validation songs has not risen for so
        many reports, and goes on with the weights that they were likeliest with; 0 never looks at them.
    policy_weight
        Weight of the discriminator's policy gradient, beside the likelihood of real phrases, from then on; with 0 the
        generator stays as it is while the discriminator learns to tell its phrases.
    generator_speed
        Learning rate of the generator beside `learning_rate`.
    weight_decay
        Of the generator (AdamW).
    style_balance
        Oversamples styles of few phrases: 0 takes all phrases equally often, 1 all styles, .5 lies between them.
    max_transposition
        Pitched tracks of real phrases are moved together by up to so many semitones, and their key with them; 0 for
        data that is already in one key.
    precision
        Of the networks' matrix products: `float32`, `bfloat16`, or `auto`, which is `bfloat16` on a GPU that has it.
        Decisions, losses and penalties are float32 in any case.
    compile
        Whether `torch.compile` makes the networks faster; needs a compiler, and a minute or two at the start.
    report_steps
        How often figures are due; samples for a picture, and a state worth saving, are due with every eighth of them.
    """

    steps: int = 340
    minutes: float = 16.0
    batch_size: int = 16
    batches_per_step: int = 8
    discriminator_steps: int = 1
    loss: str = "relativistic"
    learning_rate: float = 1e-3
    decay_share: float = 0.6
    beta1: float = 0.0
    beta2: float = 0.99
    gamma: float = 0.1
    penalty_steps: int = 4
    ema_decay: float = 0.995
    pretrain_share: float = 0.5
    patience: int = 0
    policy_weight: float = 0.0
    generator_speed: float = 3.0
    weight_decay: float = 0.02
    style_balance: float = 0.0
    max_transposition: int = 0
    precision: str = "auto"
    compile: bool = False
    report_steps: int = 4

    def check(self) -> None:
        """Raise `ValueError` with the key in the sentence when a value cannot work."""
        _need(self.batch_size >= 2, "train.batch_size", "at least 2", self.batch_size)
        _need(self.loss in LOSSES, "train.loss", f"one of {', '.join(LOSSES)}", self.loss)
        _need(self.precision in PRECISIONS, "train.precision", f"one of {', '.join(PRECISIONS)}", self.precision)
        _need(self.steps >= 0, "train.steps", "at least 0", self.steps)
        for key in (
            "batches_per_step",
            "discriminator_steps",
            "penalty_steps",
            "report_steps",
        ):
            _need(getattr(self, key) >= 1, f"train.{key}", "at least 1", getattr(self, key))
        _need(self.patience >= 0, "train.patience", "at least 0", self.patience)
        for key in ("minutes", "learning_rate", "generator_speed"):
            _need(getattr(self, key) > 0, f"train.{key}", "above 0", getattr(self, key))
        for key in ("gamma", "policy_weight", "weight_decay"):
            _need(getattr(self, key) >= 0, f"train.{key}", "at least 0", getattr(self, key))
        for key in ("beta1", "beta2", "ema_decay"):
            _need(0 <= getattr(self, key) < 1, f"train.{key}", "at least 0 and below 1", getattr(self, key))
        _need(0 <= self.pretrain_share <= 1, "train.pretrain_share", "between 0 and 1", self.pretrain_share)
        _need(0 <= self.decay_share <= 1, "train.decay_share", "between 0 and 1", self.decay_share)
        _need(0 <= self.style_balance <= 1, "train.style_balance", "between 0 and 1", self.style_balance)
        _need(0 <= self.max_transposition <= 6, "train.max_transposition", "0 to 6", self.max_transposition)

    @property
    def phrases_per_step(self) -> int:
        """Real phrases that one step of training takes."""
        return self.batch_size * self.batches_per_step * self.discriminator_steps

    @property
    def pretrain_steps(self) -> int:
        """Steps before there is an adversary."""
        return round(self.pretrain_share * self.steps)

    @property
    def checkpoint_steps(self) -> int:
        """How often samples for a picture, and a state worth saving, are due."""
        return REPORTS_PER_CHECKPOINT * self.report_steps

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return asdict(self)


WITHOUT_EFFECT = {
    "batches_per_step": 1,
    "pretrain_share": 0,
    "patience": 0,
    "policy_weight": 0,
    "generator_speed": 1,
    "weight_decay": 0,
    "max_transposition": 0,
}
"""What other designs than `albumgan` do not have, and the value that says so."""


def check_together(model: ModelSettings, train: TrainSettings) -> None:
    """Raise `ValueError` when a setting cannot work, alone or with the others, or does nothing."""
    model.check()
    train.check()
    if model.design != "albumgan":
        for key, nothing in WITHOUT_EFFECT.items():
            if getattr(train, key) != nothing:
                raise ValueError(
                    f"train.{key} does nothing with model.design={model.design}, set it to {nothing}; "
                    "train=musegan holds what MuseGAN was trained with"
                )
    elif train.loss != "relativistic":
        raise ValueError(f"train.loss={train.loss} needs gradients through notes, which model.design=albumgan has not")
    elif train.discriminator_steps != 1:
        raise ValueError(
            "train.discriminator_steps must be 1 with model.design=albumgan, whose networks learn together"
        )
