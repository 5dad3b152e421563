"""Quantisation: which bars of a score are in the metre that is asked for, and their notes on the grid of steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.chords import QUALITY
from gan.spec import RollSpec
from pipeline.errors import UnusableError
from pipeline.scores.chords.recognition import half_bar_starts, recognise_chords, written_chords
from pipeline.scores.chords.symbols import UNKNOWN, UNKNOWN_SYMBOL, ChordRows, unknown_chords
from pipeline.scores.downbeats import downbeat_fits, estimate_downbeat
from pipeline.scores.notes import Notes, cut_columns
from pipeline.scores.score import MAX_BARS, Metre, Score
from pipeline.scores.tracks import AssignedPart
from pipeline.settings.metre import metre_setting

TINY = 1e-3
"""Quarter notes; differences below come from rounding in files."""
OFF_LINE = 1 / 16
"""Quarter notes: a metre that begins no further from a bar line begins on it."""
SHORTEST_DIVIDED = 6.0
"""Quarter notes of a bar that may count as two."""
MARGIN_OF_SECOND = 0.3
"""How much better the second bar must fit as the first of a pair than the first does (in logits)."""
BARS_OF_A_CHORD = 4
"""A chord symbol holds no longer where no other follows."""
LONGEST_BEAT = 1.0
"""Quarter notes: a bar of one beat is no bar, whatever a header says."""


@dataclass(frozen=True)
class BarSpan:
    """Bars of one metre in a row."""

    start: float
    """Where its first bar starts, in quarter notes."""
    bars: int
    first_bar: int
    """How many bars of the song come before, a pickup not counted."""


class MetreError(UnusableError):
    """Music in another metre; `found` says in which, `advice` what takes it."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(f"is in {found}; {advice}")
        self.found, self.advice = found, advice


def usable_spans(score: Score, spec: RollSpec, trust_metre: bool, pair_bars: bool = False) -> list[BarSpan]:
    """The spans of at least `spec.bars` bars that are in the metre of `spec`.

    2/2 and 8/8 count as 4/4, and a bar of 8/4 or 4/2 as two of them, but 6/8 is not 3/4: its bars are as long, its
    beats are others. Where a metre can't be trusted, the whole score is one span and its downbeat is estimated.

    Parameters
    ----------
    score, spec
        What is read, and the grid that it should go to.
    trust_metre
        Whether the score's bar lines are taken.
    pair_bars
        Whether two bars of half the length count as one; where pairs begin is estimated.

    Raises
    ------
    UnusableError
        There is none: another metre (`MetreError`), too short, or longer than any music is.
    """
    bar_length, end = spec.quarters_per_bar, score.end
    if end > MAX_BARS * bar_length:
        raise UnusableError(f"too long: {end / bar_length:,.0f} bars")
    if trust_metre:
        written = merge_metres(score.metres)
        metres = written
        if not all(is_metre_of(spec, one) for one in written):
            metres = merge_metres(tuple(_in_bars_of(spec, written, score, pair_bars)))
    else:
        start = estimate_downbeat(score, spec.beats_per_bar, spec.quarters_per_beat)
        written = metres = (Metre(start, *map(int, spec.metre.split("/"))),)
    spans, first_bar = [], 0
    for metre, stop in _until(metres, end):
        bars = _bars_until(stop, metre, end)
        if is_metre_of(spec, metre):
            spans.append(BarSpan(metre.start, bars, first_bar))
        first_bar += bars
    usable = [one for one in spans if one.bars >= spec.bars]
    if not usable:
        raise _no_span(spec, written, spans, end, pair_bars)
    return usable


def mend_metre(score: Score, spec: RollSpec) -> Score:
    """A score whose header counts bars of one beat, which no music has, with estimated bars of 4/4 and a remark.

    Programs that know nothing of bars write 1/4. Any other score is given back, and so is this one where something
    else than 4/4 is made: most of them are in 4/4, and nothing says which are not.
    """
    if spec.metre != "4/4" or all(one.bar_length > LONGEST_BEAT for one in score.metres) or not score.end:
        return score
    main, _ = main_metre(merge_metres(score.metres), score.end)
    if main.bar_length > LONGEST_BEAT:
        return score
    start = estimate_downbeat(score, spec.beats_per_bar)
    remark = f"bar lines of {spec.metre} are estimated (the header says {main})"
    return replace(score, metres=(Metre(start, 4, 4),), remarks=(*score.remarks, remark))


def is_metre_of(spec: RollSpec, metre: Metre) -> bool:
    """Whether bars of `metre` are bars of `spec`: as long, and with as many beats of the same kind."""
    if spec.is_compound or metre.is_compound:
        return spec.metre == str(metre)
    return abs(metre.bar_length - spec.quarters_per_bar) < TINY


def in_bars_of(spec: RollSpec, metre: Metre, pair_bars: bool) -> Metre:
    """`metre` in bars of `spec`, where it can be said so: long bars divided, short ones in pairs if asked for."""
    if is_metre_of(spec, metre):
        return metre
    divided = metre
    while divided.numerator % 2 == 0 and divided.bar_length >= SHORTEST_DIVIDED:
        divided = Metre(metre.start, divided.numerator // 2, metre.denominator)
        if is_metre_of(spec, divided):
            return divided
    paired = Metre(metre.start, 2 * metre.numerator, metre.denominator)
    return paired if pair_bars and is_metre_of(spec, paired) else metre


def _in_bars_of(spec: RollSpec, written: tuple[Metre, ...], score: Score, pair_bars: bool) -> Iterator[Metre]:
    """The metres of a score in bars of `spec` where they can be; a pair begins where a bar of `spec` most likely does.

    The first of its bars stays alone where pairs begin on the second; at the beginning of a score it is a pickup. Long
    bars are divided where most of the score has them: among others they are what they say.
    """
    main, _ = main_metre(written, score.end)
    for metre, stop in _until(written, score.end):
        if metre.bar_length > spec.quarters_per_bar and str(metre) != str(main):
            yield metre
            continue
        found = in_bars_of(spec, metre, pair_bars)
        if found.bar_length > metre.bar_length:
            beats = round(metre.bar_length / spec.quarters_per_beat * 2) / 2
            scored = downbeat_fits(score, found.start, stop, spec.beats_per_bar, spec.quarters_per_beat)
            if beats.is_integer() and scored[int(beats)] > scored[0] + MARGIN_OF_SECOND:
                if metre is not written[0]:
                    yield metre
                found = replace(found, start=metre.start + metre.bar_length)
        yield found


def _bars_until(stop: float, metre: Metre, end: float) -> int:
    """How many bars of `metre` there are until `stop`.

    The last bar of a song counts whole, what another metre cuts off does not.
    """
    length = max(stop - metre.start, 0.0)
    whole = np.ceil((length - TINY) / metre.bar_length) if stop == end else (length + TINY) // metre.bar_length
    return max(int(whole), 0)


def _no_span(
    spec: RollSpec, written: tuple[Metre, ...], spans: list[BarSpan], end: float, pair_bars: bool
) -> UnusableError:
    """Why a score has no span of `spec.bars` bars, and what can be done; `written` are its metres as they stand."""
    main, quarters = main_metre(written, end)
    own = max((one.bars for one in spans), default=0)
    taken = is_metre_of(spec, in_bars_of(spec, main, pair_bars))
    run = (
        own
        if taken
        else max(_bars_until(stop, one, end) for one, stop in _until(written, end) if str(one) == str(main))
    )
    if run >= spec.bars:
        return MetreError(str(main), _advice(spec, main))
    if end - quarters < main.bar_length and quarters < (spec.bars - 1) * main.bar_length + TINY:
        of_metre = "" if taken else f" of {main}"
        return UnusableError(
            f"too short: {run} bar{'s' if run != 1 else ''}{of_metre}, and phrases have {spec.bars} (roll.bars)"
        )
    return UnusableError(f"no {spec.bars} bars of {spec.metre} in a row ({own} at most, roll.bars is {spec.bars})")


def main_metre(metres: tuple[Metre, ...], end: float) -> tuple[Metre, float]:
    """The metre that most of a score is in, as if from its beginning, and how many quarter notes are."""
    quarters: defaultdict[tuple[int, int], float] = defaultdict(float)
    for metre, stop in _until(metres, end):
        quarters[metre.numerator, metre.denominator] += max(stop - metre.start, 0.0)
    main = max(quarters, key=lambda one: quarters[one])
    return Metre(0.0, *main), quarters[main]


def _until(metres: tuple[Metre, ...], end: float) -> Iterator[tuple[Metre, float]]:
    """Each metre, and where it ends."""
    for metre, following in zip(metres, [*metres[1:], None], strict=True):
        yield metre, min(following.start, end) if following else end


def _advice(spec: RollSpec, metre: Metre) -> str:
    """What takes music of a metre that `spec` does not."""
    if is_metre_of(spec, Metre(0.0, 2 * metre.numerator, metre.denominator)):
        return "data.pair_bars=true takes two bars as one"
    if metre.bar_length <= LONGEST_BEAT:
        return f"such bars say nothing: data.trust_metre=false estimates those of {spec.metre}"
    setting = metre_setting(metre.numerator, metre.denominator)
    if not setting:
        return "no setting takes such bars"
    return f"{setting} takes {'two bars as one' if 'pair_bars' in setting else 'such music'}"


def merge_metres(metres: tuple[Metre, ...]) -> tuple[Metre, ...]:
    """Metres without those that only repeat the one before, on one of its bar lines, or last no time at all.

    One that begins less than `OFF_LINE` from a bar line begins on it: players round, and no bar is so short.
    """
    merged: list[Metre] = []
    for metre in metres:
        if merged:
            off = _off_line(metre, merged[-1])
            if TINY <= abs(off) < OFF_LINE:
                metre = replace(metre, start=metre.start - off)
            if metre.start - merged[-1].start < TINY:
                merged.pop()
        if merged and abs(_off_line(metre, merged[-1])) < TINY and _alike(metre, merged[-1]):
            continue
        merged.append(metre)
    return tuple(merged)


def _off_line(metre: Metre, before: Metre) -> float:
    """How far after the nearest bar line of the metre before it a metre begins, in quarter notes."""
    bars = (metre.start - before.start) / before.bar_length
    return (bars - round(bars)) * before.bar_length


def _alike(one: Metre, other: Metre) -> bool:
    """Whether two metres have bars of the same length and beats of the same kind."""
    if one.is_compound or other.is_compound:
        return str(one) == str(other)
    return abs(one.bar_length - other.bar_length) < TINY


def quantise(parts: list[AssignedPart], span: BarSpan, spec: RollSpec) -> Notes:
    """Quantised notes: those that start in `span`, onsets counted in steps from its first bar line, in canonical order.

    Onset and end go to the nearest step, and every note lasts a step at least. Notes of one track and pitch that
    touch stay two; where they overlap the later cuts the earlier. Drum hits last one step. Pitches may lie outside
    the range of `spec`.
    """
    first, duration = (np.concatenate([part.events[name] for part in parts]) for name in ("onset", "duration"))
    pitch = np.concatenate([part.events["pitch"] for part in parts], dtype=np.int64)
    counts = [len(part.events) for part in parts]
    num_steps = span.bars * spec.steps_per_bar
    first -= span.start
    onset = to_steps(first, spec)
    length = np.maximum(np.minimum(to_steps(first + duration, spec), num_steps) - onset, 1)
    track = np.repeat([part.track for part in parts], counts)
    for line in {part.track for part in parts if part.is_line}:
        kept = _one_at_a_time(onset, length, pitch, track == line)
        track, pitch, onset, length = (column[kept] for column in (track, pitch, onset, length))
    for drum in (index for index, one in enumerate(spec.tracks) if one.is_drum):
        length[track == drum] = 1
    inside = (onset >= 0) & (onset < num_steps)
    if not inside.all():
        track, pitch, onset, length = (column[inside] for column in (track, pitch, onset, length))
    return cut_columns(track, pitch, onset, length)


def quantise_chords(score: Score, notes: Notes, span: BarSpan, spec: RollSpec) -> tuple[ChordRows, bool]:
    """The chord of each half bar of `span`, int8 `[2 * bars, 3]`, and whether most of them are written.

    Chord symbols of the score come first; elsewhere chords are recognised from its `notes`, quantised as they sound.
    Drums alone do not say what the chords are. Symbols that say where chords are unknown are taken at their word: there
    nothing is recognised, and a chord holds until the next symbol, however long.
    """
    has_pitches = bool(np.isin(notes["track"], spec.pitched).any())
    found = recognise_chords(notes, span.bars, spec) if has_pitches else unknown_chords(2 * span.bars)
    if not score.chords:
        return found, False
    is_complete = any(chord == UNKNOWN_SYMBOL for _, chord in score.chords)
    longest = np.inf if is_complete else BARS_OF_A_CHORD * spec.quarters_per_bar
    ends = np.append(half_bar_starts(span.bars, spec), span.bars * spec.steps_per_bar)
    written = written_chords(score.chords, span.start + ends / spec.steps_per_quarter, longest)
    is_written = written[:, QUALITY] != UNKNOWN
    if is_complete:
        return written, bool(is_written.mean() > 0.5)
    return np.where(is_written[:, None], written, found), bool(is_written.mean() > 0.5)


def played(
    parts: list[AssignedPart], span: BarSpan, notes: Notes, spec: RollSpec
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """How the notes that `quantise` gave were played.

    Returns
    -------
    velocities, offsets
        `[notes]` each: MIDI velocity (1 to 127; of notes that fell together the loudest), and how much later than its
        step a note began, in steps (-.5 to .5).
    """
    onset, pitch, velocity = (
        np.concatenate([part.events[name] for part in parts]) for name in ("onset", "pitch", "velocity")
    )
    track = np.repeat([part.track for part in parts], [len(part.events) for part in parts])
    onset = onset - span.start
    steps = to_steps(onset.copy(), spec)
    keys = _note_keys(track, pitch, steps)
    order = np.lexsort((velocity, keys))
    wanted = _note_keys(notes["track"], notes["pitch"], notes["onset"])
    loudest = order[np.searchsorted(keys[order], wanted, side="right") - 1]
    offsets = np.clip(onset[loudest] * spec.steps_per_quarter - steps[loudest], -0.5, 0.5)
    return np.clip(velocity[loudest], 1, 127).astype(np.uint8), offsets


def _note_keys(track: NDArray[Any], pitch: NDArray[Any], step: NDArray[Any]) -> NDArray[np.int64]:
    """A number for each note by which they can be found."""
    return np.asarray((track.astype(np.int64) * 256 + pitch) * (1 << 32) + step, dtype=np.int64)


def _one_at_a_time(
    onset: NDArray[np.int64], length: NDArray[np.int64], pitch: NDArray[np.int64], is_line: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which notes stay so that of a line one begins at a step, the longest; their lengths end where the next begins."""
    kept = np.ones(len(onset), bool)
    own = np.flatnonzero(is_line)
    own = own[np.lexsort((-pitch[own], -length[own], onset[own]))]
    first = np.r_[True, np.diff(onset[own]) > 0][: len(own)]
    kept[own[~first]] = False
    own = own[first]
    length[own[:-1]] = np.minimum(length[own[:-1]], np.diff(onset[own]))
    return kept


def to_steps(
    quarters: np.ndarray[tuple[int], np.dtype[np.float64]], spec: RollSpec
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The nearest steps; what lies exactly between two goes to the later."""
    steps = quarters * spec.steps_per_quarter
    steps += 0.5 + TINY
    return np.floor(steps, out=steps).astype(np.int64)
