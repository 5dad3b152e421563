"""What people write into the cells of a list of songs, as values: tempo, key, seconds, kind, split, hash."""

from __future__ import annotations

import re

from pipeline.scores.keys import Key

SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0
KINDS = {
    "song": "song songs track tracks music recording recordings score scores midi piece tune title audio",
    "sample": "sample samples loop loops break breaks snippet snippets",
    "text": "text texts lyric lyrics words poem poems verse",
}
SPLITS = {"train": "train training", "validation": "validation valid val dev", "test": "test testing eval evaluation"}
TONICS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
MODES = {
    False: ("", "M", "maj", "major", "dur", "ionian"),
    True: ("m", "min", "minor", "moll", "aeolian", "natural minor", "harmonic minor"),
}
"""What follows the tonic of a major key (False) and of a minor key (True)."""
ABOUT = r"(?:~|≈|=|♩|ca?\.?|circa|about|approx\.?|\s)*"


def _word(text: str, words: dict[str, str]) -> str:
    """Ours among `words` (ours to theirs) that the text means; empty where it means none."""
    plain = text.strip().lower()
    return next((ours for ours, theirs in words.items() if plain in theirs.split()), "")


def read_kind(text: str) -> str:
    """`song`, `sample` or `text`; raises ValueError."""
    found = _word(text, KINDS)
    if not found:
        raise ValueError("is none of song, sample, text")
    return found


def read_split(text: str) -> str:
    """`train`, `validation` or `test`; raises ValueError."""
    found = _word(text, SPLITS)
    if not found:
        raise ValueError("is none of train, validation, test")
    return found


def read_bpm(text: str) -> float:
    """Beats a minute out of `92`, `92,5 BPM`, `ca. 120`; raises ValueError."""
    unit = r"(?:bpm|b\.p\.m\.|beats? ?(?:per|a|/) ?min(?:ute|\.)?)?"
    match = re.fullmatch(rf"{ABOUT}(\d+(?:[.,]\d+)?)\s*{unit}", text.strip().lower())
    if not match:
        raise ValueError("is no number of beats a minute")
    value = float(match[1].replace(",", "."))
    if not SLOWEST_BPM <= value <= FASTEST_BPM:
        raise ValueError(f"lies outside {SLOWEST_BPM:g} to {FASTEST_BPM:g} beats a minute")
    return value


def read_seconds(text: str) -> float:
    """Seconds out of `0.52`, `0,52 s`, `520 ms`, `1:02.5` or `00:01:02`; raises ValueError."""
    plain = text.strip().lower().replace(",", ".")
    match = re.fullmatch(rf"{ABOUT}(\d+(?:\.\d+)?)\s*(ms|milliseconds|s|sec\.?|secs|seconds?)?", plain)
    if match:
        return float(match[1]) / (1000 if (match[2] or "").startswith("m") else 1)
    clock = re.fullmatch(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)", plain)
    if not clock:
        raise ValueError("is no number of seconds")
    return 3600 * float(clock[1] or 0) + 60 * float(clock[2]) + float(clock[3])


def read_hash(text: str) -> str:
    """A SHA-256 as 64 small hex digits; raises ValueError."""
    plain = text.strip().lower().removeprefix("sha256:").strip()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise ValueError("is no SHA-256")
    return plain


def read_key_cell(text: str) -> str:
    """A key in the house's spelling out of `Am`, `F#m`, `B♭ major`, `a-Moll`, `E flat min` or a wheel's `8A`.

    Raises ValueError.
    """
    plain = re.sub(r"[♯]|[\s-]*sharp", "#", text.strip())
    plain = re.sub(r"[♭]|[\s-]*flat", "b", plain)
    wheel = re.fullmatch(r"(1[0-2]|[1-9])\s*([ABab])", plain)
    if wheel:  # the wheel of fifths that disc jockeys use: 8A is A minor, 8B is C major
        is_minor = wheel[2] in "Aa"
        return str(Key((9 * is_minor + 7 * (int(wheel[1]) - 8)) % 12, is_minor))
    match = re.fullmatch(r"([A-Ha-h])(is|es|(?<=[AEae])s|#|b)?[\s_:/-]*([A-Za-z ]*)\.?", plain)
    if match:
        tail = match[3] if match[3] in ("m", "M") else match[3].strip().lower()
        for is_minor, names in MODES.items():
            if tail in names:
                shift = {None: 0, "is": 1, "#": 1}.get(match[2], -1)
                if tail in ("dur", "moll") and match[1] in "Bb" and not match[2]:
                    shift = -1  # German calls B flat B, and B H
                return str(Key((TONICS[match[1].lower()] + shift) % 12, is_minor))
    raise ValueError("is no key such as G major or F# minor")
