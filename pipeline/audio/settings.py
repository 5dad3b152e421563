"""Settings of the audio room."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class RenderSettings:
    """Songs to MIDI, sound, picture and score."""

    synth: str
    """`midirenderer` (comes with pip) or `fluidsynth` (the system's program, must be installed)."""
    soundfont: str | None
    """An `.sf2` file of your own; null takes the General MIDI one that comes with pretty_midi."""
    sample_rate_hz: int
    """44100 or 48000."""
    loudness_lufs: float
    """Integrated loudness that songs are brought to, by ITU-R BS.1770."""
    peak_dbfs: float
    """Highest sample allowed, in decibels below full scale."""
    stems: bool
    """Also write one WAV a track."""
    compressed: str | None
    """`mp3` or `flac`: also write tagged files of that kind; null writes none."""
