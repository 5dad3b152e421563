"""`python -m pipeline.bench [--only SECTION] [--quick] [--midi DIR]`: measure, print, write `outputs/bench/`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.bench.plan import FULL, MODELS, QUICK, SECTIONS, BenchPlan
from pipeline.errors import UserError

DIRECTORY = Path("outputs/bench")
FROM_FILES = {"training", "generation", "ingest", "rendering", "evaluation", "gpu"}
"""Sections that read the band music."""


def arguments() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.bench",
        description=f"Measure how fast AlbumGAN is on this machine, beside others; writes {DIRECTORY}/.",
    )
    sections = ", ".join(SECTIONS)
    parser.add_argument("--only", metavar="SECTION", help=f"some of {sections} (comma between them)")
    parser.add_argument(
        "--models", default=",".join(MODELS), help="of conf/model/; each is compared with later ones (%(default)s)"
    )
    parser.add_argument("--midi", type=Path, metavar="DIR", help="your own MIDI files instead of music written by rule")
    parser.add_argument(
        "--transcription",
        type=Path,
        metavar="DIR",
        help="MIDI files, with or without their recordings: transcribe them",
    )
    parser.add_argument("--soundfont", type=Path, metavar="FILE", help="plays those MIDI files that have no recording")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="repetitions of everything, for figures sooner or surer"
    )
    parser.add_argument("--quick", action="store_true", help="one short round of everything, to see that it runs")
    parser.add_argument("--threads", type=int, default=1, help="threads of training (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of weights and written music (%(default)s)")
    return parser


def parse_plan(words: list[str], scratch: Path) -> BenchPlan:
    """The run that the command line describes. Raises `UserError` where they make no sense."""
    given = arguments().parse_args(words)
    from pipeline.bench.gpu import has_gpu
    from pipeline.config import group_choices

    usual = tuple(name for name in SECTIONS if name != "gpu" or has_gpu())
    sections = tuple(given.only.split(",")) if given.only else () if given.transcription else usual
    models = tuple(given.models.split(","))
    for option, names, known in (("only", sections, SECTIONS), ("models", models, group_choices("model"))):
        for name in names:
            if name not in known:
                raise UserError(f"--{option} {name}: there is no such thing; there are {', '.join(known)}.")
    if given.threads < 1:
        raise UserError(f"--threads must be at least 1, not {given.threads}.")
    if given.rounds is not None and given.rounds < 1:
        raise UserError(f"--rounds must be at least 1, not {given.rounds}.")
    effort = QUICK if given.quick or (sections == ("gpu",) and not has_gpu()) else FULL
    if given.rounds:
        effort = replace(effort, rounds=given.rounds, slow_rounds=given.rounds)
    midi = given.midi.expanduser() if given.midi else None
    return BenchPlan(
        sections, models, effort, given.threads, given.seed, midi, scratch, given.transcription, given.soundfont
    )


def measure(plan: BenchPlan) -> dict[str, Any]:
    """All sections of the plan; the report."""
    from pipeline.bench import report
    from pipeline.bench.generation import measure_generation
    from pipeline.bench.gpu import measure_gpu
    from pipeline.bench.ingest_render_evaluate import measure_evaluation, measure_ingest, measure_rendering
    from pipeline.bench.music import midi_files, read_band, read_chorales, written_band_files
    from pipeline.bench.processes import measure_memory, measure_startup
    from pipeline.bench.training import measure_training
    from pipeline.bench.transcription import measure_transcription

    start = time.monotonic()
    found: dict[str, Any] = {
        "format": report.FORMAT,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seed": plan.seed,
        "quick": plan.effort.lap_seconds < FULL.lap_seconds,
        "rounds": plan.effort.rounds,
        "slow_rounds": plan.effort.slow_rounds,
        "machine": report.describe_machine(plan.threads),
    }
    files = midi_files(plan) if FROM_FILES & set(plan.sections) else []
    corpora = {"band": read_band(plan, files)} if {*FROM_FILES} - {"ingest"} & set(plan.sections) else {}
    if "training" in plan.sections and plan.effort.chorales:
        corpora["chorales"] = read_chorales()
    sections = {
        "training": lambda: measure_training(corpora, plan),
        "generation": lambda: measure_generation(corpora["band"], plan),
        "ingest": lambda: measure_ingest(files, plan),
        "rendering": lambda: measure_rendering(corpora["band"], plan),
        "evaluation": lambda: measure_evaluation(corpora["band"], plan),
        "startup": lambda: measure_startup(plan),
        "memory": lambda: measure_memory(written_band_files(plan)[0].parent, plan),
        "gpu": lambda: measure_gpu(corpora["band"], plan),
    }
    found |= {name: sections[name]() for name in SECTIONS if name in plan.sections}
    if plan.transcription is not None:
        found["transcription"] = measure_transcription(plan.transcription, plan.soundfont, plan.scratch)
    return found | {"bench_seconds": round(time.monotonic() - start, 1)}


def main(words: list[str] | None = None) -> int:
    """Run the bench; the exit code."""
    try:
        with tempfile.TemporaryDirectory(prefix="albumgan-bench-") as scratch:
            found = measure(parse_plan(sys.argv[1:] if words is None else words, Path(scratch)))
        from pipeline.bench.report import write_report

        text = write_report(DIRECTORY, found)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped: the bench was not finished, and no report was written.", file=sys.stderr)
        return 130
    print(f"\n{text}\nWritten: {DIRECTORY / 'report.json'}, {DIRECTORY / 'report.md'}")
    failed = found.get("gpu", {}).get("failed_checks", 0)
    if failed:
        print(f"Error: {failed} of the checks of devices failed; the table says which.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # read when torch is imported: idle threads must not eat the others' time
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
