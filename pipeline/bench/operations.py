"""Operations that tensors take, counted while they are computed."""

from __future__ import annotations

from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

FORMULA = (
    "operations of a cycle = sum over matrix products [m, k] x [k, n] of 2 m k n (times the batch, for batched ones) + "
    "sum over convolutions of 2 x outputs x kernel elements x input channels / groups, each as it is executed, forward "
    "and backward, in the shortest run of steps after which the kinds of steps repeat (all discriminator steps, the "
    "generator step, and the penalties' second derivatives in the steps that have them); everything else (activations, "
    "normalisation, sampling, optimiser, copies) counts as nothing. gigaoperations_per_phrase = operations of a cycle "
    "/ its real phrases / 1e9; gflops = gigaoperations_per_phrase x phrases_per_second; peak_share = gflops / "
    "peak_gflops, the median over the rounds of the fastest product of two square float32 matrices (2 n^3 operations) "
    "with the same number of threads. cpu_peak_share has the processor's time in place of the clock's, so that other "
    "programs on a busy machine do not lower it."
)
"""What is counted, in words."""


class OperationCounter(TorchDispatchMode):
    """While this context is open, `operations` grows by 2 for each multiplication and addition of a matrix product.

    Sees what is executed, so also the products inside backward passes and derivatives of derivatives.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Compute as ever, and add what it takes by torch's own formulas."""
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.operations += formula(*args, **(kwargs or {}), out_val=out)
        return out
