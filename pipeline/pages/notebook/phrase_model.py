"""A trained generator to make single phrases with, as the cells of its notebook do.

    model = PhraseModel("mine")
    phrase = model.phrase(seed=1, chords="Am F C G")
    picture, sound = model.write(phrase, Path("phrases"))

The same seed and requests give the same phrase.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gan.conditions import KEY, ConditionLayout
from gan.latents import Latents
from gan.networks.generator import Generator
from pipeline.audio.files import Tags, write_compressed
from pipeline.audio.synthesizers import soundfont_path
from pipeline.config import compose_run
from pipeline.devices import prepare_torch
from pipeline.drawing.piano_rolls import draw_song
from pipeline.rendering.mix import mix_song
from pipeline.rendering.phrase_audio import ARTIST
from pipeline.scores.chords.symbols import transpose_rows
from pipeline.scores.keys import Key, key_name
from pipeline.scores.notes import Planes, cut_overlaps, notes_from_roll, roll_from_notes
from pipeline.settings.generate import GenerateSettings
from pipeline.settings.song_requests import run_directory
from pipeline.songs.chord_requests import read_chords, requested_key
from pipeline.songs.humanizing import draw_performer, humanize
from pipeline.songs.key_and_tempo import draw_tempo, transpose_into_range
from pipeline.songs.plan import request_chords
from pipeline.songs.request import read_request, refuse_request
from pipeline.songs.song import Song
from pipeline.songs.trained_model import load_trained_model


class PhraseModel:
    """The generator of a trained run, with the settings that it was trained with.

    Parameters
    ----------
    name
        The run: `outputs/NAME/train` holds its checkpoint.

    Raises
    ------
    UserError
        When there is no such checkpoint, or it is damaged.
    """

    def __init__(self, name: str) -> None:
        self.config = compose_run(name, "train")
        prepare_torch(self.config)
        self.trained = load_trained_model(self.config, run_directory("train", name) / "checkpoint.pt")
        self.spec = self.trained.spec

    def phrase(self, seed: int = 1, **requests: Any) -> Song:
        """A phrase of a seed, as a song of one section.

        Parameters
        ----------
        seed
            All its chance follows from it.
        requests
            Settings of `generate`, such as `chords="Am F C G"`, `key="E minor"`, `density={"Drums": 8}`,
            `tempo_bpm=90`, `temperature=0.7`, `condition_strength=0`, `style="folk"`.

        Raises
        ------
        UserError
            A request makes no sense, or the model takes none.
        TypeError
            There is no such setting.
        """
        settings = GenerateSettings(seed=seed, **requests)
        latents, planes = self._sample(settings)
        key = requested_key(settings) or _key_of(latents)
        tempo = settings.tempo_bpm or draw_tempo(
            self.config.data.tempo_bpm, self.trained.music["tempo_bpm"], np.random.default_rng(seed)
        )
        shift = key.shift_to_common if self.trained.in_common_key else 0
        notes = cut_overlaps(transpose_into_range(notes_from_roll(planes, self.spec.lowest_pitch), -shift, self.spec))
        song = Song.of_phrases(
            roll_from_notes(notes, self.spec, self.spec.bars)[None], self.spec, self.config.tracks, tempo
        )
        player = draw_performer(self.trained.performance, song.notes, self.spec, tempo, seed, settings.style)
        velocities, timing = humanize(
            song.notes, self.spec, song.sections, self.trained.performance, player, settings.humanize, seed
        )
        return replace(song, seed=seed, key=key_name(key), velocities=velocities, timing_ticks=timing)

    def _sample(self, settings: GenerateSettings) -> tuple[Latents, Planes]:
        """Latents `[1]` and the phrase `[*spec.shape]` that they make."""
        generator, random = self.trained.generator, torch.Generator().manual_seed(settings.seed)
        if not isinstance(generator, Generator):
            refuse_request(settings, self.config.model.design)
            latents = generator.sample_latents(1, random)
            return latents, generator.sample(latents)[0].cpu().numpy()
        trained, layout = self.trained, ConditionLayout.of(self.spec)
        config = replace(self.config, generate=settings)
        request = read_request(config, self.spec, trained.styles, trained.in_common_key)
        chords, key = read_chords(settings.chords), requested_key(settings)
        if chords is not None and key is not None:
            rows = transpose_rows(chords.everywhere("phrases"), key.shift_to_common if trained.in_common_key else 0)
            request_chords(request.conditions, np.resize(rows, (self.spec.half_bars, rows.shape[1])), layout)
        request = request.learnable(generator.examples, layout)
        latents = generator.latents_for(request.conditions[None], random)
        rolls = generator.sample(latents, None, request.condition_strength, request.temperature, request.chord_strength)
        return latents, rolls[0].cpu().numpy()

    def write(self, phrase: Song, folder: Path) -> tuple[Path, Path]:
        """The phrase as a piano roll (PNG) and as sound (MP3): the paths of the two files in `folder`.

        Raises `UserError` where the phrase is silent.
        """
        picture, sound = folder / "phrase.png", folder / "phrase.mp3"
        title = f"seed {phrase.seed}, {phrase.key}, {phrase.tempo_bpm:.0f} beats a minute"
        sections = [(one.name, one.first_bar, one.num_bars) for one in phrase.sections]
        draw_song(picture, phrase.planes, phrase.spec, sections, title, phrase.tempo_map, phrase.chord_changes())
        mix = mix_song(phrase, self.config.render, soundfont_path(self.config.render.soundfont))
        tags = Tags(title, ARTIST, f"phrases of {self.config.name}", 1, 1)
        write_compressed(sound, mix.sound, self.config.render.sample_rate_hz, "mp3", tags)
        return picture, sound


def _key_of(latents: Latents) -> Key:
    """The key among the conditions of a phrase; C major where there is none."""
    number = float(latents.conditions[0, KEY])
    return Key(0, False) if np.isnan(number) else Key(int(number) % 12, number >= 12)
