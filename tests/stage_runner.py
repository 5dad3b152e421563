"""A stage built in this process, as the program would build it: an interpreter less to start."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.build import Builder
from pipeline.config import compose


def run_stage(folder: Path, stage: str, *words: str) -> None:
    """Build `stage` in `folder` with settings such as `data=folder`. Raises `UserError` where the program says one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Builder(compose(*words), tuple(word.partition("=")[0] for word in words)).build(stage)
