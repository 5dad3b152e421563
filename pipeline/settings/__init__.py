"""The settings of every stage: dataclasses with their defaults, read from conf/ and the command line."""

from typing import Any

PROGRAM_SEED: Any = "${seed}"
"""In place of a seed of its own: follow the program's `seed` (resolved by OmegaConf)."""
