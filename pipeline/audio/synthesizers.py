"""MIDI to sound: the synthesizers by name, and the SoundFont they play."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.errors import UserError

Sound = NDArray[np.float32]
"""Stereo sound, `[samples, 2]`, full scale at 1."""

RATE_HZ = 48000
"""All synthesizers are asked for this rate (midirenderer knows no other); files are converted when written."""


def soundfont_path(chosen: str | None) -> Path:
    """The SoundFont to play: the user's, or the General MIDI one that comes with pretty_midi."""
    if chosen is not None:
        path = Path(chosen).expanduser()
        if not path.is_file():
            raise UserError(f"render.soundfont={chosen}: there is no such file.")
        with path.open("rb") as file:
            start = file.read(12)
        if start[:4] != b"RIFF" or start[8:] != b"sfbk":
            raise UserError(f"render.soundfont={chosen} is no SoundFont (.sf2).")
        return path
    package = find_spec("pretty_midi")
    if package is None or package.origin is None:
        raise UserError("pretty_midi, which brings the SoundFont, is not installed; set render.soundfont=FILE.")
    path = Path(package.origin).parent / "TimGM6mb.sf2"
    if not path.is_file():
        raise UserError(f"{path} is missing: reinstall pretty_midi, or set render.soundfont=FILE.")
    return path


def _play_midirenderer(midi: bytes, soundfont: Path) -> Sound:
    import midirenderer

    try:
        wav = midirenderer.render_wave_from(soundfont.read_bytes(), midi)
    except (ValueError, RuntimeError) as error:
        raise UserError(f"midirenderer can't play with {soundfont}: {error}.") from error
    return soundfile.read(io.BytesIO(wav), dtype="float32", always_2d=True)[0]  # type: ignore[no-any-return]


def _play_fluidsynth(midi: bytes, soundfont: Path) -> Sound:
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place) / "song.mid", Path(place) / "song.wav"
        source.write_bytes(midi)
        command = [require_program("fluidsynth"), "-ni", "-g", "0.4", "-r", str(RATE_HZ), "-O", "float"]
        command += ["-T", "wav", "-F", str(target), str(soundfont), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not target.exists():
            said = (done.stderr or done.stdout).strip().splitlines()
            raise UserError(f"fluidsynth failed: {said[-1] if said else f'exit code {done.returncode}'}.")
        return soundfile.read(target, dtype="float32", always_2d=True)[0]  # type: ignore[no-any-return]


SYNTHS: dict[str, Callable[[bytes, Path], Sound]] = {
    "midirenderer": _play_midirenderer,
    "fluidsynth": _play_fluidsynth,
}


def require_program(name: str) -> str:
    """The path of a system program, or a `UserError`."""
    found = shutil.which(name)
    if found is None:
        raise UserError(f"render.synth={name}: the program {name} is not installed; use render.synth=midirenderer.")
    return found


def check_synth(name: str) -> None:
    """Raise `UserError` when there is no such synthesizer, or its program is missing."""
    if name not in SYNTHS:
        raise UserError(f"render.synth must be one of {', '.join(SYNTHS)}, not {name}.")
    if name == "fluidsynth":
        require_program(name)


def play(midi: bytes, soundfont: Path, synth: str) -> Sound:
    """The sound of a MIDI file at `RATE_HZ`."""
    sound = SYNTHS[synth](midi, soundfont)
    return np.repeat(sound, 2, axis=1) if sound.shape[1] == 1 else sound
