"""The report of the bench, for programs (`report.json`) and for people (`report.md`, which is also printed).

Every figure's unit is in its key: `..._per_second`, `seconds`, `megabytes`, `gflops`, `gigaoperations_per_phrase`; a
`_ratio` or `_share` has none; `phrases`, `files`, `_parameters` and the like are counts. A `cpu_second` is one of
processor time, which waiting for other programs does not lengthen. Figures are medians over the
rounds, ratios are ratios of medians, and `NAME_rounds` lists what each round gave. A section is there when it was
measured.

| key | holds |
|---|---|
| `format`, `date`, `seed`, `quick`, `bench_seconds` | this run |
| `rounds`, `slow_rounds` | repetitions; the latter of training, ingest and rendering |
| `machine` | processor, cores, memory, load, versions, threads of training |
| `training` | `formula`, `peak_gflops`, `peak_gflops_by_size`, and by corpus (`band`, `chorales`): `models`, `ratios` |
| `generation` | `models` with `one_thread_bars_per_second` and `all_cores_bars_per_second`, and their `ratios` |
| `ingest` | `readers` with `songs_per_second`, and their `ratios` |
| `rendering` | `ways` (`mix`, `synthesizer`) with `seconds` and `times_real_time_ratio` |
| `evaluation` | `seconds` for `phrases`, of which `counting_seconds`, `distances_seconds`, `copying_seconds` |
| `transcription` | `pieces` and `means`: by program (`albumgan`, `baseline`) F1 of notes, beats, drums, rolls |
| `startup` | `overview`, `settings`: `seconds` |
| `memory` | by stage `peak_megabytes` and `seconds` |
| `gpu` | `device` in words, `checks` (difference, tolerance, `passed`), `failed_checks`, `rows`: ways of training |
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import joblib
import torch

from pipeline.files import write_json, write_text
from pipeline.markdown import markdown_table
from pipeline.progress import duration

FORMAT = 2


def describe_machine(threads: int) -> dict[str, Any]:
    """What figures depend on; no names of hosts, people or folders."""
    return {
        "processor": processor(),
        "cores": joblib.cpu_count(),
        "memory_megabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6),
        "load_average": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        "training_threads": threads,
    }


def processor() -> str:
    """The model of the processor as the system tells it."""
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def write_report(directory: Path, report: dict[str, Any]) -> str:
    """Write both files; what comes back is the text of the one for people."""
    text = bench_markdown(report)
    write_json(directory / "report.json", report)
    write_text(directory / "report.md", text)
    return text


def bench_markdown(report: dict[str, Any]) -> str:
    """The report as Markdown whose tables are also readable as they are."""
    machine = report["machine"]
    lines = [
        "# Bench",
        "",
        f"{report['date']}, seed {report['seed']}; {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_megabytes']:,} MB; {machine['system']}, Python {machine['python']}, "
        f"torch {machine['torch']} ({machine['vector_instructions']}); load {machine['load_average']} at the start. "
        f"Medians of {report['rounds']} rounds in which all are measured in turn (training, ingest, rendering: "
        f"{report['slow_rounds']}); {duration(report['bench_seconds'])} in all.",
    ]
    if report["quick"]:
        lines += ["", "This was a quick run: its figures mean little."]
    for name, section in SECTIONS.items():
        if name in report:
            lines += ["", *section(report)]
    return "\n".join(lines) + "\n"


def training_section(report: dict[str, Any]) -> list[str]:
    """A table for each corpus."""
    found, threads = report["training"], report["machine"]["training_threads"]
    lines = [f"## Training, {threads} thread{'s' if threads > 1 else ''}"]
    for corpus in (one for one in found.values() if isinstance(one, dict) and "models" in one):
        headers = [
            "model",
            "parameters G + D",
            "batch",
            "phrases/s",
            "G steps/s x batch",
            "phrases/CPU s",
            "Gop/phrase",
            "GFLOP/s",
            "peak",
            "peak by CPU s",
        ]
        rows = []
        for name, row in corpus["models"].items():
            sizes = f"{row['generator_parameters'] / 1e6:.2f} M + {row['discriminator_parameters'] / 1e6:.2f} M"
            speeds = (
                three_digits(row["phrases_per_second"]),
                three_digits(row["generator_phrases_per_second"]),
                three_digits(row["phrases_per_cpu_second"]),
            )
            shares = [f"{100 * row[key]:.0f} %" for key in ("peak_share", "cpu_peak_share")]
            work = (three_digits(row["gigaoperations_per_phrase"]), three_digits(row["gflops"]), *shares)
            rows.append([name, sizes, row["batch_phrases"], *speeds, *work])
        lines += ["", f"{corpus['music']}; {corpus['phrases']:,} phrases of {', '.join(corpus['tracks'])}.", ""]
        lines.append(markdown_table(headers, rows))
        lines += ratio_lines(corpus["ratios"], "real phrases/s", "real phrases/CPU s", "generator phrases/s")
    sizes = ", ".join(f"{size}: {three_digits(gflops)}" for size, gflops in found["peak_gflops_by_size"].items())
    lines += ["", f"Peak {three_digits(found['peak_gflops'])} GFLOP/s (square products by side: {sizes})."]
    return [*lines, "", found["formula"]]


def generation_section(report: dict[str, Any]) -> list[str]:
    """Bars a second."""
    found = report["generation"]
    rows = [[name, *map(three_digits, row.values())] for name, row in found["models"].items()]
    return [
        f"## Generation, batches of {found['batch_phrases']}",
        "",
        markdown_table(["model", "bars/s, 1 thread", f"bars/s, {found['cores']} cores", "bars/CPU s, 1 thread"], rows),
        *ratio_lines(found["ratios"], "bars/s with 1 thread", "bars/s with all cores", "bars/CPU s"),
    ]


def ingest_section(report: dict[str, Any]) -> list[str]:
    """Songs a second."""
    found = report["ingest"]
    rows = [
        [name, three_digits(row["songs_per_second"]), row["unreadable_files"], row["does"]]
        for name, row in found["readers"].items()
    ]
    return [
        f"## Ingest, one process, {found['measured_files']} MIDI files that all can read (of {found['files']})",
        "",
        markdown_table(["reader", "songs/s", "not read", "does"], rows),
        *ratio_lines(found["ratios"], "songs/s"),
    ]


def rendering_section(report: dict[str, Any]) -> list[str]:
    """Times real time."""
    found = report["rendering"]
    rows = [
        [name, three_digits(row["seconds"]), three_digits(row["times_real_time_ratio"]), row["does"]]
        for name, row in found["ways"].items()
    ]
    return [
        f"## Rendering, a song of {duration(found['song_seconds'])} with {found['synthesizer']}",
        "",
        markdown_table(["way", "seconds", "times real time", "does"], rows),
    ]


def evaluation_section(report: dict[str, Any]) -> list[str]:
    """Seconds for each part of scoring, measured once."""
    found = report["evaluation"]
    parts = {
        "figures and features of each phrase": "counting_seconds",
        f"distances with intervals, against {found['reference_phrases']:,} phrases": "distances_seconds",
        f"copies of {found['training_phrases']:,} phrases among {found['copied_phrases']:,}": "copying_seconds",
        "all": "seconds",
    }
    rows = [[words, three_digits(found[key])] for words, key in parts.items()]
    return [f"## Evaluation, {found['phrases']:,} phrases scored once", "", markdown_table(["part", "seconds"], rows)]


def startup_section(report: dict[str, Any]) -> list[str]:
    """Seconds until the answer."""
    rows = [[f"`{row['command']}`", three_digits(row["seconds"])] for row in report["startup"].values()]
    return ["## Start-up", "", markdown_table(["command", "seconds"], rows)]


def memory_section(report: dict[str, Any]) -> list[str]:
    """Megabytes of the largest process."""
    rows = [
        [name, three_digits(row["peak_megabytes"]), three_digits(row["seconds"]), f"`{row['command']}`"]
        for name, row in report["memory"].items()
    ]
    return ["## Peak memory of the largest process", "", markdown_table(["stage", "MB", "seconds", "command"], rows)]


def transcription_section(report: dict[str, Any]) -> list[str]:
    """F1 of what was written down."""
    found = report["transcription"]

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.0f}"

    figures = [key for key in next(iter(found["means"].values())) if key != "seconds_per_minute"]
    rows = [
        [piece, name, *(percent(row[key]) for key in figures), three_digits(row["seconds_per_minute"])]
        for piece, by_name in {**found["pieces"], "mean": found["means"]}.items()
        for name, row in by_name.items()
    ]
    return [
        f"## Transcription, {len(found['pieces'])} pieces: F1 in percent",
        "",
        found["formula"],
        "",
        markdown_table(["piece", "program", *figures, "s/min of sound"], rows),
    ]


def gpu_section(report: dict[str, Any]) -> list[str]:
    """Checks of a device, and how fast it is in several ways."""
    found = report["gpu"]
    checks = [
        [row["model"], row["check"], short(row.get("difference_ratio")), f"{row['tolerance_ratio']:g}", row["said"]]
        for row in found["checks"]
    ]
    kinds = ("likelihood", "discriminator", "sampling")
    rows = [
        [
            row["model"],
            row["way"],
            *(short(row.get(f"{kind}_{figure}")) for kind in kinds for figure in ("phrases_per_second", "ratio")),
            *(short(row.get(key)) for key in ("peak_megabytes", "warm_up_seconds")),
            row.get("said", ""),
        ]
        for row in found["rows"]
    ]
    headers = [
        f"{name}{unit}" for name in ("likelihood", "discriminator", "sampling") for unit in (": phrases/s", ", times")
    ]
    return [
        "## Devices",
        "",
        found["device"],
        "",
        markdown_table(["model", "the same as on one processor", "difference", "at most", ""], checks),
        "",
        markdown_table(["model", "way", *headers, "peak MB", "first steps s", ""], rows),
    ]


def short(value: float | str | None) -> str:
    """Three digits of a figure, where there is one."""
    return "" if value is None else value if isinstance(value, str) else three_digits(value)


SECTIONS = {
    "transcription": transcription_section,
    "training": training_section,
    "generation": generation_section,
    "ingest": ingest_section,
    "rendering": rendering_section,
    "evaluation": evaluation_section,
    "startup": startup_section,
    "memory": memory_section,
    "gpu": gpu_section,
}


def three_digits(value: float) -> str:
    """Three digits for people."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio_lines(ratios: dict[str, dict[str, float]], *labels: str) -> list[str]:
    """One sentence a comparison."""
    lines = [
        f"- **{name.replace('_to_', ' / ')}**: "
        + ", ".join(
            f"{three_digits(value)} times the {label}" for value, label in zip(values.values(), labels, strict=True)
        )
        for name, values in ratios.items()
    ]
    return ["", *lines] if lines else []
