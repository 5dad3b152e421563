"""Torch devices, threads and tensor files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.files import megabytes
from pipeline.parallel import local_rank, num_processes
from pipeline.progress import say

RESIDENT_SHARE = 0.5
"""Phrases live on a GPU when they take at most this share of its free memory."""

PARTS = {"trainer", "chosen", "reference", "spec", "settings", "music", "plans"}
"""What a checkpoint of the train stage has at least."""


def choose_device(config: Config) -> str:
    """The device that the settings name, `auto` resolved. Raises `UserError` where there is no such device."""
    if config.device in ("auto", "cuda") and torch.cuda.is_available():
        if num_processes() == 1:
            return "cuda"
        if local_rank() >= torch.cuda.device_count():
            raise UserError(
                f"there are more processes here than GPUs ({torch.cuda.device_count()}); start one for each, or give "
                "device=cpu."
            )
        return f"cuda:{local_rank()}"
    if config.device == "auto":
        return "cpu"
    if num_processes() > 1 and ":" in config.device:
        raise UserError(f"device={config.device} is one device for {num_processes()} processes; give device=cuda.")
    try:
        torch.empty(0, device=config.device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(f"device={config.device} is not to be had here; device=auto takes what is there.") from error
    return config.device


def prepare_torch(config: Config) -> None:
    """Set threads; flush subnormal numbers to zero, which otherwise slow training down."""
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)


def resident(packed: Tensor, device: torch.device) -> Tensor:
    """All phrases, packed, on the device itself if it has room for them; said in a sentence."""
    if device.type != "cuda":
        return packed
    free = torch.cuda.mem_get_info(device)[0]
    size = packed.numel() * packed.element_size()
    if size > RESIDENT_SHARE * free:
        say(f"The phrases ({megabytes(size)}) stay in main memory: {device} has {megabytes(free)} free.")
        return packed
    say(f"The phrases ({megabytes(size)}) are kept on {device}, which has {megabytes(free)} free.")
    return packed.to(device)


def load_tensors(path: Path) -> Any:
    """What `torch.save` wrote, onto the CPU; a missing or damaged file raises `UserError` that names it."""
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing; run the stage that writes it again with force=true.") from error
    except (RuntimeError, EOFError, ValueError, KeyError, OSError, pickle.UnpicklingError) as error:
        raise UserError(
            f"{path} is damaged or no checkpoint; give force=true to make it again, or another name=."
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint of the train stage.

    `trainer` is its state, `chosen` the averaged weights to generate with (`average`, `step`, `overlap`); `reference`
    (figures of real phrases), `spec`, `settings` and `music` (statistics of the prepared set) are plain values.
    """
    state = load_tensors(path)
    if not isinstance(state, dict) or not set(state) >= PARTS:
        raise UserError(f"{path} is no checkpoint of the train stage; give another name=, or force=true to replace it.")
    return state
