"""Exploring the latent space: between phrases (`generate.interpolate`) and around one (`generate.like`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan.conditions import KEY, TEMPO, ConditionLayout, conditions_of, no_labels
from gan.context import Conditioning
from gan.latents import Latents
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.seeds import mix_seed
from gan.spec import HOLD, ONSET, RollSpec
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.progress import counted
from pipeline.scores.chords.symbols import transpose_rows
from pipeline.scores.keys import Key, key_name, read_key
from pipeline.scores.notes import Planes, cut_overlaps, notes_from_roll, roll_from_notes
from pipeline.scores.swing import STRAIGHT
from pipeline.songs.chord_requests import read_chords, requested_key
from pipeline.songs.explore.inversion import invert, roll_distance
from pipeline.songs.given_song import GivenSong, read_given
from pipeline.songs.humanizing import draw_performer, humanize
from pipeline.songs.key_and_tempo import draw_tempo, transpose_into_range
from pipeline.songs.plan import request_chords
from pipeline.songs.request import key_number, read_request, with_instruments
from pipeline.songs.seeds import ExplorationStream, SongRandomStream
from pipeline.songs.song import Section, Song
from pipeline.songs.trained_model import load_trained_model

NUM_ANY = 64
"""Phrases drawn to say how far any phrase is."""


@dataclass(frozen=True, eq=False)
class ShownPhrase:
    """A phrase to show: its name, bool planes of the generator's shape, and its latents `[1]` where it was made."""

    name: str
    planes: Planes
    latents: Latents | None


@dataclass(frozen=True, eq=False)
class Endpoint:
    """Where an interpolation begins or ends: latents `[1]`, and the phrase of a file that they were found for."""

    name: str
    latents: Latents
    original: ShownPhrase | None


class Explorer:
    """Makes the phrases of one exploration, and a song of them all; `remarks` say how near a phrase was found.

    Raises `UserError` where a file, the checkpoint or what is requested does not fit.
    """

    def __init__(self, config: Config, checkpoint: Path) -> None:
        model = load_trained_model(config, checkpoint)
        assert isinstance(model.generator, Generator) and isinstance(model.discriminator, Discriminator)
        self.config, self.model, self.spec = config, model, model.spec
        self.generator, self.discriminator = model.generator, model.discriminator
        self.layout = ConditionLayout.of(self.spec)
        request = read_request(config, self.spec, model.styles, model.in_common_key)
        chords, key = read_chords(config.generate.chords), requested_key(config.generate)
        if chords is not None and key is not None:
            rows = chords.everywhere("phrases to explore")
            rows = transpose_rows(rows, key.shift_to_common if model.in_common_key else 0)
            request_chords(request.conditions, np.resize(rows, (self.spec.half_bars, rows.shape[1])), self.layout)
        self.request = request.learnable(self.generator.examples, self.layout)
        self.remarks: list[str] = []
        self.like: GivenSong | None = None

    def explore(self) -> Song:
        """All phrases one after another; the sections have their names."""
        settings = self.config.generate
        start = self._endpoint_of("like", settings.like) if settings.like is not None else self._drawn(settings.seed)
        if settings.interpolate is None:
            phrases = self._around(start)
            title = f"near {start.name}, distance {settings.distance:g}"
        else:
            towards = settings.towards if settings.towards is not None else str(settings.seed + 1)
            end = self._drawn(int(towards)) if towards.isdigit() else self._endpoint_of("towards", towards)
            phrases = self._between(start, end, settings.interpolate)
            title = f"from {start.name} to {end.name}"
        return self._song(phrases, title)

    def _around(self, start: Endpoint) -> list[ShownPhrase]:
        """The phrase, what was found for it, and variations at the distance requested."""
        settings = self.config.generate
        phrases = [ShownPhrase("found", self._make(start.latents)[0], start.latents)]
        for number in range(1, settings.songs + 1):
            random = self._random(settings.seed, ExplorationStream.VARIATION, number)
            fresh = self.generator.sample_latents(settings.candidates, random)
            near = start.latents.repeat(settings.candidates)
            varied = near.interpolate(self._in_key_of(start, fresh), settings.distance, self.layout)
            phrases.append(self._best(f"variation {number}", varied))
        return [*([start.original] if start.original else []), *phrases]

    def _between(self, start: Endpoint, end: Endpoint, count: int) -> list[ShownPhrase]:
        """Phrases at even distances on the way, both ends and the phrases they were found for included."""
        phrases = []
        for number in range(count):
            latents = start.latents.interpolate(end.latents, number / (count - 1), self.layout)
            phrases.append(ShownPhrase(f"step {number + 1}", self._make(latents)[0], latents))
        first, last = ([one.original] if one.original else [] for one in (start, end))
        return [*first, *phrases, *last]

    def _random(self, *numbers: int) -> torch.Generator:
        return torch.Generator().manual_seed(mix_seed(*numbers, SongRandomStream.EXPLORATION))

    def _drawn(self, seed: int) -> Endpoint:
        """The phrase of a seed that the discriminator scores highest."""
        fresh = self.generator.sample_latents(self.config.generate.candidates, self._random(seed))
        best = self._best(f"seed {seed}", fresh).latents
        assert best is not None
        return Endpoint(f"seed {seed}", best, None)

    def _endpoint_of(self, key: str, value: str) -> Endpoint:
        """The phrase of a file, and the latents found for it."""
        config, settings, spec = self.config, self.config.generate, self.spec
        limits = (config.collect.max_file_megabytes, config.transcribe)
        given = read_given(
            value, f"generate.{key}", spec, config.tracks, *limits, play_repeats=config.prepare.play_repeats
        )
        self.remarks += given.remarks
        home = given.key
        if key == "like":
            self.like = given
            home = read_key(settings.key) if settings.key is not None else given.key
        shift = home.shift_to_common if home is not None and self.model.in_common_key else 0
        first, planes = phrase_of(given, shift, settings.from_bar, spec, f"generate.{key}={value}")
        roll = torch.from_numpy(planes)
        label = key_number(home, self.model.in_common_key) if home is not None else torch.nan
        labels = no_labels(1, spec)
        labels[0, KEY], labels[0, TEMPO] = label, given.mean_bpm
        conditions = conditions_of(roll.unsqueeze(0), labels, spec)[0]
        conditions = torch.where(self.request.conditions.isnan(), conditions, self.request.conditions)
        conditions = (
            replace(self.request, conditions=conditions).learnable(self.generator.examples, self.layout).conditions
        )
        latents = invert(self.generator, roll, conditions)
        found, any_other = self.distances(roll, latents)
        bar = first - given.pickup_bars + 1
        self.remarks.append(
            f"what was found for bars {bar} to {bar + spec.bars - 1} of {given.name} is {found:.2f} from them; "
            f"phrases in general are {any_other:.2f} away (0 is the same)."
        )
        return Endpoint(given.name, latents, ShownPhrase(given.name, planes, None))

    def distances(self, phrase: Tensor, latents: Latents) -> tuple[float, float]:
        """How unlike a phrase `[*spec.shape]` the one of `latents` is, and phrases in general are."""
        others = self.generator.sample_latents(
            NUM_ANY, self._random(self.config.generate.seed, ExplorationStream.ANY_PHRASE)
        )
        target = self.generator.encode(phrase.unsqueeze(0).to(others.z.device))
        with torch.no_grad():
            found, far = (
                roll_distance(self.generator.encode(self.generator.sample(one)), target).mean()
                for one in (latents, others)
            )
        return float(found), float(far)

    def _in_key_of(self, start: Endpoint, fresh: Latents) -> Latents:
        """Latents with the key, the chroma and the chords of an end among their conditions."""
        conditions, own = fresh.conditions.clone(), start.latents.conditions
        harmony = slice(self.layout.chroma.start, self.layout.chords.stop)
        conditions[:, KEY], conditions[:, harmony] = own[:, KEY], own[:, harmony]
        return replace(fresh, conditions=conditions)

    def _make(self, latents: Latents) -> Planes:
        """Phrases, bool `[batch, *spec.shape]`; where a key or chords are requested the chroma is open."""
        request, layout = self.request, self.layout
        conditioned = latents.with_conditions(request.conditions.to(latents.z.device).expand(len(latents), -1))
        if not bool(request.conditions[[KEY, layout.chords.start]].isnan().all()):
            conditioned.conditions[:, layout.chroma] = torch.nan
        rolls = self.generator.sample(
            conditioned, None, request.condition_strength, request.temperature, request.chord_strength
        )
        planes: Planes = rolls.cpu().numpy()
        return planes

    def _best(self, name: str, latents: Latents) -> ShownPhrase:
        """The phrase that the discriminator scores highest."""
        planes = self._make(latents)
        device = latents.z.device
        mask = torch.zeros(len(latents), self.spec.num_tracks, self.spec.bars, dtype=torch.bool, device=device)
        conditioning = Conditioning(self.request.conditions.to(device).expand(len(latents), -1), mask)
        index = int(self.discriminator.score(torch.from_numpy(planes).to(device), conditioning).argmax())
        return ShownPhrase(name, planes[index], latents[index : index + 1])

    def _song(self, phrases: list[ShownPhrase], title: str) -> Song:
        """All phrases as one song, in the key of the file or the one requested."""
        config, settings, spec, like = self.config, self.config.generate, self.spec, self.like
        random = np.random.default_rng(mix_seed(settings.seed, ExplorationStream.TEMPO, SongRandomStream.EXPLORATION))
        tempo = draw_tempo(config.data.tempo_bpm, self.model.music["tempo_bpm"], random)
        tempo = like.mean_bpm if like is not None else tempo
        tempo = settings.tempo_bpm if settings.tempo_bpm is not None else tempo
        key = self._key(phrases)
        shift = key.shift_to_common if self.model.in_common_key else 0
        notes = notes_from_roll(np.concatenate([one.planes for one in phrases], axis=2), spec.lowest_pitch)
        notes = cut_overlaps(transpose_into_range(notes, -shift, spec))
        sections = tuple(
            Section(one.name, "phrase", index * spec.bars, spec.bars, latents=_arrays(one.latents))
            for index, one in enumerate(phrases)
        )
        player = draw_performer(self.model.performance, notes, spec, tempo, settings.seed, settings.style)
        amount, is_swung = settings.humanize, settings.swing is not None
        velocities, timing = humanize(
            notes, spec, sections, self.model.performance, player, amount, settings.seed, is_swung
        )
        arrangement = config.tracks.arrangements[0]
        given_programs = like.programs if like is not None else (None,) * spec.num_tracks
        programs = [
            program if given is None else given
            for program, given in zip(arrangement.programs, given_programs, strict=True)
        ]
        return Song(
            number=1,
            seed=settings.seed,
            spec=spec,
            notes=notes,
            tempo_map=((0, tempo),),
            key=key_name(key),
            form=title,
            arrangement=arrangement.name,
            programs=with_instruments(programs, settings.instruments, spec),
            pans=config.tracks.pans,
            volumes=config.tracks.volumes,
            velocities=velocities,
            timing_ticks=timing,
            sections=sections,
            swing=STRAIGHT if settings.swing is None else settings.swing,
        )

    def _key(self, phrases: list[ShownPhrase]) -> Key:
        """The key that is requested, else the file's, else that of the first phrase's conditions."""
        settings = self.config.generate
        if settings.key is not None:
            return read_key(settings.key)
        if self.like is not None and self.like.key is not None:
            return self.like.key
        keys = [float(one.latents.conditions[0, KEY]) for one in phrases if one.latents is not None]
        number = int(keys[0]) if not np.isnan(keys[0]) else 0
        return Key(number % 12, number >= 12)


def phrase_of(given: GivenSong, shift: int, from_bar: int | None, spec: RollSpec, setting: str) -> tuple[int, Planes]:
    """A phrase of a song, moved by `shift` semitones: its first bar, counted from 0, and bool planes of `spec.shape`.

    It begins in `from_bar`, counted from 1, or where first as many tracks sound as anywhere. Raises `UserError`
    naming the `setting` when the song is over before.
    """
    if given.bars < spec.bars:
        raise UserError(f"{setting} has {counted(given.bars, 'bar')}, and a phrase has {spec.bars}.")
    planes = roll_from_notes(transpose_into_range(given.notes, shift, spec), spec, given.bars)
    last = given.bars - spec.bars
    if from_bar is not None:
        first = given.pickup_bars + from_bar - 1
        if first > last:
            most = last - given.pickup_bars + 1
            raise UserError(f"generate.from_bar={from_bar} is too late for {given.name}; {max(most, 1)} is the last.")
    else:
        sounding = np.asarray(planes.any(axis=(0, 3, 4)))  # [tracks, bars]
        counts = [int(sounding[:, start : start + spec.bars].sum()) for start in range(last + 1)]
        first = int(np.argmax(counts))
    phrase = planes[:, :, first : first + spec.bars].copy()
    phrase[ONSET, :, 0, 0] |= phrase[HOLD, :, 0, 0]
    phrase[HOLD, :, 0, 0] = False
    return first, phrase


def _arrays(latents: Latents | None) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Latents as a song stores them."""
    return {} if latents is None else {name: value.cpu().numpy() for name, value in latents.to_dict().items()}
