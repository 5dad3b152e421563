"""The four latents of MuseGAN (Dong et al., arXiv 1709.06298, section 3.3): for the phrase, time, tracks and both.

The conditions of the phrase go with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gan.conditions import ConditionLayout, interpolate_conditions
from gan.ops.upload import upload


@dataclass(frozen=True)
class Latents:
    """Four independent unit Gaussians and conditions, the batch in front.

    Attributes
    ----------
    z
        `[batch, size]`: what the whole phrase shares, the same in each bar.
    z_time
        `[batch, size]`: how the phrase moves from bar to bar, shared by all tracks.
    z_track
        `[batch, tracks, size]`: each track's own part, the same in each bar.
    z_track_time
        `[batch, tracks, size]`: how each track moves from bar to bar.
    conditions
        `[batch, ConditionLayout.size]`, see `gan.conditions`; NaN for what is left to chance.
    """

    z: Tensor
    z_time: Tensor
    z_track: Tensor
    z_track_time: Tensor
    conditions: Tensor

    def __len__(self) -> int:
        """How many phrases these latents make."""
        return len(self.z)

    @classmethod
    def sample(cls, conditions: Tensor, tracks: int, size: int, generator: torch.Generator) -> Latents:
        """Fresh latents on the CPU, a row for each of the conditions; `generator` (a CPU one) decides on them alone."""
        batch = len(conditions)
        return cls(
            z=torch.randn(batch, size, generator=generator),
            z_time=torch.randn(batch, size, generator=generator),
            z_track=torch.randn(batch, tracks, size, generator=generator),
            z_track_time=torch.randn(batch, tracks, size, generator=generator),
            conditions=conditions,
        )

    def to(self, device: torch.device | str) -> Latents:
        """The same latents on another device."""
        return Latents(**{name: upload(value, device) for name, value in self.to_dict().items()})

    def __getitem__(self, index: slice | Tensor | list[int]) -> Latents:
        """Some of the phrases; the batch axis stays."""
        return Latents(**{name: value[index] for name, value in self.to_dict().items()})

    def to_dict(self) -> dict[str, Tensor]:
        """The tensors by name; `from_dict` reads them back."""
        return {name: getattr(self, name) for name in ("z", "z_time", "z_track", "z_track_time", "conditions")}

    @classmethod
    def from_dict(cls, values: dict[str, Tensor]) -> Latents:
        """The latents that `to_dict` gave. Raises `TypeError` when one is missing."""
        return cls(**values)

    def repeat(self, count: int) -> Latents:
        """A batch of `count` copies of one phrase's latents."""
        return Latents.cat([self] * count)

    @classmethod
    def cat(cls, parts: list[Latents]) -> Latents:
        """Several batches as one."""
        return cls(**{name: torch.cat([part.to_dict()[name] for part in parts]) for name in parts[0].to_dict()})

    def vary(self, amount: float, generator: torch.Generator) -> Latents:
        """The same phrase moving a little differently: `z_time` and `z_track_time` turn towards fresh noise.

        `amount` runs from 0 (nothing changes) to 1 (entirely new movement); in between, sine and cosine weights keep
        the numbers unit Gaussian, so the result is as likely as any other phrase.
        """
        if not 0 <= amount <= 1:
            raise ValueError(f"amount must be between 0 and 1, not {amount}")
        angle = amount * math.pi / 2
        keep, new = math.cos(angle), math.sin(angle)
        other = Latents.sample(self.conditions.cpu(), self.z_track.shape[1], self.z.shape[1], generator).to(
            self.z.device
        )
        return Latents(
            z=self.z,
            z_time=keep * self.z_time + new * other.z_time,
            z_track=self.z_track,
            z_track_time=keep * self.z_track_time + new * other.z_track_time,
            conditions=self.conditions,
        )

    def with_conditions(self, conditions: Tensor) -> Latents:
        """The same latents with other conditions `[batch, ConditionLayout.size]`; NaN leaves their own."""
        return replace(self, conditions=torch.where(conditions.isnan(), self.conditions, conditions))

    def interpolate(self, other: Latents, share: float, layout: ConditionLayout) -> Latents:
        """Spherical interpolation (slerp; White, arXiv 1609.04468): the phrase at `share` (0 to 1) of the way.

        `layout` is that of the conditions, which are interpolated in their own way (`gan.conditions`).
        """
        ends = other.to_dict()
        middle = {
            name: _slerp(value, ends[name], share) for name, value in self.to_dict().items() if name != "conditions"
        }
        conditions = interpolate_conditions(self.conditions, other.conditions, share, layout)
        return Latents(**middle, conditions=conditions)


def _slerp(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Spherical interpolation along the last axis, length included."""
    lengths = start.norm(dim=-1, keepdim=True), end.norm(dim=-1, keepdim=True)
    cosine = (start * end).sum(-1, keepdim=True) / (lengths[0] * lengths[1]).clamp(min=1e-8)
    angle = torch.acos(cosine.clamp(-0.9999, 0.9999))
    blend = torch.sin((1 - share) * angle) * start / lengths[0] + torch.sin(share * angle) * end / lengths[1]
    result: Tensor = blend / torch.sin(angle) * ((1 - share) * lengths[0] + share * lengths[1])
    return result
