"""Song forms as data, and the choice of one that lasts as long as it should."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from gan.spec import RollSpec
from pipeline.errors import UserError


@dataclass(frozen=True)
class FormSection:
    """A section of a form: its name, its role (sections of one role share their music), how many phrases it has."""

    name: str
    role: str
    num_phrases: int


@dataclass(frozen=True)
class Form:
    """A recipe for songs of many lengths: opening, cycle (any number of times), contrast, return, closing.

    The contrast and the return after it come once, before the closing, and may be left out together; so may the
    opening and the closing of a short song.
    """

    cycle: tuple[FormSection, ...]
    opening: tuple[FormSection, ...] = ()
    contrast: tuple[FormSection, ...] = ()
    closing: tuple[FormSection, ...] = ()


def _section(name: str, num_phrases: int) -> FormSection:
    return FormSection(name, name, num_phrases)


INTRO, OUTRO, BRIDGE, REFRAIN = (_section(name, 1) for name in ("intro", "outro", "bridge", "refrain"))
SHORT_VERSE, VERSE, CHORUS = _section("verse", 1), _section("verse", 2), _section("chorus", 2)
STOLLEN, ABGESANG = _section("stollen", 1), _section("abgesang", 2)
THEME, GATE, PATH, SUMMIT = (_section(name, 2) for name in ("theme", "gate", "path", "summit"))

FORMS: dict[str, Form] = {
    # the song of the radio
    "song": Form((VERSE, CHORUS), opening=(INTRO,), contrast=(BRIDGE, CHORUS), closing=(OUTRO,)),
    # bar form, of the chorales and the Minnesang: two like Stollen and an Abgesang
    "hymn": Form((STOLLEN, STOLLEN, ABGESANG)),
    # a theme that comes back between episodes
    "rondo": Form(
        (THEME, _section("episode", 1)),
        contrast=(_section("digression", 2),),
        closing=(THEME, _section("coda", 1)),
    ),
    # the songs of Tin Pan Alley, 32 bars a chorus
    "ballad": Form(
        (SHORT_VERSE, SHORT_VERSE, BRIDGE, SHORT_VERSE),
        opening=(INTRO,),
        closing=(FormSection("tag", "verse", 1),),
    ),
    # out and back again: A B C B A
    "arch": Form((GATE, PATH), contrast=(SUMMIT, PATH), closing=(GATE,)),
    # verses with a refrain of their own, and an interlude for the players
    "strophic": Form((VERSE, REFRAIN), opening=(INTRO,), contrast=(_section("interlude", 1), VERSE, REFRAIN)),
}
MAX_CYCLES = 40
MAX_TEMPO_CHANGE = 0.12
"""A tempo that was drawn, not requested, may be moved by this share where no number of phrases fits."""


def variants(form: Form) -> Iterator[tuple[tuple[FormSection, ...], int]]:
    """All lengths of a form, and how many of its kinds of sections each leaves out."""
    for cycles in range(1, MAX_CYCLES + 1):
        for opened, contrasted, closed in product((True, False), repeat=3):
            sections = form.opening * opened + form.cycle * cycles + form.contrast * contrasted + form.closing * closed
            yield sections, 3 - opened - contrasted - closed
    yield form.cycle[:1], 4


def count_phrases(sections: tuple[FormSection, ...]) -> int:
    """Phrases of all sections together."""
    return sum(section.num_phrases for section in sections)


def song_seconds(num_bars: float, tempo_bpm: float, spec: RollSpec) -> float:
    """How long so many bars last."""
    return num_bars * spec.quarters_per_bar * 60 / tempo_bpm


def fit_form(
    name: str, tempo_bpm: float, spec: RollSpec, bounds: tuple[float, float], extra_bars: float, share: float
) -> tuple[FormSection, ...] | None:
    """The sections of form `name` that last between the bounds, or None where no number of phrases does.

    Parameters
    ----------
    name
        A key of `FORMS`.
    tempo_bpm, spec
        Give the length of a phrase.
    bounds
        Least and most seconds.
    extra_bars
        Bars' worth of time that an ending may add.
    share
        Where between the bounds the length should lie, from 0 to 1.
    """
    low, high = bounds
    target = low + share * (high - low)

    def seconds(sections: tuple[FormSection, ...]) -> float:
        return song_seconds(count_phrases(sections) * spec.bars, tempo_bpm, spec)

    room = song_seconds(extra_bars, tempo_bpm, spec)
    phrase = song_seconds(spec.bars, tempo_bpm, spec)
    fitting = [
        (abs(seconds(sections) - target) + phrase * missing, sections)
        for sections, missing in variants(FORMS[name])
        if low <= seconds(sections) and seconds(sections) + room <= high
    ]
    if fitting:
        return min(fitting, key=lambda pair: pair[0])[1]
    for sections, _ in variants(FORMS[name]):  # a phrase more or less: the last section is stretched or cut
        for change in (1, -1):
            *before, last = sections
            bent = (*before, replace(last, num_phrases=last.num_phrases + change))
            if bent[-1].num_phrases > 0 and low <= seconds(bent) and seconds(bent) + room <= high:
                return bent
    return None


def check_lengths(least: float, most: float) -> None:
    """Raise `UserError` for seconds that no song could last."""
    if least <= 0:
        raise UserError(f"generate.min_seconds must be more than 0, not {least:g}.")
    if most < least:
        raise UserError(f"generate.max_seconds={most:g} is less than generate.min_seconds={least:g}.")


def choose_form(
    name: str,
    tempo_bpm: float,
    spec: RollSpec,
    bounds: tuple[float, float],
    extra_bars: float,
    share: float,
    tempo_is_fixed: bool,
) -> tuple[tuple[FormSection, ...], float]:
    """The sections of a form and the tempo to play them at; see `fit_form`.

    A tempo that is not fixed is moved a little where that makes a whole number of phrases fit.

    Raises
    ------
    UserError
        Nothing fits between the bounds.
    """
    check_lengths(*bounds)
    for tempo in _tempi(tempo_bpm, tempo_is_fixed):
        sections = fit_form(name, tempo, spec, bounds, extra_bars, share)
        if sections is not None:
            return numbered(sections), tempo
    raise _nothing_fits(tempo_bpm, spec, bounds)


def choose_length(
    tempo_bpm: float, spec: RollSpec, bounds: tuple[float, float], extra_bars: float, tempo_is_fixed: bool
) -> tuple[int, int, float]:
    """Least and most bars of a song that lasts between the bounds, and the tempo to play it at; as `choose_form`."""
    check_lengths(*bounds)
    for tempo in _tempi(tempo_bpm, tempo_is_fixed):
        bar = song_seconds(1, tempo, spec)
        least, most = max(spec.bars, math.ceil(bounds[0] / bar)), math.floor(bounds[1] / bar - extra_bars)
        if least <= most:
            return least, most, tempo
    raise _nothing_fits(tempo_bpm, spec, bounds)


def _tempi(tempo_bpm: float, tempo_is_fixed: bool) -> Iterator[float]:
    """The tempo, and where it is not fixed, those a little faster and slower."""
    for step in range(1 if tempo_is_fixed else round(100 * MAX_TEMPO_CHANGE)):
        for sign in (1, -1):
            yield tempo_bpm * (1 + sign * step / 100)


def _nothing_fits(tempo_bpm: float, spec: RollSpec, bounds: tuple[float, float]) -> UserError:
    low, high = bounds
    phrase = song_seconds(spec.bars, tempo_bpm, spec)
    return UserError(
        f"no form fits between generate.min_seconds={low:g} and generate.max_seconds={high:g}: a phrase lasts "
        f"{phrase:.1f} s at {tempo_bpm:.0f} quarter notes a minute; move the bounds apart or change generate.tempo_bpm."
    )


def numbered(sections: tuple[FormSection, ...]) -> tuple[FormSection, ...]:
    """The sections with a number after each name that comes more than once: `verse 1`, `verse 2`."""
    names = [section.name for section in sections]
    seen: dict[str, int] = {}
    result = []
    for section in sections:
        seen[section.name] = seen.get(section.name, 0) + 1
        name = f"{section.name} {seen[section.name]}" if names.count(section.name) > 1 else section.name
        result.append(replace(section, name=name))
    return tuple(result)


def pick_form(requested: str | None, number: int) -> str:
    """The form requested, or that of song `number` in turn. Raises `UserError` for one that there is not."""
    if requested is None:
        return list(FORMS)[(number - 1) % len(FORMS)]
    if requested not in FORMS:
        raise UserError(
            f"generate.form must be one of {', '.join(FORMS)}, a file of notes (song.mid) or null, not {requested}."
        )
    return requested
