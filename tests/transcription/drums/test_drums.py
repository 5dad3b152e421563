from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from pipeline.transcription.drums.evaluation import find_hits_by_flux, find_offset
from pipeline.transcription.drums.evaluation import run as measure
from pipeline.transcription.drums.sampled_kits import drum_named, play_kit, read_kit
from pipeline.transcription.drums.stems import midi_of, read_notes, sound_of
from pipeline.transcription.drums.training import BESIDE_HIT, make_targets
from pipeline.transcription.drums.training import run as train

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.transcription.drums.features import BANDS, FRAMES_PER_SECOND, HOP, band_centres, band_power
from pipeline.transcription.drums.hits import HIT, find_drum_hits
from pipeline.transcription.drums.kit import DRUMS, NAMES, SAME_DRUM, count_matches, f1, find_peaks
from pipeline.transcription.drums.network import WEIGHTS, DrumNetwork, activations, load_network

BEAT = 0.5
KICK, SNARE, HAT = 36, 38, 42
LENGTH = 0.1

Rows = NDArray[np.float64]


def rock(bars: int = 4) -> Rows:
    """Kick on 1 and 3, snare on 2 and 4, hi-hat on eighths, from 0.25 s on: start, end, pitch, velocity, program."""
    rows = []
    for beat in range(4 * bars):
        start = 0.25 + BEAT * beat
        rows.append((start, SNARE if beat % 2 else KICK))
        rows += [(start, HAT), (start + BEAT / 2, HAT)]
    return np.array([(start, start + LENGTH, pitch, 100, 0) for start, pitch in sorted(rows)], np.float64)


def chorale(beats: int = 24) -> Rows:
    """Four voices, chord after chord."""
    chords = ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (45, 60, 64, 69))
    return np.array(
        [
            (BEAT * beat, BEAT * (beat + 1), pitch, 80, 0)
            for beat in range(beats)
            for pitch in chords[(beat * 7 // 3) % len(chords)]
        ],
        np.float64,
    )


def play(rows: Rows, drums: bool) -> NDArray[np.float32]:
    return sound_of(midi_of(rows, drums), soundfont_path(None))


def starts(hits: NDArray[Any], pitch: int) -> NDArray[np.float64]:
    return hits["start"][hits["pitch"] == pitch]


def assert_rock_beat(hits: NDArray[Any], rows: Rows) -> None:
    for pitch in (KICK, SNARE, HAT):
        played = rows[rows[:, 2] == pitch, 0]
        found = starts(hits, pitch)
        right = count_matches(found, played)
        assert right >= 0.9 * len(played), (pitch, found)
        assert len(found) - right <= 0.1 * len(played), (pitch, found)


def test_a_rock_beat_comes_back() -> None:
    rows = rock()
    hits = find_drum_hits(play(rows, drums=True))
    assert hits.dtype == HIT
    assert_rock_beat(hits, rows)
    assert (np.diff(hits["start"]) >= 0).all()
    assert hits["velocity"].min() >= 1
    assert hits["velocity"].max() <= 127
    unplayed = np.isin(hits["pitch"], (KICK, SNARE, HAT), invert=True)
    assert unplayed.sum() <= 2


def test_a_rock_beat_comes_back_from_under_a_piano() -> None:
    rows = rock()
    drums, piano = play(rows, drums=True), play(chorale(16), drums=False)
    length = min(len(drums), len(piano))
    assert_rock_beat(find_drum_hits(drums[:length] + piano[:length]), rows)


def test_the_same_beat_is_found_however_loud_the_recording_is() -> None:
    sound = play(rock(2), drums=True)
    loud, soft = find_drum_hits(sound), find_drum_hits(sound * np.float32(0.05))
    assert abs(len(loud) - len(soft)) <= 1


def test_a_piano_chorale_has_no_drums() -> None:
    assert len(find_drum_hits(play(chorale(), drums=False))) == 0


@pytest.mark.parametrize("length", [0, 1, 1000, SAMPLE_RATE_HZ * 3])
def test_silence_has_no_drums(length: int) -> None:
    assert len(find_drum_hits(np.zeros(length, np.float32))) == 0


def test_noise_without_rhythm_gives_no_error() -> None:
    noise = np.random.default_rng(1).standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    assert find_drum_hits(noise).dtype == HIT


def test_the_plain_way_finds_a_rock_beat_too() -> None:
    rows = rock()
    hits = find_hits_by_flux(play(rows, drums=True))
    kicks = rows[rows[:, 2] == KICK, 0]
    assert count_matches(starts(hits, KICK), kicks) >= 0.9 * len(kicks)
    assert len(find_hits_by_flux(np.zeros(SAMPLE_RATE_HZ, np.float32))) == 0


def test_the_weights_are_small_and_fit_the_network() -> None:
    assert WEIGHTS.stat().st_size < 300_000
    network, thresholds = load_network()
    assert thresholds.shape == (len(DRUMS),)
    assert ((thresholds > 0) & (thresholds < 1)).all()
    assert 10_000 < sum(one.numel() for one in network.parameters()) < 80_000


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"weights\.npz holds no weights"):
        load_network(path)


def test_a_long_recording_is_heard_piece_by_piece_as_if_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    power = np.random.default_rng(2).random((500, BANDS)).astype(np.float32)
    network = DrumNetwork()
    whole = activations(network, power)
    monkeypatch.setattr("pipeline.transcription.drums.network.CHUNK", 120)
    for one, other in zip(activations(network, power), whole, strict=True):
        assert one.shape == (500, len(DRUMS))
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_tone_is_in_its_band() -> None:
    seconds = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    power = band_power(np.sin(2 * np.pi * 1000 * seconds).astype(np.float32))
    assert power.shape == (SAMPLE_RATE_HZ // HOP + 1, BANDS)
    assert abs(band_centres()[power[50].argmax()] - 1000) < 60


def test_a_click_is_in_the_frame_of_its_time() -> None:
    sound = np.zeros(SAMPLE_RATE_HZ, np.float32)
    sound[round(0.5 * SAMPLE_RATE_HZ)] = 1
    assert band_power(sound).sum(axis=1).argmax() == round(0.5 * FRAMES_PER_SECOND)


def test_every_kept_drum_stands_for_itself() -> None:
    assert len(NAMES) == len(DRUMS)
    assert all(SAME_DRUM[drum] == drum for drum in DRUMS)
    assert set(SAME_DRUM.values()) == set(DRUMS)


def test_peaks_lie_between_frames_and_a_plateau_is_one() -> None:
    chances = np.zeros(40, np.float32)
    chances[9:12] = 0.4, 0.9, 0.6
    chances[20:22] = 0.7
    chances[30] = 0.2
    frames, places = find_peaks(chances, 0.5)
    assert frames.tolist() == [10, 20]
    assert 10 < places[0] < 10.5
    assert find_peaks(np.zeros(0, np.float32), 0.5)[0].tolist() == []


def test_a_played_hit_is_found_once_only() -> None:
    assert count_matches(np.array([1.0, 1.02, 2.2]), np.array([1.01, 2.0, 2.24])) == 2
    assert f1(2, 3, 3) == pytest.approx(2 / 3)
    assert np.isnan(f1(0, 0, 0))


def test_targets_mark_hits_and_leave_other_percussion_open() -> None:
    chance, strength, known = make_targets(np.array([[0.1, 1, 64], [0.5, -1, 90], [9, 0, 90]], np.float32), 100)
    assert chance[1, 9:12].tolist() == pytest.approx([BESIDE_HIT, 1, BESIDE_HIT])
    assert chance.sum() == pytest.approx(1 + 2 * BESIDE_HIT)
    assert strength[1, 10] == pytest.approx(64 / 127)
    assert not known[:, 50].any()
    assert known[:, :48].all()


@pytest.mark.parametrize(
    ("name", "drum"),
    [
        ("Pearl Kick", 36),
        ("BassDrum", 36),
        ("Hand Clap", 38),
        ("Hat Closed (edge)", 42),
        ("Pedal HH", 42),
        ("Side OHH", 46),
        ("Hat Semi-Open", 46),
        ("Ride (Custom, 22 inches)", 51),
        ("Crash/Ride Bow", 49),
        ("Tom Hi", 50),
        ("FloorTom", 45),
        ("Cowbell", None),
        ("Snare Roll", None),
    ],
)
def test_instruments_of_a_kit_are_known_by_name(name: str, drum: int | None) -> None:
    assert drum_named(name) == drum


def test_a_kit_plays_its_sounds_when_they_are_struck(tmp_path: Path) -> None:
    for name, level in (("soft.wav", 0.2), ("hard.wav", 0.5)):
        soundfile.write(tmp_path / name, np.full(400, level), SAMPLE_RATE_HZ)
    layers = "".join(
        f"<layer><filename>{name}</filename><min>{least}</min></layer>"
        for name, least in (("hard.wav", 0.5), ("soft.wav", 0))
    )
    (tmp_path / "drumkit.xml").write_text(
        f"<drumkit_info><instrumentList><instrument><name>Kick</name>{layers}</instrument>"
        "<instrument><name>Snare</name><filename>lost.wav</filename></instrument></instrumentList></drumkit_info>"
    )
    kit = read_kit(tmp_path / "drumkit.xml")
    assert list(kit.drums) == [KICK]
    assert len(kit.drums[KICK][0]) == 2
    when, drums = np.array([0.5, 1.0]), np.array([KICK, SNARE], np.int16)
    sound = play_kit(kit, when, drums, np.array([100, 100], np.int16), np.random.default_rng(3))
    assert np.flatnonzero(np.abs(sound) > 0.01)[0] == round(0.5 * SAMPLE_RATE_HZ)
    assert not sound[round(0.9 * SAMPLE_RATE_HZ) :].any()
    (tmp_path / "drumkit.xml").write_text("<drumkit_info>")
    with pytest.raises(UserError, match="is no drum kit"):
        read_kit(tmp_path / "drumkit.xml")


def test_notes_survive_their_midi_file(tmp_path: Path) -> None:
    path = tmp_path / "rock.mid"
    path.write_bytes(midi_of(rock(1), drums=True))
    notes = read_notes(path)
    assert notes is not None
    assert len(notes.pitched) == 0
    np.testing.assert_allclose(np.sort(notes.drums[:, 0]), np.sort(rock(1)[:, 0]), atol=2e-3)
    path.write_bytes(b"MThd")
    assert read_notes(path) is None


def test_a_recording_late_beside_its_notes_is_noticed_though_its_music_repeats() -> None:
    rows = chorale()
    sound = np.concatenate([np.zeros(round(1.3 * SAMPLE_RATE_HZ), np.float32), play(rows, drums=False)])
    assert find_offset(sound, rows[:, 0]) == pytest.approx(1.3, abs=0.03)


def test_training_asks_for_what_it_needs(tmp_path: Path) -> None:
    soundfont = str(soundfont_path(None))
    with pytest.raises(UserError, match="there is no MIDI file"):
        train(["--midi", str(tmp_path), "--soundfonts", soundfont])
    with pytest.raises(UserError, match="--steps must be at least 1"):
        train(["--midi", str(tmp_path), "--soundfonts", soundfont, "--steps", "0"])
    (tmp_path / "rock.mid").write_bytes(midi_of(rock(), drums=True))
    with pytest.raises(UserError, match="no drum kit"):
        train(["--midi", str(tmp_path), "--soundfonts", soundfont, "--kits", str(tmp_path)])
    with pytest.raises(UserError, match="take a SoundFont too"):
        measure(["--midi", str(tmp_path)])


@pytest.mark.slow
def test_the_training_command_writes_weights(tmp_path: Path) -> None:
    (tmp_path / "rock.mid").write_bytes(midi_of(rock(6), drums=True))
    (tmp_path / "chorale.mid").write_bytes(midi_of(chorale(), drums=False))
    words = ["--midi", str(tmp_path), "--soundfonts", str(soundfont_path(None)), "--cache", str(tmp_path / "stems")]
    words += ["--drums", "1", "--music", "1", "--steps", "3"]
    made = []
    for name in ("one.npz", "two.npz"):
        train([*words, "--out", str(tmp_path / name)])
        network, thresholds = load_network(tmp_path / name)
        assert thresholds.shape == (len(DRUMS),)
        made.append(network.state_dict())
    assert len(list((tmp_path / "stems").iterdir())) == 4
    assert all((made[0][key] == made[1][key]).all() for key in made[0])
