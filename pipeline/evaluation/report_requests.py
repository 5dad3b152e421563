"""What `report.md` says of requests: accompanying a given track, and doing as one is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.evaluation.tables import percent, show, table

FIGURES = (
    ("matched", "the right given track is told from one of another song"),
    ("tonal", "tonal distance to the given track"),
    ("tonal_shuffled", "... to that of another song"),
    ("tonal_nearer", "the right one is nearer, tonally"),
    ("rhythmic", "rhythmic distance to the given track"),
    ("rhythmic_shuffled", "... to that of another song"),
    ("rhythmic_nearer", "the right one is nearer, rhythmically"),
    ("unison", "notes in unison with the given track"),
    ("octave", "notes in octaves with it"),
)
SHARES = ("matched", "tonal_nearer", "rhythmic_nearer", "unison", "octave")


def accompaniment(found: Mapping[str, Any]) -> list[str]:
    """The section on accompanying, its blocks."""
    rows = [
        (text, *((percent if name in SHARES else show)(found[one][name]) for one in ("made", "real")))
        for name, text in FIGURES
    ]
    by_track = [
        (track, str(one["phrases"]), percent(one["made"]), percent(one["real"]))
        for track, one in found["tracks"].items()
    ]
    text = (
        f"Of {found['phrases']} test phrases one track was given and the others were made. A classifier that learnt "
        "from real training songs tells the right given track from one of another song, 50 % being chance. Above "
        f"chance, made accompaniments have {percent(found['share'])} of what real ones have. The given track came back "
        f"untouched in {percent(found['untouched'])} of the phrases."
    )
    return [
        text,
        table(("", "made", "test songs"), rows),
        table(("given", "phrases", "told, made", "told, test songs"), by_track),
        "![Accompaniments](accompaniment.png)",
    ]


def control(found: Mapping[str, Any]) -> list[str]:
    """The section on control, its blocks."""
    rows = [
        (track, *(show(one[name]) for name in ("asked", "made", "correlation", "error", "chance")))
        for track, one in found["density"].items()
    ]
    names = ("track", "asked", "made", "correlation", "mean error", "mean error by chance")
    strength = f"with guidance {found['guidance']:g}"
    text = f"Asked for what {found['phrases']} real phrases have, one thing at a time, {strength}. Notes a bar:"
    said = [f"- {one}" for one in (_key(found["key"]), _tempo(found["tempo"]), _style(found["style"]))]
    return [text, table(names, rows), *said, "![Densities asked for and made](density.png)"]


def _key(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Key: not asked for, no test song has a known one."
    return (
        f"Key ({found['keys']} asked for): {percent(found['made'])} of the phrases sound in it, "
        f"{percent(found['real'])} of the test phrases in that of their song; {percent(found['chance'])} by chance."
    )


def _tempo(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Tempo: not asked for, the songs have too much the same."
    made, real, bpm = found["made"], found["real"], found["bpm"]
    rows = [
        f"{name} ({bpm[name]:.0f} bpm) {show(made[name])}, in training songs {show(real[name])}"
        for name in ("slow", "fast")
    ]
    agrees = {True: "as in real songs", False: "the other way round than in real songs", None: "unknown"}
    return f"Tempo, notes a bar of all tracks: {'; '.join(rows)}. The difference is {agrees[found['agrees']]}."


def _style(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Style: not asked for, the songs have no labels."
    each = ", ".join(f"{name} {percent(one['made'])} ({percent(one['real'])})" for name, one in found["styles"].items())
    return (
        f"Style: {percent(found['made'])} recognised by a classifier that learnt from training songs, "
        f"{percent(found['real'])} of the test phrases, {percent(found['chance'])} by chance. By style, made (test): "
        f"{each}."
    )
