"""The records of `generate.flip`, read once, and the loops that songs take from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gan.spec import RollSpec
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.progress import say
from pipeline.scores.notes import Notes, make_notes
from pipeline.songs.flip.flip_request import LoopRequest, flipped_files, requested_loops
from pipeline.songs.flip.loop_files import write_loops
from pipeline.songs.flip.loops import Loop, find_loops, loop_at
from pipeline.songs.flip.record import Record, RecordNotes, read_record
from pipeline.songs.flip.song_flip import ChosenLoop, loop_key, with_recognised

MOST_LOOPS = 8
"""Found in a record."""


class FlippedRecords:
    """The records that songs are built on, with the loops found in each.

    Raises `UserError` where a record can't be used, or the loop that is asked for is none of it.
    """

    def __init__(self, config: Config, spec: RollSpec) -> None:
        settings = config.generate
        self.spec, self.is_drums = spec, settings.loop_kind == "drums"
        self.records: list[Record] = []
        self.found: list[list[Loop]] = []
        megabytes = config.collect.max_file_megabytes
        for value, request in zip(flipped_files(settings), requested_loops(settings), strict=True):
            record = read_record(value, "generate.flip", spec, megabytes, config.transcribe, config.render)
            for remark in record.remarks:
                say(f"generate: {record.name}: {remark}.")
            loops = find_loops(record, percussive=self.is_drums, count=MOST_LOOPS)
            self.records.append(record)
            self.found.append(loops)
            _check_request(request, record, loops, self.is_drums)
        self.requests = requested_loops(settings)

    def choose(self, number: int, num_bars: int | None = None) -> list[ChosenLoop]:
        """The loops of song `number`, counted from 1: those asked for, else the best, the next best and so on.

        Where `num_bars` is given loops of so many bars come first.
        """
        chosen = []
        for record, found, request in zip(self.records, self.found, self.requests, strict=True):
            if request.num_bars:
                loop = loop_at(record, request.first_bar, request.num_bars)
            else:
                order = sorted(found, key=lambda one: num_bars not in (None, one.num_bars))
                loop = found[request.number - 1] if request.number else order[(number - 1) % len(order)]
            chosen.append(choose_loop(record, loop, self.spec, self.is_drums))
        return chosen

    def write(self, directory: Path) -> None:
        """Write what was found in each record to a folder of its own: a picture, each loop as a sound, a list."""
        for place, (record, found) in enumerate(zip(self.records, self.found, strict=True), start=1):
            own = directory if len(self.records) == 1 else directory / f"{place:02d}"
            write_loops(own, record, found)


def _check_request(request: LoopRequest, record: Record, loops: list[Loop], is_drums: bool) -> None:
    """Raise `UserError` where the loop that is asked for is none of a record's."""
    if request.num_bars:
        loop_at(record, request.first_bar, request.num_bars)
    elif not loops:
        kind, other = ("drum break", "melodic") if is_drums else ("loop that sounds clear", "drums")
        raise UserError(
            f"{record.source}: no {kind} is found in it; name its bars as generate.loop=17-18, or try "
            f"generate.loop_kind={other}."
        )
    elif request.number is not None and request.number > len(loops):
        count = f"{len(loops)} loops are" if len(loops) > 1 else "one loop is"
        raise UserError(f"generate.loop={request.number}: {count} found in {record.name}; bars are named as 17-18.")


def choose_loop(record: Record, loop: Loop, spec: RollSpec, is_drums: bool) -> ChosenLoop:
    """A loop with its music on the grid of a generator, as it is on the record; a drum break has no key."""
    quarters = loop.num_bars * spec.quarters_per_bar
    notes = _on_grid(record.notes, loop, spec)
    hits = _on_grid(record.hits, loop, spec)
    halves = slice(2 * loop.first_bar, 2 * (loop.first_bar + loop.num_bars))
    chords = with_recognised(record.chords[halves], notes, loop.num_bars, spec)
    key = None if is_drums else loop_key(notes, spec, record.key)
    return ChosenLoop(record, loop, quarters, notes, hits, chords, key)


def _on_grid(events: RecordNotes, loop: Loop, spec: RollSpec) -> Notes:
    """Notes of a record that begin within a loop, in steps from its beginning."""
    bar = spec.quarters_per_bar
    onsets = events["onset"] - loop.first_bar * bar
    steps = np.rint(onsets * spec.steps_per_quarter).astype(np.int64)
    inside = (steps >= 0) & (steps < loop.num_bars * spec.steps_per_bar)
    lengths = np.maximum(np.rint(events["duration"] * spec.steps_per_quarter), 1).astype(np.int64)
    return make_notes(spec.pitched[0], events["pitch"][inside], steps[inside], lengths[inside])
