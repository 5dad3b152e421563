"""Settings of the stage `render`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import UserError
from pipeline.settings.generate import ALBUM


@dataclass
class RenderSettings:
    """Songs to MIDI, sound, picture and score."""

    request: str = ALBUM
    """Which songs: those that `generate` left under this name, such as `given` or `explore`, or a
    `generate.request`."""
    synth: str = "midirenderer"
    """`midirenderer` (comes with pip) or `fluidsynth` (the system's program, must be installed)."""
    soundfont: str | None = None
    """An `.sf2` file of your own; null takes the General MIDI one that comes with pretty_midi."""
    sample_rate_hz: int = 44100
    """44100 or 48000."""
    loudness_lufs: float = -16.0
    """Integrated loudness that songs are brought to, by ITU-R BS.1770."""
    peak_dbfs: float = -1.0
    """Highest sample allowed, in decibels below full scale."""
    stems: bool = False
    """Also write one WAV a track."""
    compressed: str | None = None
    """`mp3` or `flac`: also write tagged files of that kind; null writes none."""
    daw: str | None = None
    """`dawproject` (Bitwig Studio, Studio One, Cubase), `rpp` (REAPER) or `both`: also write projects with notes,
    stems, tempi and sections; null writes none."""
    vocal: bool = False
    """Sing the words in the mix, and write that voice as a stem; needs the packages of the extra `vocal`."""
    vocal_voice: str = "en-us"
    """The voice of espeak-ng that sings: a language, and a speaker after a plus sign: `en-us`, `de`, `en-us+f2`."""
    word_times: bool = True
    """Whether the LRC file has a time for each word beside those of the lines; some players show these marks."""

    @property
    def projects(self) -> tuple[str, ...]:
        """The kinds of projects that `daw` asks for."""
        return ("dawproject", "rpp") if self.daw == "both" else () if self.daw is None else (self.daw,)

    def check(self) -> None:
        """Raise `UserError` naming the key when a value cannot work."""
        if self.daw not in (None, "dawproject", "rpp", "both"):
            raise UserError(f"render.daw must be dawproject, rpp, both or null, not {self.daw}.")
        if self.sample_rate_hz not in (44100, 48000):
            raise UserError(f"render.sample_rate_hz must be 44100 or 48000, not {self.sample_rate_hz}.")
        if not -60 <= self.loudness_lufs <= -5:
            raise UserError(f"render.loudness_lufs must lie between -60 and -5, not {self.loudness_lufs}.")
        if not -20 <= self.peak_dbfs <= 0:
            raise UserError(f"render.peak_dbfs must lie between -20 and 0, not {self.peak_dbfs}.")
