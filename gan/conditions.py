"""Conditions (attribute controls) of a phrase: how much each track plays and how, when, on which pitches; and labels.

Conditions are numbers in the units of a musician, a row a phrase, `[batch, ConditionLayout.size]`, in this order:

- for each track notes a bar; then for each the mean length of its notes in beats; then for each how many notes sound at
  once where it sounds; then for each the share of its notes that last one step only;
- the rhythm: for each step of a bar its share of all onsets;
- the chroma: for each pitch class from C upwards its share of all sound of pitched tracks;
- the chords: for each half bar root, quality and bass (`gan.chords`);
- the key (0 to 11 for major from C upwards, 12 to 23 for minor), the tempo in beats a minute, the number of a style.

NaN is no condition. Both networks read them through a `ConditionEncoder`; in training some are dropped, so that any may
be left open later (condition dropout, as for classifier-free guidance; Ho and Salimans, arXiv 2207.12598).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gan.chords import CHORD_NUMBERS, chord_tones, encode_chords, transpose_chords
from gan.ops.counts import count_cells, pack_cells
from gan.ops.upload import upload
from gan.spec import HOLD, ONSET, RollSpec

NUM_ATTRIBUTES = 4
DENSITY, LENGTH, VOICES, SHORT = range(NUM_ATTRIBUTES)
"""The attributes of a track: notes a bar, beats a note, notes at once, share of notes of one step."""
NUM_KEYS = 24
NUM_LABELS = 3
KEY, TEMPO, STYLE = range(-NUM_LABELS, 0)
"""Places at the end of a row of conditions, and of a row of labels; chords come before them."""
NUM_NEAREST = 8
"""Of so many phrases of the data, those nearest to the known conditions, one gives the unknown ones."""
MAX_DISTANCE = 25.0
"""How far apart two labels are, and numbers at most, in squared standard deviations; nothing so far off is near."""
TONALITY_SIZE = 12 + 12
"""Numbers in which a network is told which pitch classes are to sound: by the chroma, and by the key."""
DIATONIC = (0, 2, 4, 5, 7, 9, 11)
"""Semitones above the tonic of a major key of the notes that its key signature leaves as they are."""
FAINT_SHARE = 0.02
"""A pitch class with this share of the chroma counts half; one with none does not count."""
SILENT = 0.05
"""Notes a bar below which a track is to be silent."""


@dataclass(frozen=True)
class ConditionLayout:
    """Where in a row of conditions everything is."""

    tracks: int
    steps: int
    """Of a bar."""
    half_bars: int
    """Of the phrase; each has a chord."""

    @classmethod
    def of(cls, spec: RollSpec) -> ConditionLayout:
        """The layout for phrases of a `RollSpec`."""
        return cls(spec.num_tracks, spec.steps_per_bar, spec.half_bars)

    @property
    def size(self) -> int:
        """Numbers in a row."""
        return NUM_ATTRIBUTES * self.tracks + self.steps + 12 + CHORD_NUMBERS * self.half_bars + NUM_LABELS

    def attribute(self, attribute: int) -> slice:
        """The tracks' places of `DENSITY`, `LENGTH`, `VOICES` or `SHORT`."""
        return slice(attribute * self.tracks, (attribute + 1) * self.tracks)

    @property
    def attributes(self) -> slice:
        """All attributes of all tracks."""
        return slice(0, NUM_ATTRIBUTES * self.tracks)

    @property
    def rhythm(self) -> slice:
        """The rhythm."""
        return slice(self.attributes.stop, self.attributes.stop + self.steps)

    @property
    def chroma(self) -> slice:
        """The chroma."""
        return slice(self.rhythm.stop, self.rhythm.stop + 12)

    @property
    def chords(self) -> slice:
        """The chords, root, quality and bass of each half bar in turn."""
        return slice(self.chroma.stop, self.chroma.stop + CHORD_NUMBERS * self.half_bars)

    @property
    def labels(self) -> slice:
        """What is told of a phrase and not measured: the chords, key, tempo and style."""
        return slice(self.chords.start, self.size)

    def chords_of(self, conditions: Tensor) -> Tensor:
        """The chords in rows of conditions `[batch, size]`, `[batch, half_bars, 3]`."""
        return conditions[:, self.chords].view(-1, self.half_bars, CHORD_NUMBERS)


def no_conditions(count: int, spec: RollSpec) -> Tensor:
    """`count` rows that leave everything to chance."""
    return torch.full((count, ConditionLayout.of(spec).size), torch.nan)


def no_labels(count: int, spec: RollSpec) -> Tensor:
    """Labels `[count, 3 * half_bars + 3]` of phrases of which nothing is known."""
    labels = ConditionLayout.of(spec).labels
    return torch.full((count, labels.stop - labels.start), torch.nan)


def conditions_of(rolls: Tensor, labels: Tensor, spec: RollSpec, known: Tensor | None = None) -> Tensor:
    """Conditions measured from phrases, `[batch, ConditionLayout.size]`.

    Of a silent track only the density is known; of silence no rhythm, and of drums alone no chroma. Tracks that are
    not known have no attributes, and beside them the rhythm, which is that of all tracks, is open.

    Parameters
    ----------
    rolls
        Bool, `[batch, 2, tracks, bars, steps, pitches]`, of any number of bars.
    labels
        Chords, key, tempo and style `[batch, 3 * half_bars + 3]`, NaN where unknown.
    spec
        Of the rolls.
    known
        Bool `[batch, tracks]`, false where a track is silent for want of knowledge; without it all are known.
    """
    words = pack_cells(rolls.flatten(3, 4))
    onset, hold = words[:, ONSET], words[:, HOLD]  # [batch, tracks, time, words]
    sounding = onset | hold
    onsets, voices, long = (count_cells(one) for one in (onset, sounding, onset[:, :, :-1] & hold[:, :, 1:]))
    notes, cells = onsets.sum(2), voices.sum(2)
    short = notes - long.sum(2)
    attributes = [
        notes / rolls.shape[3],
        cells / notes / spec.steps_per_beat,
        cells / voices.ne(0).sum(2),
        short / notes,
    ]
    rhythm = onsets.sum(1).view(len(rolls), *rolls.shape[3:5]).sum(1)  # [batch, steps]
    pitched = upload(torch.tensor(spec.pitched, dtype=torch.long), rolls.device)
    pitches = sounding.index_select(1, pitched).sum(1).view(torch.uint8).sum(1)[:, : spec.num_pitches]
    classes = (torch.arange(spec.num_pitches, device=rolls.device) + spec.lowest_pitch) % 12
    chroma = pitches.new_zeros(len(rolls), 12).index_add(1, classes, pitches)  # GPUs have no product of whole numbers
    shares = [one / one.sum(1, keepdim=True) for one in (rhythm, chroma)]
    conditions = torch.cat([*attributes, *shares, labels.to(rolls.device)], dim=1)
    return conditions if known is None else leave_open(conditions, known, ConditionLayout.of(spec))


def leave_open(conditions: Tensor, known: Tensor, layout: ConditionLayout) -> Tensor:
    """Conditions `[batch, layout.size]` without those of tracks of which nobody knows what they play.

    These tracks, false in `known` `[batch, tracks]`, have no attributes; beside them the rhythm, which is that of all
    tracks, is open.
    """
    unknown, opened = ~known.to(conditions.device), conditions.clone()
    opened[:, layout.attributes].masked_fill_(unknown.repeat(1, NUM_ATTRIBUTES), torch.nan)
    opened[:, layout.rhythm].masked_fill_(unknown.any(1, keepdim=True), torch.nan)
    return opened


def complete_examples(conditions: Tensor, known: Tensor, layout: ConditionLayout) -> Tensor:
    """Conditions of phrases with those of unknown tracks taken from the phrases most like them (hot-deck imputation).

    Alike are phrases whose known tracks play as densely. What no phrase knows stays open.

    Parameters
    ----------
    conditions
        `[phrases, layout.size]`, as `conditions_of` has them.
    known
        Bool `[phrases, tracks]`.
    layout
        Of the conditions.
    """
    densities = torch.log1p(conditions[:, layout.attribute(DENSITY)])
    places = torch.arange(layout.attributes.stop).view(NUM_ATTRIBUTES, -1)
    gaps = [(~known[:, track], places[:, track]) for track in range(layout.tracks)]
    gaps.append((~known.all(1), torch.arange(layout.rhythm.start, layout.rhythm.stop)))
    filled = conditions.clone()
    for lacking, columns in gaps:
        if lacking.any() and not lacking.all():
            apart = (densities[lacking].unsqueeze(1) - densities[~lacking]).square().nan_to_num(0.0).sum(2)
            donors = conditions[~lacking][apart.argmin(1)]
            rows = lacking.nonzero()
            filled[rows, columns] = donors[:, columns]
    return filled


def transpose_conditions(conditions: Tensor, semitones: Tensor, layout: ConditionLayout) -> Tensor:
    """Conditions `[batch, size]` of phrases that were moved by `semitones` `[batch]`: key, chroma and chords move."""
    key = conditions[:, KEY]
    source = (torch.arange(12, device=conditions.device) - semitones.unsqueeze(1)) % 12
    moved = conditions.clone()
    moved[:, KEY] = 12 * (key // 12) + (key % 12 + semitones) % 12
    moved[:, layout.chroma] = conditions[:, layout.chroma].gather(1, source)
    moved[:, layout.chords] = transpose_chords(layout.chords_of(conditions), semitones).flatten(1)
    return moved


def interpolate_conditions(start: Tensor, end: Tensor, share: float, layout: ConditionLayout) -> Tensor:
    """Conditions at `share` (0 to 1) of the way: numbers change evenly, all that is no number half-way.

    That is chords, key, style, and whatever one of the ends lacks.
    """
    near = start if share < 0.5 else end
    middle = torch.lerp(start, end, share)
    middle[:, [KEY, STYLE]] = near[:, [KEY, STYLE]]
    middle[:, layout.chords] = near[:, layout.chords]
    return torch.where(middle.isnan(), near, middle)


class ConditionEncoder(nn.Module):
    """Conditions as inputs of a network: of the phrase, of each track, of each beat; what is unknown is all zeros.

    Parameters
    ----------
    spec
        Of the phrases.
    examples
        Conditions of phrases of the data, `[phrases][ConditionLayout.size]`: what is usual, and how widely it varies.
    num_styles
        Styles that the data's labels tell apart.

    Attributes
    ----------
    size
        Numbers in `forward`'s result.
    """

    TRACK_SIZE = 2 * NUM_ATTRIBUTES + 1
    """Numbers in which a network is told the attributes of a track."""

    centres: Tensor
    scales: Tensor
    half_bar_of_beats: Tensor

    def __init__(self, spec: RollSpec, examples: Sequence[Sequence[float]], num_styles: int) -> None:
        super().__init__()
        self.layout, self.num_styles = ConditionLayout.of(spec), num_styles
        self.size = self.TRACK_SIZE * spec.num_tracks + spec.steps_per_bar + 12 + 1 + 3 + NUM_KEYS + self.num_styles
        usual = self._scaled(torch.tensor(examples))
        centres = usual.nanmean(0).nan_to_num(0.0)
        scales = (usual - centres).square().nanmean(0).sqrt().nan_to_num(1.0)
        self.register_buffer("centres", centres)
        self.register_buffer("scales", scales.clamp(min=0.01))
        self.register_buffer("half_bar_of_beats", torch.tensor(spec.half_bar_of_beats), persistent=False)

    def _scaled(self, conditions: Tensor) -> Tensor:
        """Amounts and tempos as logarithms, in which musicians hear equal distances."""
        layout = self.layout
        amounts = torch.log1p(conditions[:, layout.attributes])
        shares = conditions[:, layout.rhythm.start : layout.chroma.stop]
        return torch.cat([amounts, shares, torch.log2(conditions[:, TEMPO, None])], dim=1)

    def impute(self, conditions: Tensor, examples: Tensor, random: torch.Generator) -> Tensor:
        """Conditions with their gaps filled as nearest neighbours in the data have it (hot-deck imputation).

        Parameters
        ----------
        conditions
            `[batch, ConditionLayout.size]`.
        examples
            Conditions of phrases of the data, `[phrases, ConditionLayout.size]`. Each gap is filled from one of the
            phrases that are nearest to the known conditions; where nothing is known, from any.
        random
            A CPU generator that draws the phrases.
        """
        scales = self.scales.to(conditions)
        distances = self._chord_distances(conditions, examples)
        for row, known in enumerate(conditions):
            off = ((self._scaled(known.unsqueeze(0)) - self._scaled(examples)) / scales).square()
            distances[row] += off.clamp(max=MAX_DISTANCE).nan_to_num(0.0).sum(1)
            for label in (KEY, STYLE):
                distances[row] += MAX_DISTANCE * ((examples[:, label] != known[label]) & ~known[label].isnan())
        ranked = distances.sort(1).values
        near = (distances <= ranked[:, min(NUM_NEAREST, len(examples)) - 1, None]) & (
            distances < ranked[:, :1] + MAX_DISTANCE
        )
        rows = torch.multinomial(near.cpu().to(torch.float32), 1, generator=random).squeeze(1)
        filled = torch.where(conditions.isnan(), examples[rows.to(examples.device)], conditions)
        silent = (filled[:, self.layout.attribute(DENSITY)] < SILENT).repeat(1, NUM_ATTRIBUTES)
        silent[:, self.layout.attribute(DENSITY)] = False
        filled[:, self.layout.attributes] = filled[:, self.layout.attributes].masked_fill(silent, torch.nan)
        return filled

    def _chord_distances(self, conditions: Tensor, examples: Tensor) -> Tensor:
        """`MAX_DISTANCE` by the share of the known chord tones that examples lack in the same half bars.

        `[batch, phrases]`; 0 where no chord is known.
        """
        wanted, found = (chord_tones(self.layout.chords_of(one)).flatten(1) for one in (conditions, examples))
        count = wanted.sum(1, keepdim=True)
        return MAX_DISTANCE * (count - wanted @ found.t()) / count.clamp(min=1)

    def chords(self, conditions: Tensor) -> Tensor:
        """The chord of each half bar, `[batch, half_bars, CHORD_SIZE]`, see `gan.chords.encode_chords`."""
        return encode_chords(self.layout.chords_of(conditions))

    def chords_of_beats(self, conditions: Tensor) -> Tensor:
        """The chord of the half bar in which each beat lies, `[batch, all beats, CHORD_SIZE]`."""
        return self.chords(conditions)[:, self.half_bar_of_beats]

    def tonality(self, conditions: Tensor) -> Tensor:
        """Which pitch classes are to sound, `[batch, TONALITY_SIZE]`: those of the chroma, those of the key signature.

        Numbers from 0 to 1; zeros for what is unknown.
        """
        chroma = conditions[:, self.layout.chroma].nan_to_num(0.0)
        key = conditions[:, KEY, None]
        tonics = torch.where(key >= 12, key + 3, key)  # a minor key has the signature of the major key a third above
        above = (torch.arange(12, device=conditions.device) - tonics) % 12
        in_key = (above.unsqueeze(2) == upload(torch.tensor(DIATONIC), conditions.device)).any(2)
        return torch.cat([chroma / (chroma + FAINT_SHARE), in_key.to(conditions)], 1)

    def tracks(self, conditions: Tensor) -> Tensor:
        """The attributes of each track, `[batch, tracks, TRACK_SIZE]`: which are known, how much, whether silence."""
        place = self.layout.attributes
        scaled = ((torch.log1p(conditions[:, place]) - self.centres[place]) / self.scales[place]).nan_to_num(0.0)
        known = (~conditions[:, place].isnan()).to(conditions)
        silent = (conditions[:, self.layout.attribute(DENSITY)] < SILENT).to(conditions)
        return torch.cat([known, scaled, silent], dim=1).view(conditions.shape[0], self.TRACK_SIZE, -1).transpose(1, 2)

    def forward(self, conditions: Tensor) -> Tensor:
        """What holds for the whole phrase, all but the chords: `[batch, ConditionLayout.size]` to `[batch, size]`."""
        rest = slice(self.layout.attributes.stop, None)
        scaled = ((self._scaled(conditions) - self.centres) / self.scales)[:, rest].nan_to_num(0.0)
        places = (self.layout.rhythm.start, self.layout.chroma.start, TEMPO)
        known = ~torch.stack([conditions[:, place] for place in places], 1).isnan()
        return torch.cat(
            [
                self.tracks(conditions).flatten(1),
                scaled,
                known.to(conditions),
                _one_hot(conditions[:, KEY], NUM_KEYS),
                _one_hot(conditions[:, STYLE], self.num_styles),
            ],
            dim=1,
        )


def _one_hot(numbers: Tensor, count: int) -> Tensor:
    """`[batch]` to `[batch, count]`; NaN gives zeros."""
    return (numbers.unsqueeze(1) == torch.arange(count, device=numbers.device)).to(numbers)
