"""A trained language model to fine-tune: `lyrics.init=CHECKPOINT`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.devices import load_tensors
from pipeline.errors import UserError
from pipeline.files import file_hash
from pipeline.lyrics.corpus.vocabulary import Characters, Subwords, Vocabulary, vocabulary_from
from pipeline.settings.lyrics import LyricsSettings

SHIPPED = {"verse": Path(__file__).with_name("verse.pt")}
"""Models that come with the program, by the word that names them in `lyrics.init`."""
SIZES = ("tokens", "hidden_size", "num_layers")
"""Settings that decide on the shapes of the weights."""


def pretrained_file(init: str) -> Path:
    """The file that `lyrics.init` names: a shipped model, a checkpoint, or the one in a run's folder.

    Raises
    ------
    UserError
        When there is no such file.
    """
    if init in SHIPPED:
        return SHIPPED[init]
    place = Path(init).expanduser()
    found = [place] if place.is_file() else [place / "model.pt", place / "lyrics" / "model.pt"]
    for file in found:
        if file.is_file():
            return file
    raise UserError(
        f"lyrics.init={init}: there is no such model; give a model.pt that the stage lyrics has made, its folder "
        f"(outputs/NAME/lyrics), or {' or '.join(SHIPPED)}."
    )


def pretrained_hash(init: str | None) -> dict[str, str]:
    """What the file of `lyrics.init` adds to the fingerprint of the inputs; nothing without one."""
    return {} if init is None else {"init": file_hash(pretrained_file(init))}


def load_pretrained(settings: LyricsSettings) -> dict[str, Any] | None:
    """What the file of `lyrics.init` holds; None where none is asked for.

    Raises
    ------
    UserError
        When it is missing, damaged or no language model, or does not fit `settings`.
    """
    if settings.init is None:
        return None
    file = pretrained_file(settings.init)
    said = f"lyrics.init={settings.init}"
    try:
        saved = load_tensors(file)
    except UserError as error:
        raise UserError(f"{said}: {file} is damaged or no checkpoint.") from error
    if not isinstance(saved, dict) or not {"kind", "vocabulary", "settings", "best"} <= set(saved):
        raise UserError(f"{said}: {file} is no language model; give a model.pt of the stage lyrics.")
    if (saved["kind"] == "song") != (settings.kind == "song"):
        reads = "lines backwards" if saved["kind"] == "song" else "text forwards"
        raise UserError(
            f"{said} was trained with lyrics={saved['kind']} and reads {reads}, so lyrics={settings.kind} can't start "
            "from it; give another model."
        )
    sizes = {name: saved["settings"][name] for name in SIZES}
    if other := [
        f"lyrics.model.{name}={size}" for name, size in sizes.items() if size != getattr(settings.model, name)
    ]:
        raise UserError(f"{said} has other sizes than asked for; give {' '.join(other)} with it, or lyrics.init=null.")
    return saved


def pretrained_vocabulary(saved: Mapping[str, Any] | None) -> Characters | Subwords | None:
    """The vocabulary that the model of `load_pretrained` knows."""
    return None if saved is None else vocabulary_from(saved["vocabulary"])


def pretrained_weights(saved: Mapping[str, Any], vocabulary: Vocabulary) -> dict[str, Tensor]:
    """The weights to begin with, float32; tokens that `saved` does not know start as the mean of those it does.

    Raises
    ------
    ValueError
        When `vocabulary` does not begin with the one of `saved`.
    """
    known = vocabulary_from(saved["vocabulary"])
    if not _goes_on(vocabulary.state(), known.state()):
        raise ValueError("the vocabulary does not go on from the one that the model knows")
    weights = {name: tensor.float() for name, tensor in saved["best"]["model"].items()}
    num_added = len(vocabulary) - len(known)
    for name in ("table", "bias"):
        mean = weights[name].mean(0, keepdim=True)
        weights[name] = torch.cat([weights[name], mean.expand(num_added, *mean.shape[1:])])
    return weights


def weights_hash(saved: Mapping[str, Any]) -> str:
    """Hash of the weights that `pretrained_weights` begins with."""
    weights = saved["best"]["model"]
    return hashlib.sha256(b"".join(weights[name].numpy().tobytes() for name in sorted(weights))).hexdigest()


def _goes_on(state: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether a vocabulary has all tokens of `known` in their places."""
    if "symbols" in state and "symbols" in known:
        return str(state["symbols"]).startswith(known["symbols"])
    return "pieces" in state and "pieces" in known and torch.equal(state["pieces"], known["pieces"])
