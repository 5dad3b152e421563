"""What form costs: how likely the lines of a lyric are under the model, beside lines that nothing was asked of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from pipeline.lyrics.corpus.song_lyrics import Section
from pipeline.lyrics.song.lyric import Lyric
from pipeline.lyrics.song.plan import LyricPlan, draw
from pipeline.lyrics.song.writer import Writer

FREE_LINES = 8
"""Lines drawn freely beside each written one."""


@dataclass(frozen=True)
class Cost:
    """Bits a character, line ends included: of the written lines, and of lines drawn freely in the same places."""

    written: float
    free: float


def cost(writer: Writer, lyrics: Sequence[Lyric], plans: Sequence[LyricPlan]) -> Cost:
    """The cost of syllables, rhymes and known words, less what choosing among candidates gains.

    A free line is drawn after the same lines, with the same temperature, top k and nucleus. Both kinds are counted by
    the model's own probabilities, those without a temperature.

    Parameters
    ----------
    writer
        Whose model wrote the lyrics.
    lyrics, plans
        What was written, and what was asked for.
    """
    written, free = [0.0, 0], [0.0, 0]
    for lyric, plan in zip(lyrics, plans, strict=True):
        song = writer.begin(lyric.number, plan)
        outlooks = []
        for line in _written(lyric, plan)[len(song.taken) :]:
            outlooks.append(song.outlook)
            spelt = writer.spelt(line) + "\n"
            written = [written[0] - writer.sampler.log_probability(spelt, *song.outlook), written[1] + len(spelt)]
            song.take(line)
        draws = torch.Generator().manual_seed(draw(writer.settings.seed, lyric.number, "free lines"))
        for spelt, total in writer.sampler.free(outlooks, FREE_LINES, draws):
            free = [free[0] - total, free[1] + len(spelt)]
    return Cost(*(bits / max(1, characters) / math.log(2) for bits, characters in (written, free)))


def _written(lyric: Lyric, plan: LyricPlan) -> list[str]:
    """The lines in the order they were written in; what comes back is there once."""
    places = [plan.source(place) for place in range(len(plan.sections))]
    longest = [
        max((one for one, source in zip(lyric.sections, places, strict=True) if source == index), key=_num_lines)
        for index in range(len(plan.written))
    ]
    return [line for section in longest for line in section.lines]


def _num_lines(section: Section) -> int:
    return len(section.lines)
