"""The networks of a run, loaded once for all sessions of a studio."""

from __future__ import annotations

from pathlib import Path

from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.spec import RollSpec
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.songs.inpaint.window_inpainting import WindowInpainter
from pipeline.songs.song import Song
from pipeline.songs.trained_model import load_trained_model
from pipeline.studio.session.turns import TurnLock
from pipeline.studio.session.words import StudioWords

CANDIDATES = 16
"""Phrases sampled for the versions of a selection."""


class StudioModel:
    """What a studio makes music with; one for all of its sessions.

    Raises `UserError` where the checkpoint makes phrases unasked, or is of other music than the settings say.

    Attributes
    ----------
    config, checkpoint
        The settings of the run, and the file of the networks.
    inpainter
        The networks, and what is known of the data.
    performance
        How notes are played.
    styles
        Names of the data's styles.
    in_common_key
        Whether the networks know C major and A minor only.
    lock
        Held by whoever uses the networks, in turn.
    """

    def __init__(self, config: Config, checkpoint: Path) -> None:
        model = load_trained_model(config, checkpoint)
        if not isinstance(model.generator, Generator) or not isinstance(model.discriminator, Discriminator):
            raise UserError(
                f"the studio makes music around what is there, which model.design={config.model.design} can't: give "
                "the name= of a run of model=default."
            )
        self.config, self.checkpoint = config, checkpoint
        self.inpainter = WindowInpainter(model.generator, model.discriminator, model.statistics, CANDIDATES)
        self.performance, self.styles, self.in_common_key = model.performance, model.styles, model.in_common_key
        self.words = StudioWords(config)
        self.lock = TurnLock()

    @property
    def generator(self) -> Generator:
        """The generator."""
        return self.inpainter.generator

    @property
    def spec(self) -> RollSpec:
        """Of its phrases."""
        return self.inpainter.spec

    def check_song(self, song: Song) -> None:
        """Raise `UserError` for a song of other tracks or another grid."""
        mine, other = self.spec, song.spec
        grids = [(one.tracks, one.beats_per_bar, one.steps_per_beat, one.is_compound) for one in (mine, other)]
        if grids[0] != grids[1]:
            raise UserError(
                f"song {song.number} has the tracks {', '.join(other.names)} in {other.metre}, and this checkpoint "
                f"makes {', '.join(mine.names)} in {mine.metre}: make the album anew with +stage=generate."
            )
