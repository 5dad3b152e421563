"""What a run of the bench measures, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SECTIONS = ("training", "generation", "ingest", "rendering", "evaluation", "startup", "memory", "gpu")
"""`gpu` is measured where there is one, or where it is asked for."""
MODELS = ("default", "large", "musegan_hybrid", "musegan_tutorial")
"""Models of `conf/model/`; each is compared with the later ones."""


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes
    ----------
    rounds
        Repetitions. In each round every contender has a lap, so that a machine whose speed changes changes it for
        all of them; medians over the rounds are reported.
    slow_rounds
        Repetitions of training, ingest and rendering, whose laps are long.
    lap_seconds
        A lap of training or generation goes on for at least so long.
    songs, song_bars
        Of the band music that is written where the user gives none.
    files
        Of the user's folder, at most; more are thinned out evenly.
    rendered_phrases
        Phrases in the song that is played.
    scored_phrases, copied_phrases
        Phrases that are evaluated, and those of them that are searched for copies.
    matrix_sizes
        Sides of the square matrices whose product makes the peak.
    chorales
        Whether training is measured on the chorales too.
    run_steps
        Steps of a training run whose generator learns by likelihood first: of five it does in three.
    step_batches
        Batches of a training step, at most, where phrases are sampled for several at once.
    generated_phrases
        Phrases that are generated at once.
    device_phrases
        The same where devices are compared: a GPU wants many.
    """

    rounds: int = 5
    slow_rounds: int = 3
    lap_seconds: float = 1.5
    songs: int = 48
    song_bars: int = 64
    files: int = 64
    rendered_phrases: int = 6
    scored_phrases: int = 10_000
    copied_phrases: int = 1000
    matrix_sizes: tuple[int, ...] = (256, 512, 1024, 2048)
    chorales: bool = True
    run_steps: int = 5
    step_batches: int = 8
    generated_phrases: int = 64
    device_phrases: int = 512


FULL = Effort()
QUICK = Effort(
    rounds=1,
    slow_rounds=1,
    lap_seconds=0.01,
    songs=3,
    song_bars=24,
    files=3,
    rendered_phrases=1,
    scored_phrases=50,
    copied_phrases=5,
    matrix_sizes=(64, 128),
    chorales=False,
    run_steps=2,
    step_batches=1,
    generated_phrases=4,
    device_phrases=4,
)
"""To see that everything runs; its figures mean little."""


@dataclass(frozen=True)
class BenchPlan:
    """One run of the bench.

    Attributes
    ----------
    sections
        Which of `SECTIONS` are measured.
    models
        Which of `conf/model/`; each is compared with the later ones.
    effort
        How much is measured.
    threads
        Threads of training and of the matrix products that it is compared with.
    seed
        Of weights, latents, and the music that is written.
    midi
        A folder of the user's MIDI files for ingest, training and rendering, in place of the music that is written.
    scratch
        A folder for what is written on the way.
    transcription
        A folder of MIDI files, each with its recording beside it or else played, to measure transcription by.
    soundfont
        What plays them; None takes the SoundFont that comes with pretty_midi.
    """

    sections: tuple[str, ...]
    models: tuple[str, ...]
    effort: Effort
    threads: int
    seed: int
    midi: Path | None
    scratch: Path
    transcription: Path | None = None
    soundfont: Path | None = None
