"""Seeds of random streams of a song: one number a purpose, mixed into the seed by `gan.seeds.mix_seed`."""

from __future__ import annotations

from enum import IntEnum


class SongRandomStream(IntEnum):
    """Purposes, mixed into the seed of a song; the numbers are part of what a seed means and never change."""

    COMPOSITION = 1
    """What a song shares; with the number of a section, its phrases."""
    REMAKING = 2
    """A section that was sent back (with its number and count), or the music around notes that are given."""
    PERFORMANCE = 3
    """Velocities and timing, with the number of a section."""
    EXPLORATION = 4
    """Exploring, behind a number of `ExplorationStream` or alone for the phrase of a seed."""


class ExplorationStream(IntEnum):
    """Purposes of exploring, mixed into its seed in front of `SongRandomStream.EXPLORATION`."""

    VARIATION = 1
    ANY_PHRASE = 3
    TEMPO = 6
