"""A song and its file, `generate/songs/NN.npz`: what the stages after `generate` read."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.chords import CHORD_NUMBERS, QUALITY
from gan.spec import RollSpec
from pipeline.errors import UserError
from pipeline.files import atomic_path
from pipeline.scores.chords.recognition import half_bar_starts, recognise_chords
from pipeline.scores.chords.symbols import UNKNOWN, ChordRows, changes_of, symbol_of
from pipeline.scores.notes import (
    Notes,
    Planes,
    cut_overlaps,
    notes_from_roll,
    pack_rolls,
    roll_from_notes,
    unpack_rolls,
)
from pipeline.scores.structure.flipped_loops import FlippedLoop, LoopEvent
from pipeline.scores.swing import STRAIGHT, check_swing, swung
from pipeline.settings.data import TracksSettings
from pipeline.songs.provenance import Origin, Origins, all_of, check_origins

FORMAT = "albumgan song 4"
TICKS_PER_BEAT = 480
"""Ticks of a quarter note, of the timing offsets and of MIDI files: a multiple of every usual number of steps."""


@dataclass(frozen=True)
class Section:
    """A section of a song.

    Attributes
    ----------
    name
        What people call it, such as `verse 2`.
    role
        What it is; sections with the same role share their music (`verse`).
    first_bar, num_bars
        Where it lies, counted from 0.
    seed
        What it was made with; 0 in a song made by hand.
    latents
        For each latent by name, conditions among them, the values of the section's phrases, `[phrases, ...]`; empty in
        a song made by hand.
    """

    name: str
    role: str
    first_bar: int
    num_bars: int
    seed: int = 0
    latents: dict[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Song:
    """A whole song.

    Attributes
    ----------
    number, seed
        Its place in the album, counted from 1, and the seed it was made with.
    spec
        Tracks and grid; `spec.bars` is the length of a phrase, not of the song.
    notes
        In canonical order, without offsets; no two of one track and pitch overlap.
    tempo_map
        (step, quarter notes a minute) pairs: each tempo holds from its step on; the first step is 0.
    key
        Such as `G major` or `F# minor`.
    form, arrangement
        Their names.
    programs, pans, volumes
        One a track: General MIDI program 0 to 127, place from -1 (left) to 1 (right), loudness from 0 to 1.
    velocities
        `[notes]`, 1 to 127, in the order of `notes`.
    timing_ticks
        `[notes]`: how much later than its step a note begins, in ticks (480 a quarter note), less than half a step.
    sections
        The form, from the first bar to the last without gaps.
    swing
        The share of each beat that its first half lasts when it is played: .5 is straight, .67 a triplet feel.
        Notes, offsets and the tempo map count as if it were straight.
    composed_chords
        The chords that it was made for, int8 `[2 * bars, 3]` (`pipeline.scores.chords.symbols`), or None; `chords`
        has one for each half bar.
    loops, loop_events
        Loops of old records, and where they play; their sounds lie beside the song's file.
    origins
        Which bars of which tracks were made, drawn by hand or given, uint8 `[tracks, bars]`
        (`pipeline.songs.provenance`); None where all are made.
    """

    number: int
    seed: int
    spec: RollSpec
    notes: Notes
    tempo_map: tuple[tuple[int, float], ...]
    key: str
    form: str
    arrangement: str
    programs: tuple[int, ...]
    pans: tuple[float, ...]
    volumes: tuple[float, ...]
    velocities: NDArray[np.uint8]
    timing_ticks: NDArray[np.int16]
    sections: tuple[Section, ...]
    swing: float = STRAIGHT
    composed_chords: ChordRows | None = None
    loops: tuple[FlippedLoop, ...] = ()
    loop_events: tuple[LoopEvent, ...] = ()
    origins: Origins | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` for attributes that contradict one another."""
        spec, tracks, notes = self.spec, self.spec.num_tracks, self.notes
        if TICKS_PER_BEAT % spec.steps_per_quarter:
            raise ValueError(f"{spec.steps_per_quarter} steps a quarter note do not divide {TICKS_PER_BEAT} ticks")
        if not len(self.programs) == len(self.pans) == len(self.volumes) == tracks:
            raise ValueError(f"programs, pans and volumes must each be {tracks}")
        if not all(0 <= program <= 127 for program in self.programs):
            raise ValueError("a program is not in 0 to 127")
        steps = [step for step, _ in self.tempo_map]
        if not steps or steps[0] != 0 or steps != sorted(set(steps)) or min(self.tempi_bpm) <= 0:
            raise ValueError("the tempo map must start at step 0, rise and be positive")
        if not len(self.velocities) == len(self.timing_ticks) == len(notes):
            raise ValueError(f"velocities and timing must each be {len(notes)}, one a note")
        if len(notes) and not (int(self.velocities.min()) >= 1 and int(self.velocities.max()) <= 127):
            raise ValueError("a velocity is not in 1 to 127")
        if len(notes) and 2 * int(np.abs(self.timing_ticks.astype(int)).max()) >= self.ticks_per_step:
            raise ValueError("a timing offset is half a step or more")
        check_swing(self.swing, spec)
        bar = 0
        for section in self.sections:
            if section.first_bar != bar or section.num_bars < 1:
                raise ValueError(f"section {section.name} does not follow the one before")
            bar += section.num_bars
        if not np.array_equal(notes, cut_overlaps(notes)) or np.any(notes["onset"] + notes["length"] > self.num_steps):
            raise ValueError(f"the notes overlap, are out of order or end after bar {bar}")
        if self.composed_chords is not None and self.composed_chords.shape != (2 * bar, CHORD_NUMBERS):
            raise ValueError(f"chords {self.composed_chords.shape} do not fit {bar} bars")
        if any(not 0 <= event.loop < len(self.loops) or event.end > self.num_steps for event in self.loop_events):
            raise ValueError(f"a loop plays that is none of {len(self.loops)}, or after bar {bar}")
        if self.origins is not None:
            check_origins(self.origins, tracks, bar)

    @property
    def all_origins(self) -> Origins:
        """The origin of every cell, uint8 `[tracks, bars]`."""
        return all_of(Origin.MADE, self.spec.num_tracks, self.num_bars) if self.origins is None else self.origins

    @cached_property
    def chords(self) -> ChordRows:
        """The chord of each half bar, int8 `[2 * bars, 3]`: that it was made for, or the one that is recognised."""
        recognised = recognise_chords(self.notes, self.num_bars, self.spec)
        if self.composed_chords is None:
            return recognised
        return np.where(self.composed_chords[:, QUALITY, None] == UNKNOWN, recognised, self.composed_chords)

    def chord_changes(self) -> list[tuple[int, str]]:
        """The steps at which another chord begins, each with its symbol, `N.C.` for none."""
        steps = half_bar_starts(self.num_bars, self.spec)
        return [(int(steps[index]), symbol_of(chord)) for index, chord in changes_of(self.chords)]

    @property
    def num_bars(self) -> int:
        """Bars of the song."""
        return sum(section.num_bars for section in self.sections)

    @property
    def num_steps(self) -> int:
        """Steps of the song."""
        return self.num_bars * self.spec.steps_per_bar

    @property
    def ticks_per_step(self) -> int:
        """MIDI ticks of a step."""
        return TICKS_PER_BEAT // self.spec.steps_per_quarter

    @property
    def tempi_bpm(self) -> tuple[float, ...]:
        """The tempi of the tempo map."""
        return tuple(tempo for _, tempo in self.tempo_map)

    @property
    def tempo_bpm(self) -> float:
        """The tempo at the beginning, quarter notes a minute, also in 6/8."""
        return self.tempo_map[0][1]

    @cached_property
    def planes(self) -> Planes:
        """The roll, bool `[2, tracks, bars, steps, pitches]` over all bars of the song."""
        return roll_from_notes(self.notes, self.spec, self.num_bars)

    def seconds_at(self, steps: Any) -> NDArray[np.float64]:
        """Seconds from the beginning of the song to each of `steps` (any shape, fractions allowed), without swing."""
        starts = np.array([step for step, _ in self.tempo_map], dtype=np.float64)
        seconds_per_step = 60 / np.array(self.tempi_bpm) / self.spec.steps_per_quarter
        passed = np.concatenate([[0.0], np.cumsum(np.diff(starts) * seconds_per_step[:-1])])
        steps = np.asarray(steps, dtype=np.float64)
        piece = np.clip(np.searchsorted(starts, steps, side="right") - 1, 0, None)
        return np.asarray(passed[piece] + (steps - starts[piece]) * seconds_per_step[piece])

    @property
    def seconds(self) -> float:
        """Length of the score; the last sound may ring on."""
        return float(self.seconds_at(self.num_steps))

    def bounds_ticks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where each note starts and ends in ticks, offsets and swing included, `[notes]` each.

        A note ends where it would without offsets, or where the next one of its track and pitch begins.
        """
        notes, step = self.notes, self.ticks_per_step
        starts = self.swung(np.maximum(notes["onset"].astype(np.int64) * step + self.timing_ticks, 0))
        ends = self.swung((notes["onset"].astype(np.int64) + notes["length"]) * step)
        order = np.lexsort((notes["onset"], notes["pitch"], notes["track"]))
        here, after = order[:-1], order[1:]
        same = (notes["track"][here] == notes["track"][after]) & (notes["pitch"][here] == notes["pitch"][after])
        ends[here] = np.where(same, np.minimum(ends[here], starts[after]), ends[here])
        return starts, ends

    def swung(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """When what is written at these ticks is played."""
        if self.swing == STRAIGHT:
            return ticks
        return np.rint(TICKS_PER_BEAT * swung(ticks / TICKS_PER_BEAT, self.swing)).astype(np.int64)

    def save(self, path: Path) -> None:
        """Write the song atomically; the same song gives the same bytes."""
        header = {
            "format": FORMAT,
            "number": self.number,
            "seed": self.seed,
            "spec": self.spec.to_dict(),
            "tempo_map": self.tempo_map,
            "key": self.key,
            "form": self.form,
            "arrangement": self.arrangement,
            "programs": self.programs,
            "pans": self.pans,
            "volumes": self.volumes,
            "swing": self.swing,
            "sections": [[one.name, one.role, one.first_bar, one.num_bars, one.seed] for one in self.sections],
        }
        if self.loops:
            header |= {
                "loops": [asdict(loop) for loop in self.loops],
                "loop_events": [asdict(event) for event in self.loop_events],
            }
        arrays: dict[str, Any] = {
            "header": np.array(json.dumps(header)),
            "planes": pack_rolls(self.planes),
            "velocities": self.velocities.astype(np.uint8),
            "timing_ticks": self.timing_ticks.astype(np.int16),
            "chords": self.chords,
        }
        if self.origins is not None:
            arrays["origins"] = self.origins.astype(np.uint8)
        for index, section in enumerate(self.sections):
            for name, values in section.latents.items():
                arrays[f"latents.{index}.{name}"] = values.astype(np.float32)
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def of_phrases(cls, phrases: Planes, spec: RollSpec, tracks: TracksSettings, tempo_bpm: float) -> Song:
        """Phrases `[count, 2, tracks, bars, steps, pitches]` one after another, played by the first arrangement."""
        notes = notes_from_roll(np.concatenate(list(phrases), axis=2), spec.lowest_pitch)
        arrangement = tracks.arrangements[0]
        return cls(
            number=1,
            seed=0,
            spec=spec,
            notes=notes,
            tempo_map=((0, tempo_bpm),),
            key="C major",
            form="phrases",
            arrangement=arrangement.name,
            programs=tuple(arrangement.programs),
            pans=tracks.pans,
            volumes=tracks.volumes,
            velocities=np.full(len(notes), 90, np.uint8),
            timing_ticks=np.zeros(len(notes), np.int16),
            sections=tuple(
                Section(f"phrase {index + 1}", "phrase", index * spec.bars, spec.bars) for index in range(len(phrases))
            ),
        )

    @classmethod
    def load(cls, path: Path) -> Song:
        """Read a song. A damaged or foreign file raises `UserError`."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls._from_arrays({name: arrays[name] for name in arrays.files})
        except FileNotFoundError as error:
            raise UserError(f"{path} is missing; run +stage=generate force=true.") from error
        except (ValueError, TypeError, KeyError, IndexError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise UserError(
                f"{path} is damaged or no song of ours ({error}); run +stage=generate force=true."
            ) from error
        except (OSError, MemoryError, NotImplementedError, RuntimeError, zlib.error) as error:
            raise UserError(f"{path} can't be read ({error}); run +stage=generate force=true.") from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Song:
        """The song that the arrays of `save` describe. Raises `ValueError`, `TypeError` or `KeyError` when none."""
        header = json.loads(str(arrays["header"]))
        if header["format"] != FORMAT:
            raise ValueError(f"its format is {header['format']}, not {FORMAT}")
        spec = RollSpec.from_dict(header["spec"])
        sections = tuple(
            Section(name, role, first_bar, num_bars, seed, _latents_of(arrays, index))
            for index, (name, role, first_bar, num_bars, seed) in enumerate(header["sections"])
        )
        planes = unpack_rolls(arrays["planes"], spec.num_pitches)
        expected = (2, spec.num_tracks, sum(section.num_bars for section in sections), spec.steps_per_bar)
        if planes.shape[:-1] != expected:
            raise ValueError(f"planes {planes.shape} do not fit {expected}")
        return cls(
            number=int(header["number"]),
            seed=int(header["seed"]),
            spec=spec,
            notes=notes_from_roll(planes, spec.lowest_pitch),
            tempo_map=tuple((int(step), float(tempo)) for step, tempo in header["tempo_map"]),
            key=str(header["key"]),
            form=str(header["form"]),
            arrangement=str(header["arrangement"]),
            programs=tuple(int(program) for program in header["programs"]),
            pans=tuple(float(pan) for pan in header["pans"]),
            volumes=tuple(float(volume) for volume in header["volumes"]),
            velocities=arrays["velocities"],
            timing_ticks=arrays["timing_ticks"],
            sections=sections,
            swing=float(header["swing"]),
            composed_chords=arrays["chords"].astype(np.int8),
            loops=tuple(FlippedLoop(**loop) for loop in header.get("loops", ())),
            loop_events=tuple(LoopEvent(**event) for event in header.get("loop_events", ())),
            origins=arrays.get("origins"),
        )


def _latents_of(arrays: dict[str, NDArray[Any]], index: int) -> dict[str, NDArray[np.float32]]:
    """The latents stored for section `index`."""
    prefix = f"latents.{index}."
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}


def song_paths(directory: Path) -> list[Path]:
    """The song files of a finished `generate` stage, in order. Raises `UserError` when there are none."""
    paths = sorted((directory / "songs").glob("[0-9]*.npz"))
    if not paths:
        raise UserError(f"{directory / 'songs'} holds no songs; run +stage=generate force=true.")
    return paths
