"""Rendering: how many times faster than it sounds a song is played."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from gan.rolls import unpack
from pipeline.audio.synthesizers import play, soundfont_path
from pipeline.bench.music import Corpus, settings_for
from pipeline.bench.plan import Plan
from pipeline.bench.timing import median, seconds_of, take_turns
from pipeline.rendering.midi import midi_bytes
from pipeline.rendering.mix import mix_song
from pipeline.songs.song import Song

TEMPO_BPM = 110.0


def measure_rendering(corpus: Corpus, plan: Plan) -> dict[str, Any]:
    """A song of real phrases, mixed as the render stage does it and played by the bare synthesizer, in turns."""
    config = settings_for(corpus, "default", plan)
    count = plan.effort.rendered_phrases
    chosen = torch.arange(count) * len(corpus.packed) // count
    phrases = unpack(corpus.packed[chosen], corpus.spec).numpy()
    song = Song.of_phrases(phrases, corpus.spec, config.tracks, TEMPO_BPM)
    settings, soundfont = config.render, soundfont_path(config.render.soundfont)
    work: dict[str, Callable[[], object]] = {
        "mix": partial(mix_song, song, settings, soundfont),
        "synthesizer": partial(play, midi_bytes(song), soundfont, settings.synth),
    }
    turns = {name: partial(seconds_of, one) for name, one in work.items()}
    laps = take_turns(turns, plan.effort.slow_rounds, "rendering")
    return {
        "music": f"{count} phrases of {corpus.source}, {len(song.notes)} notes at {TEMPO_BPM:g} bpm",
        "synthesizer": settings.synth,
        "song_seconds": round(song.seconds, 1),
        "ways": {
            "mix": describe("each track played alone, balanced, mixed and mastered", laps["mix"], song.seconds),
            "synthesizer": describe("all tracks at once, nothing else", laps["synthesizer"], song.seconds),
        },
    }


def describe(does: str, seconds: list[float], song_seconds: float) -> dict[str, Any]:
    """The figures of one way to play."""
    return {
        "does": does,
        "seconds": median(seconds),
        "times_real_time_ratio": median([song_seconds / one for one in seconds]),
    }
