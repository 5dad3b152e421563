"""Copies from the host to the device that do not wait for what the device is doing."""

from __future__ import annotations

import torch
from torch import Tensor


def upload(x: Tensor, device: torch.device | str) -> Tensor:
    """Asynchronous host-to-device copy: `x` of the CPU, or of the device itself, on the device.

    An ordinary `x.to(device)` first waits until a GPU has done all that it was given (a stream synchronisation), and
    meanwhile no new work is prepared for it. Towards the CPU one has to wait: there the copy is an ordinary one.
    """
    return x.to(device, non_blocking=torch.device(device).type != "cpu")
