"""Names of sections in lyrics, such as `[Verse 1: Ann]` or `Estribillo`, and the kind that each stands for."""

from __future__ import annotations

import re

SECTION_KINDS = ("verse", "chorus", "bridge", "prechorus", "intro", "outro", "rap")
"""Sections the model can tell apart."""
NAMES = {
    "verse": "verse strophe couplet strofa estrofa estrofe verso strof vers zwrotka куплет",
    "chorus": "chorus hook refrain postchorus postrefrain estribillo coro refrão refrao ritornello refräng refreng "
    "refrein refren omkvæd kehrvers kertosäe nakarat припев postestribillo postcoro",
    "bridge": "bridge middle pont puente ponte brücke brygga köprü przejście бридж interlude breakdown",
    "prechorus": "prechorus prerefrain prérefrain preestribillo preestribilho precoro prérefrão preritornello prehook "
    "предприпев",
    "intro": "intro introduction introduzione introducción introdução einleitung интро",
    "outro": "outro coda ending saída аутро",
    "rap": "rap",
}
"""What each kind is called, in several languages, without blanks and hyphens."""
KINDS = {name: kind for kind, names in NAMES.items() for name in names.split()}
MODIFIERS = frozenset(
    (
        *("first", "second", "third", "fourth", "last", "final", "repeat", "repeated", "double", "half", "the", "end"),
        *("1st", "2nd", "3rd", "4th", "erste", "zweite", "letzte", "primera", "segunda", "premier", "dernier"),
    )
)
"""What may stand before the name."""
TAG = re.compile(r"\[([^\[\]]+(?:\[[^\[\]]*\][^\[\]]*)?)\]:?")
"""A line in square brackets."""
WORDS = re.compile(r"[^\W_]+")


def section_kind(name: str) -> str | None:
    """The kind of section that a name such as `Post-Chorus 2: Ann & Bob` stands for; None where it is no section's."""
    words = WORDS.findall(name.partition(":")[0].casefold())[:4]
    while words and (words[0] in MODIFIERS or words[0].isdigit()):
        del words[0]
    if not words:
        return None
    if len(words) > 1 and (together := KINDS.get(words[0] + words[1])) and words[0] in ("pre", "pré", "post"):
        return together
    return KINDS.get(words[0])


def tagged_kind(line: str) -> str | None:
    """The kind of section that a line in square brackets tags."""
    tag = TAG.fullmatch(line) if line.startswith("[") else None
    return section_kind(tag[1]) if tag else None
