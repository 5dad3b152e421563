"""Song forms as data, and the choice of one that lasts as long as it should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from gan.spec import RollSpec
from pipeline.errors import UserError


@dataclass(frozen=True)
class Part:
    """A section of a form: what people call it, what music it has (sections of one role share theirs), its phrases."""

    name: str
    role: str
    phrases: int


@dataclass(frozen=True)
class Form:
    """A recipe for songs of many lengths: opening, cycle (any number of times), contrast, return, closing.

    The contrast and the return after it come once, before the closing, and may be left out together; so may the
    opening and the closing of a short song.
    """

    cycle: tuple[Part, ...]
    opening: tuple[Part, ...] = ()
    contrast: tuple[Part, ...] = ()
    closing: tuple[Part, ...] = ()


INTRO, OUTRO = Part("intro", "intro", 1), Part("outro", "outro", 1)
VERSE, CHORUS, BRIDGE = Part("verse", "verse", 2), Part("chorus", "chorus", 2), Part("bridge", "bridge", 1)

FORMS: dict[str, Form] = {
    # the song of the radio
    "song": Form((VERSE, CHORUS), opening=(INTRO,), contrast=(BRIDGE, CHORUS), closing=(OUTRO,)),
    # bar form, of the chorales and the Minnesang: two like Stollen and an Abgesang
    "hymn": Form((Part("stollen", "stollen", 1), Part("stollen", "stollen", 1), Part("abgesang", "abgesang", 2))),
    # a theme that comes back between episodes
    "rondo": Form(
        (Part("theme", "theme", 2), Part("episode", "episode", 1)),
        contrast=(Part("digression", "digression", 2),),
        closing=(Part("theme", "theme", 2), Part("coda", "coda", 1)),
    ),
    # the songs of Tin Pan Alley, 32 bars a chorus
    "ballad": Form(
        (Part("verse", "verse", 1), Part("verse", "verse", 1), Part("bridge", "bridge", 1), Part("verse", "verse", 1)),
        opening=(INTRO,),
        closing=(Part("tag", "verse", 1),),
    ),
    # out and back again: A B C B A
    "arch": Form(
        (Part("gate", "gate", 2), Part("path", "path", 2)),
        contrast=(Part("summit", "summit", 2), Part("path", "path", 2)),
        closing=(Part("gate", "gate", 2),),
    ),
    # verses with a refrain of their own, and an interlude for the players
    "strophic": Form(
        (Part("verse", "verse", 2), Part("refrain", "refrain", 1)),
        opening=(INTRO,),
        contrast=(Part("interlude", "interlude", 1), Part("verse", "verse", 2), Part("refrain", "refrain", 1)),
    ),
}
MOST_CYCLES = 40
MOST_NUDGE = 0.12
"""A tempo that was drawn, not asked for, may be moved by this share where no number of phrases fits."""


def variants(form: Form) -> Iterator[tuple[tuple[Part, ...], int]]:
    """All lengths of a form, and how many of its kinds of sections each leaves out."""
    for cycles in range(1, MOST_CYCLES + 1):
        for opened, contrasted, closed in product((True, False), repeat=3):
            parts = form.opening * opened + form.cycle * cycles + form.contrast * contrasted + form.closing * closed
            yield parts, 3 - opened - contrasted - closed
    yield form.cycle[:1], 4


def phrases_in(parts: tuple[Part, ...]) -> int:
    """Phrases of all parts."""
    return sum(part.phrases for part in parts)


def song_seconds(num_bars: float, tempo_bpm: float, spec: RollSpec) -> float:
    """How long so many bars last."""
    return num_bars * spec.beats_per_bar * 60 / tempo_bpm


def fit_form(
    name: str, tempo_bpm: float, spec: RollSpec, bounds: tuple[float, float], extra_bars: float, share: float
) -> tuple[Part, ...] | None:
    """The parts of form `name` that last between the bounds, or None where no number of phrases does.

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
        Where between the bounds the length is wished for, from 0 to 1.
    """
    low, high = bounds
    condition = low + share * (high - low)

    def seconds(parts: tuple[Part, ...]) -> float:
        return song_seconds(phrases_in(parts) * spec.bars, tempo_bpm, spec)

    room = song_seconds(extra_bars, tempo_bpm, spec)
    phrase = song_seconds(spec.bars, tempo_bpm, spec)
    fitting = [
        (abs(seconds(parts) - condition) + phrase * missing, parts)
        for parts, missing in variants(FORMS[name])
        if low <= seconds(parts) and seconds(parts) + room <= high
    ]
    if fitting:
        return min(fitting, key=lambda pair: pair[0])[1]
    for parts, _ in variants(FORMS[name]):  # a phrase more or less: the last part is stretched or cut
        for change in (1, -1):
            *before, last = parts
            bent = (*before, Part(last.name, last.role, last.phrases + change))
            if bent[-1].phrases > 0 and low <= seconds(bent) and seconds(bent) + room <= high:
                return bent
    return None


def choose_form(
    name: str,
    tempo_bpm: float,
    spec: RollSpec,
    bounds: tuple[float, float],
    extra_bars: float,
    share: float,
    tempo_is_fixed: bool,
) -> tuple[tuple[Part, ...], float]:
    """The parts of a form and the tempo to play them at; see `fit_form`.

    A tempo that is not fixed is moved a little where that makes a whole number of phrases fit.

    Raises
    ------
    UserError
        Nothing fits between the bounds.
    """
    low, high = bounds
    if not 0 < low <= high:
        raise UserError(f"generate.min_seconds={low:g} and max_seconds={high:g} must be positive, the first the less.")
    steps = range(1 if tempo_is_fixed else round(100 * MOST_NUDGE))
    nudges = [sign * step / 100 for step in steps for sign in (1, -1)]
    for nudge in nudges:
        tempo = tempo_bpm * (1 + nudge)
        parts = fit_form(name, tempo, spec, bounds, extra_bars, share)
        if parts is not None:
            return numbered(parts), tempo
    phrase = song_seconds(spec.bars, tempo_bpm, spec)
    raise UserError(
        f"no form fits between generate.min_seconds={low:g} and generate.max_seconds={high:g}: a phrase lasts "
        f"{phrase:.1f} s at {tempo_bpm:.0f} beats a minute; move the bounds apart or change generate.tempo_bpm."
    )


def numbered(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts with a number after each name that comes more than once: `verse 1`, `verse 2`."""
    names = [part.name for part in parts]
    seen: dict[str, int] = {}
    result = []
    for part in parts:
        seen[part.name] = seen.get(part.name, 0) + 1
        name = f"{part.name} {seen[part.name]}" if names.count(part.name) > 1 else part.name
        result.append(Part(name, part.role, part.phrases))
    return tuple(result)


def pick_form(wanted: str | None, number: int) -> str:
    """The form asked for, or that of song `number` in turn. Raises `UserError` for one that there is not."""
    if wanted is None:
        return list(FORMS)[(number - 1) % len(FORMS)]
    if wanted not in FORMS:
        raise UserError(f"generate.form must be one of {', '.join(FORMS)} or null, not {wanted}.")
    return wanted
