"""Loops cut at the bar: of each track the sound of some bars as a WAV that goes round, and its notes as a MIDI file.

A loop begins and ends on the samples of its bar lines. So that it goes round without a click, its last milliseconds
fade into those that come before its first bar line (a crossfade loop, as samplers make it).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np

from pipeline.audio.synthesizers import Sound
from pipeline.errors import UserError
from pipeline.rendering.daw.archive import wav_bytes, write_archive
from pipeline.rendering.daw.clips import slug
from pipeline.rendering.excerpt import excerpt
from pipeline.rendering.midi import selection_bytes
from pipeline.songs.song import Song

FADE_SECONDS = 0.005
"""How long the end of a loop fades into what comes before its beginning."""
SILENT = 1e-4
"""The peak under which nothing is heard, -80 dBFS."""
STRETCHABLE = 0x04
"""Flag of the chunk `acid`: a loop that may be stretched to the tempo of a project."""
MIDDLE_C = 60
NANOSECONDS = 1_000_000_000


def loops_zip(
    path: Path,
    song: Song,
    title: str,
    stems: Mapping[str, Sound],
    rate_hz: int,
    first_bar: int,
    end_bar: int,
    tracks: Collection[str] | None = None,
) -> None:
    """Write the bars from `first_bar` (counted from 0) to before `end_bar` as loops in a zip archive, atomically.

    Parameters
    ----------
    path, song, title
        The archive, and what is cut.
    stems, rate_hz
        By the name of the track, each from the beginning of the song, `[samples, 2]` at `rate_hz` (`Mix.stems`).
    first_bar, end_bar
        Which bars.
    tracks
        Names of tracks; all if None. Those that are silent in these bars are left out.

    Raises
    ------
    UserError
        The song does not have these bars, or nothing sounds in them.
    """
    if not 0 <= first_bar < end_bar <= song.num_bars:
        raise UserError(f"Loops of bars {first_bar + 1} to {end_bar}: this song has the bars 1 to {song.num_bars}.")
    part = excerpt(song, first_bar, end_bar)
    wanted = [name for name in (tracks or stems) if name in stems]
    loops = {name: cut_loop(stems[name], *loop_samples(song, first_bar, end_bar, rate_hz), rate_hz) for name in wanted}
    loops = {name: loop for name, loop in loops.items() if np.abs(loop).max(initial=0.0) > SILENT}
    if not loops:
        raise UserError(f"Nothing sounds in bars {first_bar + 1} to {end_bar} of these tracks.")
    bpm, quarters = mean_tempo(part), part.num_steps / part.spec.steps_per_quarter
    ending = f"{bpm:.2f}".rstrip("0").rstrip(".") + f"bpm-{end_bar - first_bar}bars"

    def files() -> Iterator[tuple[str, bytes]]:
        yield "loops.txt", _about(part, title, first_bar, bpm).encode()
        for name, loop in loops.items():
            yield f"{slug(name)}-{ending}.wav", loop_wav(loop, rate_hz, quarters, part.spec.metre, bpm)
            if name in song.spec.names:
                track = song.spec.names.index(name)
                if np.any(part.notes["track"] == track):
                    yield f"{slug(name)}-{ending}.mid", selection_bytes(part, (track,), title=f"{title}: {name}")

    write_archive(path, files())


def loop_samples(song: Song, first_bar: int, end_bar: int, rate_hz: int) -> tuple[int, int]:
    """The samples of the bar lines at which a loop begins and ends, by the song's tempo map."""
    start, end = song.seconds_at(np.array([first_bar, end_bar]) * song.spec.steps_per_bar)
    return round(float(start) * rate_hz), round(float(end) * rate_hz)


def cut_loop(sound: Sound, start: int, end: int, rate_hz: int) -> Sound:
    """The samples from `start` to before `end`, the last `FADE_SECONDS` of them faded into those before `start`."""
    fade = min(round(FADE_SECONDS * rate_hz), end - start)
    padded = np.pad(sound, ((fade, max(0, end - len(sound))), (0, 0)))
    loop: Sound = padded[start + fade : end + fade].copy()
    ramp = (np.arange(1, fade + 1, dtype=np.float32) / fade)[:, None]
    loop[-fade:] = loop[-fade:] * (1 - ramp) + padded[start : start + fade] * ramp
    return loop


def mean_tempo(song: Song) -> float:
    """Quarter notes a minute on the whole; that of the song where it never changes."""
    return 60 * song.num_steps / song.spec.steps_per_quarter / song.seconds


def loop_wav(loop: Sound, rate_hz: int, quarters: float, metre: str, bpm: float) -> bytes:
    """A 16-bit WAV that says how it goes round (chunk `smpl`) and how many quarter notes at what tempo (`acid`)."""
    numerator, denominator = map(int, metre.split("/"))
    sampler = struct.pack("<9I", 0, 0, NANOSECONDS // rate_hz, MIDDLE_C, 0, 0, 0, 1, 0)
    sampler += struct.pack("<6I", 0, 0, 0, len(loop) - 1, 0, 0)
    acid = struct.pack("<IHHfIHHf", STRETCHABLE, MIDDLE_C, 0, 0.0, round(quarters), denominator, numerator, bpm)
    content = wav_bytes(loop, rate_hz)
    for name, values in ((b"smpl", sampler), (b"acid", acid)):
        content += name + struct.pack("<I", len(values)) + values
    return content[:4] + struct.pack("<I", len(content) - 8) + content[8:]


def _about(part: Song, title: str, first_bar: int, bpm: float) -> str:
    """What is in the archive, for people."""
    tempo = f"{bpm:.2f} quarter notes a minute"
    if len(part.tempo_map) > 1:
        changes = ", ".join(
            f"{tempo:.2f} from bar {first_bar + 1 + step / part.spec.steps_per_bar:g}" for step, tempo in part.tempo_map
        )
        tempo += f" on the whole: the tempo changes ({changes}), and the loops keep these changes"
    sections = ", ".join(section.name for section in part.sections)
    chords = " ".join(symbol for _, symbol in part.chord_changes())
    return (
        f"{title}, bars {first_bar + 1} to {first_bar + part.num_bars} ({sections})\n"
        f"{part.key}, {part.spec.metre}, {tempo}\nChords: {chords}\n"
    )
