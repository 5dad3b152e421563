"""The report of an evaluation in Markdown, `report.md`; keys of `report.json` are in
`pipeline.evaluation.evaluator`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gan.metrics.distances import quality
from pipeline.dataset.reasons import count_of_reason
from pipeline.evaluation.comparison import sets_in
from pipeline.markdown import markdown_table
from pipeline.progress import counted


def number_text(value: Any) -> str:
    """A number, or an estimate with its interval; a dash for what there is not."""
    if isinstance(value, Mapping):
        if value["value"] is None:
            return "-"
        if value["low"] is None:
            return _three_decimals(value["value"])
        return (
            f"{_three_decimals(value['value'])} ({_three_decimals(value['low'])} to {_three_decimals(value['high'])})"
        )
    return "-" if value is None else _three_decimals(value)


def _three_decimals(value: float) -> str:
    """Three decimals, one from 10 on; a dash for infinity and NaN."""
    if not math.isfinite(value):
        return "-"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def percent(value: Any) -> str:
    """A share as whole percent, with its interval where it has one."""
    if isinstance(value, Mapping):
        if value["low"] is None:
            return percent(value["value"])
        return f"{100 * value['value']:.0f} % ({100 * value['low']:.0f} to {100 * value['high']:.0f})"
    return "-" if value is None else f"{100 * value:.0f} %"


ACCOMPANIMENT_FIGURES = (
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
ACCOMPANIMENT_SHARES = ("matched", "tonal_nearer", "rhythmic_nearer", "unison", "octave")


def accompaniment_section(found: Mapping[str, Any]) -> list[str]:
    """The section on accompanying, its blocks."""
    rows = [
        (
            text,
            *(
                (percent if name in ACCOMPANIMENT_SHARES else number_text)(found[one][name])
                for one in ("generated", "real")
            ),
        )
        for name, text in ACCOMPANIMENT_FIGURES
    ]
    by_track = [
        (track, str(one["phrases"]), percent(one["generated"]), percent(one["real"]))
        for track, one in found["tracks"].items()
    ]
    text = (
        f"Of {found['phrases']} test phrases one track was given and the others were generated. A classifier that "
        "learnt from real training songs tells the right given track from one of another song, 50 % being chance. "
        f"Above chance, generated accompaniments have {percent(found['share'])} of what real ones have. The given "
        f"track came back untouched in {percent(found['untouched'])} of the phrases."
    )
    return [
        text,
        markdown_table(("", "generated", "test songs"), rows),
        markdown_table(("given", "phrases", "matched, generated", "matched, test songs"), by_track),
        "![Accompaniments](accompaniment.png)",
    ]


def control_section(found: Mapping[str, Any]) -> list[str]:
    """The section on control, its blocks."""
    rows = [
        (track, *(number_text(one[name]) for name in ("requested", "generated", "correlation", "error", "chance")))
        for track, one in found["density"].items()
    ]
    names = ("track", "requested", "generated", "correlation", "mean error", "mean error by chance")
    strength = f"at condition strength {found['condition_strength']:g}"
    text = f"Requested is what {found['phrases']} real phrases have, one thing at a time, {strength}. Notes a bar:"
    said = [
        f"- {one}"
        for one in (_key(found["key"]), _chords(found["chords"]), _tempo(found["tempo"]), _style(found["style"]))
    ]
    return [text, markdown_table(names, rows), *said, "![Densities requested and generated](density.png)"]


def _key(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Key: not requested, no test song has a known one."
    return (
        f"Key ({found['keys']} requested): {percent(found['generated'])} of the phrases sound in it, "
        f"{percent(found['real'])} of the test phrases in that of their song; {percent(found['chance'])} by chance."
    )


def _chords(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Chords: not requested, no test song has any."
    return (
        f"Chords: in {percent(found['generated'])} of the half bars the one requested is recognised again (root, and "
        f"major or minor), {percent(found['real'])} in test phrases; {percent(found['chance'])} by chance."
    )


def _tempo(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Tempo: not requested, the songs have too much the same."
    generated, real, bpm = found["generated"], found["real"], found["bpm"]
    rows = [
        f"{name} ({bpm[name]:.0f} bpm) {number_text(generated[name])}, in training songs {number_text(real[name])}"
        for name in ("slow", "fast")
    ]
    agrees = {True: "as in real songs", False: "the other way round than in real songs", None: "unknown"}
    return f"Tempo, notes a bar of all tracks: {'; '.join(rows)}. The difference is {agrees[found['agrees']]}."


def _style(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Style: not requested, the songs have no labels."
    each = ", ".join(
        f"{name} {percent(one['generated'])} ({percent(one['real'])})" for name, one in found["styles"].items()
    )
    return (
        f"Style: {percent(found['generated'])} recognised by a classifier that learnt from training songs, "
        f"{percent(found['real'])} of the test phrases, {percent(found['chance'])} by chance. By style, generated "
        f"(test): {each}."
    )


SETS = {
    "generated": "generated",
    "prior": "prior alone",
    "test": "test songs",
    "training": "training songs (floor)",
    "shuffled": "tracks shuffled",
    "random": "notes at random",
}
"""What is put side by side, and its name in a table."""


def markdown_report(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    scored, reference = report["scored"], report["reference"]
    parts = [
        f"# {scored['name']}",
        _scored(scored, reference),
        _headline(report),
        "![Distributions](distributions.png)",
        "![Each figure as a distance from the test songs](figures.png)",
    ]
    if scored["kind"] == "checkpoint":
        parts += ["![Phrases](samples.png)", "![Learning](learning.png)"]
    parts += ["## Musical tells", TELLS_TEXT, _tells(report["tells"]), "![Musical tells](tells.png)"]
    if report["whole_songs"] is not None:
        parts += ["## Whole songs", *whole_songs_section(report["whole_songs"])]
    if report["accompaniment"] is not None:
        parts += ["## Accompaniment", *accompaniment_section(report["accompaniment"])]
    if report["control"] is not None:
        parts += ["## Control", *control_section(report["control"])]
    parts += ["## Families", FAMILIES_TEXT, _families(report["families"])]
    parts += ["## Notes", *(f"- {note}" for note in report["notes"])] if report["notes"] else []
    parts += ["## Figures", FIGURES_TEXT, _figures(report["figures"])]
    parts += ["## Published forms", PUBLISHED_TEXT]
    parts += [f"- {fault}" for fault in report["faults"]]
    parts.append(_figures(report["published"]) if report["published"] else _not_published(reference))
    parts += ["## Features of the headline", _features(report["features"])]
    return "\n\n".join(_tight(parts)) + "\n"


TELLS_TEXT = (
    "What a musician hears at once in music that nobody wrote: the mean over all its events (moves, steps, beats, "
    "bars); in brackets where 95 % of resamples of the songs lie."
)
FAMILIES_TEXT = (
    "Mean distance |x - test songs| over the figures of a family. A family detects bad music where shuffled tracks or "
    "random notes lie further from the test songs than training songs do."
)
FIGURES_TEXT = "Means over phrases; in brackets where 95 % of resamples of the songs lie."
PUBLISHED_TEXT = (
    "MuseGAN's own definitions, faults included, to stand beside the papers' tables: chroma of adjacent pitches, notes "
    "as runs of steps within a bar."
)


def _tight(parts: Sequence[str]) -> list[str]:
    """Lines of one list as one block."""
    blocks: list[str] = []
    for part in parts:
        if part.startswith("- ") and blocks and blocks[-1].startswith("- "):
            blocks[-1] += "\n" + part
        else:
            blocks.append(part)
    return blocks


def _scored(scored: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    """What was scored against what."""
    if scored["kind"] == "checkpoint":
        what = (
            f"{counted(scored['phrases'], 'phrase')} generated by the checkpoint `{scored['path']}` (weights of step "
            f"{scored['step']:,}; {scored['train_seconds'] / 60:.1f} minutes of training to step "
            f"{scored['steps']:,})"
        )
    else:
        used = f"{counted(scored['songs'], 'song')} out of {counted(scored['files'], 'file')}"
        left = "; ".join(count_of_reason(count, reason) for reason, count in scored["rejects"].items())
        used += f"; not used: {left}" if left else ""
        what = f"{counted(scored['phrases'], 'phrase')} of `{scored['path']}` ({used})"
    return (
        f"{what}, held against {counted(reference['phrases']['test'], 'phrase')} of "
        f"{counted(reference['songs']['test'], 'test song')} of {reference['title']} (`{reference['set']}`)."
    )


def _headline(report: Mapping[str, Any]) -> str:
    """Quality and what it is made of, then the other measures."""
    headline, validation = report["headline"], report["headline"]["validation"]
    overlap, songs = headline["overlap"], report["whole_songs"]
    names = sets_in(overlap)
    qualities = {name: _quality_of(name, overlap) for name in names} | {"generated": headline["quality"]}
    against = {name: _quality_of(name, validation["overlap"]) for name in names} | {"generated": validation["quality"]}
    found: list[tuple[str, Mapping[str, Any]]] = [
        ("**quality** (1: as close as other real songs, 0: notes at random)", qualities),
        *(
            (text, report["two_sample"][key])
            for key, text in TWO_SAMPLE_TESTS.items()
            if report["two_sample"] is not None
        ),
        *([("**told apart by whole songs** (out-of-bag accuracy of a forest)", songs["two_sample"])] if songs else []),
        ("overlap of feature distributions (OA)", overlap),
        ("quality against the validation songs", against),
        ("Fréchet distance of features", report["frechet"]),
    ]
    rows = [(text, *(number_text(one.get(name)) for name in names)) for text, one in found]
    others = [_copying(report["copying"]), _distinct(report["distinct"])]
    if "prior" in names:
        others.insert(0, PRIOR_TEXT)
    if report["two_sample"] is None:
        others.insert(0, "Told apart: not measured (evaluate.classifier=false, or fewer than three songs).")
    table = markdown_table(("", *(SETS[name] for name in names)), rows)
    return "\n\n".join([table, *_tight([f"- {one}" for one in others])])


PRIOR_TEXT = (
    "Prior alone: phrases of the same generator, which has learnt by likelihood, before its discriminator chooses. "
    "`train.pretrain_share=1` spends all of the training on it."
)


def _quality_of(name: str, overlap: Mapping[str, Mapping[str, float]]) -> float:
    """The quality of a set of the report."""
    return quality(*(overlap[one]["value"] for one in (name, "random", "training")))


TWO_SAMPLE_TESTS = {
    "windows": "**told apart by windows** of two beats (area under the ROC curve of trees; .5 is alike)",
    "phrases": "**told apart by phrases** (area under the ROC curve of trees on named features)",
    "network": "told apart by a small network (share of pairs in which it says which is real)",
}


def _columns(values: Mapping[str, Any]) -> list[str]:
    """The keys of `SETS` that there are values of."""
    return [name for name in SETS if name in values]


def _tells(found: Mapping[str, Mapping[str, Any]]) -> str:
    names = _columns(next(iter(found.values()), {}))
    rows = [
        (one["name"], one["track"], *(number_text(one[name]) for name in names), one["text"]) for one in found.values()
    ]
    return markdown_table(("tell", "track", *(SETS[name] for name in names), "what it is"), rows)


MOST_NEAREST = 10
"""Songs whose nearest training song is told."""


def whole_songs_section(found: Mapping[str, Any]) -> list[str]:
    """The section on whole songs, its blocks."""
    songs = found["songs"]
    text = (
        f"{songs['generated']} songs, and as many training songs, held against {songs['unseen']} test and validation "
        "songs. The forest is Breiman's, each song judged by trees that did not learn from it; it goes most by "
        f"{'; '.join(found['telling'])}."
    )
    head = [
        (
            "overlap of feature distributions",
            *(number_text(found["overlap"][one]) for one in ("generated", "training")),
        ),
        (
            "told apart by a forest (.5 is alike)",
            *(number_text(found["two_sample"][one]) for one in ("generated", "training")),
        ),
    ]
    rows = [
        (
            name,
            *(number_text(one[kind]) for kind in ("generated", "training", "unseen")),
            *(number_text(one.get(f"overlap_{kind}", {}).get("value")) for kind in ("generated", "training")),
            one["text"],
        )
        for name, one in found["features"].items()
    ]
    nearest = sorted(found["nearest"], key=lambda one: -float(one["share"]))[:MOST_NEAREST]
    near = [(one["song"], percent(one["share"]), one["nearest"] or "-") for one in nearest]
    names = ("median of a song", "generated", "training songs", "unseen songs", "overlap", "overlap, training songs")
    return [
        text,
        markdown_table(("", "generated", "training songs (floor)"), head),
        markdown_table((*names, "what it is"), rows),
        "Bars that occur in one training song, in any key (four fifths of their pitched notes in common); "
        f"of test songs {percent(found['nearest_unseen'])} in the median. The nearest:",
        markdown_table(("song", "bars", "training song"), near),
    ]


def _copying(found: Mapping[str, Any]) -> str:
    own, test = found["generated"], found["test"]
    return (
        f"Copying: with the nearest training phrase in any of 12 transpositions a phrase shares "
        f"{number_text(own['median'])} of its onsets in the median and {number_text(own['high'])} at the 95th "
        f"percentile; test songs {number_text(test['median'])} and {number_text(test['high'])}. "
        f"{percent(found['nearer'])} of the phrases are nearer than 95 % of those of the test songs."
    )


def _distinct(found: Mapping[str, Any]) -> str:
    return f"Diversity: {found['distinct']} of {found['phrases']} phrases are distinct."


def _families(families: Sequence[Mapping[str, Any]]) -> str:
    names = sets_in(families[0]["distance"])
    rows = [
        (
            family["name"],
            *(number_text(family["distance"][name]) for name in names),
            " and ".join(SETS[name] for name in family["detects"]) or "neither",
        )
        for family in families
    ]
    return markdown_table(("family", *(SETS[name] for name in names), "tells real songs from"), rows)


def _figures(figures: Mapping[str, Mapping[str, Any]]) -> str:
    names = _columns(next(iter(figures.values())))
    rows = [(key, *(number_text(figure[name]) for name in names), figure["text"]) for key, figure in figures.items()]
    return markdown_table(("figure", *(SETS[name] for name in names), "what it is"), rows)


def _not_published(reference: Mapping[str, Any]) -> str:
    return (
        f"n/a: they are defined at 24 steps a beat, and these rolls have {reference['spec']['steps_per_beat']} (every "
        "note would qualify). roll.steps_per_beat=24 scores a folder in them."
    )


def _features(features: Mapping[str, Mapping[str, Any]]) -> str:
    names = sets_in(next(iter(features.values()))["overlap"])
    rows = [
        (
            name,
            *(number_text(found["overlap"].get(one)) for one in names),
            *(number_text(found["kl"][one]) for one in ("generated", "training")),
        )
        for name, found in features.items()
    ]
    kl = (f"KL, {SETS['generated']}", f"KL, {SETS['training']}")
    return markdown_table(("feature", *(f"overlap, {SETS[name]}" for name in names), *kl), rows)
