"""Stems: each is heard by itself and gives its own tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UnusableError
from pipeline.transcription.corrections.stems import Notes, Samples, hear_stems
from tests.sound_makers import melody, render_rows, rock, timed_notes, write_sound

SECONDS = 8


def padded(sound: Samples) -> Samples:
    return np.pad(sound, (0, SECONDS * SAMPLE_RATE_HZ))[: SECONDS * SAMPLE_RATE_HZ]


VOICE, BASS = padded(melody([67, 69, 71, 72] * 3)), padded(melody([40, 43, 45, 47] * 3))
OTHER, DRUMS = padded(melody([60, 64, 60, 64] * 3)), padded(render_rows(rock(), drums=True))


def write_stems(folder: Path, **sounds: Samples) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return {name: write_sound(folder / f"{name}.wav", sound) for name, sound in sounds.items()}


def one_note(sound: Samples) -> Notes:
    """A stand-in for the network: a note as long as the sound, at a pitch that tells which sound it was."""
    pitch = next((pitch for one, pitch in ((VOICE, 72), (BASS, 40), (OTHER, 60)) if np.allclose(one, sound, atol=1e-3)))
    return timed_notes((0.5, 6.0, pitch, 90))


def test_each_stem_gives_its_own_track(tmp_path: Path) -> None:
    stems = write_stems(tmp_path, drums=DRUMS, bass=BASS, vocals=VOICE, other=OTHER)
    heard = hear_stems(stems, VOICE + BASS + OTHER + DRUMS, one_note)
    assert {name: notes["pitch"].tolist() for name, notes in heard.tracks.items()} == {"Lead": [72], "Bass": [40]}
    assert heard.rest["pitch"].tolist() == [60] and heard.remarks == ()
    assert np.allclose(heard.rest_sound, OTHER, atol=1e-3)
    assert heard.hits is not None and 36 in heard.hits["pitch"] and len(heard.hits) > 12
    assert heard.pitches["pitch"].tolist() == [40, 60, 72]


def test_what_no_stem_plays_is_heard_in_the_mix(tmp_path: Path) -> None:
    mix = VOICE + BASS + OTHER

    def find(sound: Samples) -> Notes:
        everything = timed_notes((0.5, 6.0, 40, 90), (0.51, 6.0, 60, 90), (0.5, 6.0, 72, 90))
        return everything if np.allclose(sound, mix, atol=1e-3) else one_note(sound)

    heard = hear_stems(write_stems(tmp_path, vocals=VOICE), mix, find)
    assert heard.remarks == ("its stems lack drums and bass and other: the mix is heard for them",)
    assert heard.rest["pitch"].tolist() == [40, 60] and heard.hits is None
    assert heard.rest_sound is mix
    without_bass = hear_stems(write_stems(tmp_path, vocals=VOICE, drums=DRUMS, other=OTHER), mix, find)
    assert without_bass.rest["pitch"].tolist() == [40, 60] and set(without_bass.tracks) == {"Lead"}
    assert without_bass.rest_sound is mix


def test_silent_and_leaking_stems_play_nothing(tmp_path: Path) -> None:
    stems = write_stems(tmp_path, drums=0 * DRUMS, bass=BASS, vocals=VOICE / 1000, other=OTHER)
    heard = hear_stems(stems, BASS + OTHER, lambda sound: timed_notes((0.5, 6.0, 50, 90)))
    assert {name: len(notes) for name, notes in heard.tracks.items()} == {"Bass": 1, "Lead": 0}
    assert heard.hits is not None and len(heard.hits) == 0


def test_stems_of_another_recording_are_refused(tmp_path: Path) -> None:
    stems = write_stems(tmp_path, bass=BASS[: 3 * SAMPLE_RATE_HZ])
    with pytest.raises(UnusableError, match=r"its stem .*bass\.wav lasts 3\.0 s and the recording 8\.0 s"):
        hear_stems(stems, BASS, one_note)
    stems["bass"].write_bytes(b"no sound")
    with pytest.raises(UnusableError, match=r"its stem .*bass\.wav can't be read"):
        hear_stems(stems, BASS, one_note)
