"""What the static page knows: the model's sizes and statistics, and the album's songs, as plain values for JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gan.chords import CHORD_TONES, QUALITIES
from gan.conditions import STYLE, ConditionLayout
from gan.networks.generator import Generator
from pipeline.audio.loudness import loudness_lufs
from pipeline.audio.synthesizers import RATE_HZ, play
from pipeline.rendering.midi import midi_bytes
from pipeline.rendering.mix import mix_song
from pipeline.settings.render import RenderSettings
from pipeline.songs.song import Song
from pipeline.songs.trained_model import TrainedModel
from pipeline.studio.session.views import step_seconds, tracks_view


@dataclass(frozen=True)
class Gains:
    """How loud the tracks of a song are in its mix: an amplitude each, and what mastering multiplies their sum by."""

    tracks: tuple[float, ...]
    master: float


def model_values(model: TrainedModel, generator: Generator, chord_strength: float) -> dict[str, Any]:
    """All that the page's sampler has to know of the networks and of the data that they learned from."""
    spec, examples = generator.spec, generator.examples
    return {
        "tracks": [{"name": track.name, "is_drum": track.is_drum} for track in spec.tracks],
        "bars": spec.bars,
        "steps_per_bar": spec.steps_per_bar,
        "steps_per_beat": spec.steps_per_beat,
        "quarters_per_bar": spec.quarters_per_bar,
        "num_pitches": spec.num_pitches,
        "lowest_pitch": spec.lowest_pitch,
        "lowest_pitches": list(generator.lowest_pitches),
        "pitch_range": generator.pitch_range,
        "latent_size": generator.settings.latent_size,
        "in_common_key": model.in_common_key,
        "styles": list(model.styles),
        "empty_bars": model.statistics.empty_bars,
        "knows_chords": bool((~examples[:, ConditionLayout.of(spec).chords].isnan()).any()),
        "chords": {"qualities": list(QUALITIES), "tones": [list(tones) for tones in CHORD_TONES.values()]},
        "chord_strength": chord_strength,
    }


def song_values(song: Song, title: str, gains: Gains, sound: str | None) -> dict[str, Any]:
    """A song with its notes; `sound` is where its finished sound lies, None where it has none."""
    tracks = tracks_view(song)
    for track, gain in zip(tracks, gains.tracks, strict=True):
        track["gain"] = round(gain, 5)
    return {
        "number": song.number,
        "title": title,
        "key": song.key,
        "tempo_bpm": round(song.tempo_bpm, 3),
        "bars": song.num_bars,
        "step_seconds": step_seconds(song),
        "tracks": tracks,
        "master": round(gains.master, 5),
        "sections": [
            {"name": one.name, "role": one.role, "first_bar": one.first_bar, "num_bars": one.num_bars}
            for one in song.sections
        ],
        "chords": song.chords.tolist(),
        "style": style_of(song),
        "sound": sound,
    }


def style_of(song: Song) -> int | None:
    """The number of the style that a song was made in, None where it is not known."""
    for section in song.sections:
        if "conditions" in section.latents and math.isfinite(style := float(section.latents["conditions"][0, STYLE])):
            return int(style)
    return None


def gains_of(song: Song, volumes: dict[str, int] | None, settings: RenderSettings, soundfont: Path) -> Gains:
    """The gains of a song's tracks.

    `volumes` are the MIDI volumes that the stage `render` found, by track; without them they are found as it does.
    """
    if volumes is None:
        found = mix_song(song, replace(settings, vocal=False, stems=False), soundfont).song.volumes
    else:
        found = tuple(volumes[name] / 127 for name in song.spec.names)
    level = loudness_lufs(play(midi_bytes(replace(song, volumes=found)), soundfont, settings.synth), RATE_HZ)
    master = 10 ** ((settings.loudness_lufs - level) / 20) if math.isfinite(level) else 1.0
    return Gains(tuple(volume**2 for volume in found), master)
