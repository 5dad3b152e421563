"""Scores of MIDI files of every format, with any messages, and of damaged ones."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from pipeline.scores.chords.symbols import UNKNOWN_SYMBOL, ChordSymbol, read_chord
from pipeline.scores.midi.chunks import read_header
from pipeline.scores.midi.events import TICK, VALUE, TrackEvents
from pipeline.scores.midi.parts import TRACK_NAME, decode_text, meta_text, track_parts
from pipeline.scores.midi.tracks import read_tracks
from pipeline.scores.score import DEFAULT_BPM, Metre, Score
from pipeline.scores.swing import STRAIGHT, swing_in

TEXT, LYRIC, MARKER, SET_TEMPO, TIME_SIGNATURE = 0x01, 0x05, 0x06, 0x51, 0x58
"""Types of meta events."""
KARAOKE_MARK = b"@"
"""What texts of karaoke files begin with that are no words."""
FEWEST_SYLLABLES = 8
"""Of a text that is sung."""
FEWEST_CHORDS, SHARE_OF_CHORDS = 4, 0.5
"""Markers that are chord symbols, and their share of all, from which on they are taken for such."""
LARGEST_POWER = 8
"""Of two, in a time signature's denominator."""
GRID = 4
"""Steps a beat; the beat of which more onsets lie on them is that of music in time code."""
FAR = 0.1
"""Steps; onsets that lie so far from theirs on average do not fit a tempo."""
TEMPI = np.arange(70, 140, 0.5)
"""An octave of beats a minute, among which the tempo is looked for that fits."""


def read_by_events(content: bytes, title: str) -> list[Score]:
    """The scores in a MIDI file: one, or of format 2 one for each track with notes.

    Raises
    ------
    UnusableError
        The file is cut off or too damaged to be read.
    """
    header = read_header(content)
    tracks, mended = read_tracks(content, header)
    if header.format == 2 and len(tracks) > 1:
        songs = [[track] for track in tracks if len(track.notes)]
        titles = [_title(title, number, meta_text(track, TRACK_NAME)) for number, (track,) in enumerate(songs, 1)]
    else:
        songs, titles = [tracks], [title]
    scores = []
    for name, song in zip(titles, songs, strict=True):
        if header.ticks_per_second:
            ticks, tempos, remark = _beat_of_time_code(song, header.ticks_per_second)
            remarks = [*mended, remark]
        else:
            ticks, tempos, remarks = float(header.division), _tempos(song, header.division), mended
        metres = _metres(song, ticks)
        parts, guessed = track_parts(song, ticks, _bar_end(metres, ticks))
        told = (*remarks, *guessed)
        score = Score(name, parts, metres, tempos, told, _syllables(song, ticks), _chords(song, ticks))
        scores.append(score.straightened(_swing(song)))
    return scores or [Score(title, (), (Metre(0.0, 4, 4),), (), tuple(mended))]


def _title(title: str, number: int, name: str) -> str:
    """The title of one song of a file of several."""
    return f"{title} {number}" + (f" {name}" if name else "")


def _metas(tracks: list[TrackEvents], kind: int, least: int) -> list[tuple[int, bytes]]:
    """Meta events of a kind and of at least so many bytes, in time."""
    found = [(tick, body) for track in tracks for tick, _, body in track.metas(kind) if len(body) >= least]
    return sorted(found, key=lambda one: one[0])


def _metres(tracks: list[TrackEvents], ticks: float) -> tuple[Metre, ...]:
    """Time signatures; 4/4 until the first."""
    metres = [
        Metre(tick / ticks, body[0], 2 ** body[1])
        for tick, body in _metas(tracks, TIME_SIGNATURE, 2)
        if body[0] and body[1] <= LARGEST_POWER
    ]
    return tuple(metres) if metres and metres[0].start <= 0 else (Metre(0.0, 4, 4), *metres)


def _swing(tracks: list[TrackEvents]) -> float:
    """How far the notes swing, where a text event at the beginning says so."""
    texts = (decode_text(body) for track in tracks for tick, _, body in track.metas(TEXT) if tick == 0)
    return max((swing_in(text) for text in texts), default=STRAIGHT)


def _syllables(tracks: list[TrackEvents], ticks: float) -> tuple[float, ...]:
    """Where syllables stand: lyric events, or the texts of karaoke files, which have one for each syllable."""
    for kind in (LYRIC, TEXT):
        found = [tick for tick, text in _metas(tracks, kind, 1) if text.strip(b" \r\n/\\") and text[:1] != KARAOKE_MARK]
        if len(set(found)) >= FEWEST_SYLLABLES:
            return tuple(tick / ticks for tick in sorted(set(found)))
    return ()


def _chords(tracks: list[TrackEvents], ticks: float) -> tuple[tuple[float, ChordSymbol], ...]:
    """Chord symbols among the markers, where many are: a few single letters name sections.

    Markers that are all chords, the last saying that none is known from there on, are chords however few they are.
    """
    texts = [(tick, decode_text(body).strip()) for tick, body in _metas(tracks, MARKER, 1)]
    markers = [(tick, text) for tick, text in texts if text]
    found: list[tuple[float, ChordSymbol]] = []
    more_than_letters = 0
    for tick, text in markers:
        if text == UNKNOWN_SYMBOL:
            found.append((tick / ticks, UNKNOWN_SYMBOL))
            continue
        with suppress(ValueError):
            found.append((tick / ticks, read_chord(text)))
            more_than_letters += len(text) > 1
    if found and len(found) == len(markers) and found[-1][1] == UNKNOWN_SYMBOL:
        return tuple(found)
    count = sum(chord != UNKNOWN_SYMBOL for _, chord in found)
    clear = count >= max(FEWEST_CHORDS, SHARE_OF_CHORDS * len(markers)) and more_than_letters
    return tuple(found) if clear else ()


def _tempos(tracks: list[TrackEvents], ticks: float) -> tuple[tuple[float, float], ...]:
    """Start in quarter notes and beats a minute."""
    found = [(tick / ticks, int.from_bytes(body[:3], "big")) for tick, body in _metas(tracks, SET_TEMPO, 3)]
    tempos = [(start, 60e6 / length) for start, length in found if length]
    return tuple((start, bpm) for start, bpm in tempos if 1 < bpm < 2000)


def _beat_of_time_code(
    tracks: list[TrackEvents], ticks_per_second: float
) -> tuple[float, tuple[tuple[float, float], ...], str]:
    """Ticks a beat, tempo and a remark for a file that counts seconds.

    Its tempo events do not move its notes, but may say what the beat is: the beat of the default tempo or of the first
    tempo event is taken, whichever has more onsets on its sixteenths. Where neither fits, another tempo may: of those
    that do, the one with the most onsets on its beats.
    """
    named = [bpm for _, bpm in _tempos(tracks, 1.0)[:1]]
    notes = np.concatenate([track.notes for track in tracks])
    onsets = notes[notes[:, VALUE] > 0, TICK]

    def distance(bpm: float, grid: int = GRID) -> float:
        steps = onsets * bpm * grid / 60 / ticks_per_second
        return float(np.mean(np.abs(steps - np.round(steps)))) if len(steps) else 0.0

    bpm = min((*named, DEFAULT_BPM), key=distance)
    if distance(bpm) > FAR:
        fitting = [tempo for tempo in TEMPI.tolist() if distance(tempo) <= FAR]
        bpm = min(fitting, key=lambda tempo: distance(tempo, 1), default=bpm)
    remark = f"it counts time code, not beats, and was read at a tempo ({bpm:.4g} beats a minute)"
    return ticks_per_second * 60 / bpm, ((0.0, bpm),), remark


def _bar_end(metres: tuple[Metre, ...], ticks: float) -> Callable[[int], int]:
    """A function that gives the tick at which the bar of a tick ends."""
    starts = [metre.start for metre in metres]

    def end(tick: int) -> int:
        at = bisect_right(starts, tick / ticks) - 1
        length = metres[at].bar_length
        bars = (tick / ticks - starts[at] + 1e-9) // length + 1
        stop = starts[at] + bars * length
        return round(min([stop, *starts[at + 1 : at + 2]]) * ticks)

    return end
