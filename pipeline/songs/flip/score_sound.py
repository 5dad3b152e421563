"""Sound of a score that is a record: its file as a synthesizer plays it, on the clock of the score."""

from __future__ import annotations

from pathlib import Path

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.mastering import resample
from pipeline.audio.synthesizers import RATE_HZ, Sound, play, soundfont_path
from pipeline.errors import UserError
from pipeline.scores.midi.chunks import unwrap
from pipeline.scores.midi.score_midi import score_midi
from pipeline.scores.reading.score_files import kind_of_score
from pipeline.scores.score import Score
from pipeline.settings.render import RenderSettings


def score_sound(path: Path, score: Score, settings: RenderSettings) -> Sound:
    """A score's sound at `SAMPLE_RATE_HZ`, `[samples, 2]`, by the synthesizer and the SoundFont of the render stage.

    A MIDI file is played as it is, with its volumes, pedals and bends; notation, and a MIDI file that the synthesizer
    refuses, by the notes of the score. Raises `UserError` where nothing plays.
    """
    soundfont = soundfont_path(settings.soundfont)
    content = path.read_bytes()
    if kind_of_score(path.name, content) == "midi":
        try:
            return resample(play(unwrap(content), soundfont, settings.synth), RATE_HZ, SAMPLE_RATE_HZ)
        except UserError:
            pass
    return resample(play(score_midi(score), soundfont, settings.synth), RATE_HZ, SAMPLE_RATE_HZ)
