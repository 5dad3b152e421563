"""File formats by the end of a file's name and by magic numbers: what is read, and what must be exported first."""

from __future__ import annotations

import codecs
import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePath

SCORES = {
    ".mid": "midi",
    ".midi": "midi",
    ".kar": "midi",
    ".rmi": "midi",
    ".smf": "midi",
    ".xml": "musicxml",
    ".musicxml": "musicxml",
    ".mxl": "musicxml",
    ".abc": "abc",
}
"""Formats of scores."""
PIANOROLLS = {".npz": "pianoroll"}
"""Of a data set of piano rolls. Arrays of anything end so, which is why other folders are not searched for them."""
RECORDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aiff", ".aif")
"""Formats that soundfile reads, and `.m4a`, which takes the optional extra `m4a` (PyAV)."""
TEXTS = (".txt", ".md", ".lrc", ".srt", ".vtt")
"""Formats of words in a catalog."""


NOTES = "export it as MusicXML or MIDI"
PROJECT = "export it as MIDI, or as a WAV recording"
SOUND = "export it as WAV, FLAC or MP3"
ARCHIVE = "unpack it, or pack the files as .zip"

_OTHERS = {
    ("MuseScore file", NOTES): ".mscz .mscx",
    ("Guitar Pro file", NOTES): ".gp .gp3 .gp4 .gp5 .gpx .gtp",
    ("Humdrum file", NOTES): ".krn .kern",
    ("LilyPond file", NOTES): ".ly .ily",
    ("MEI file", NOTES): ".mei",
    ("Sibelius file", NOTES): ".sib",
    ("Finale file", NOTES): ".musx .mus .ftmx",
    ("Dorico file", NOTES): ".dorico",
    ("Encore file", NOTES): ".enc",
    ("Overture file", NOTES): ".ove",
    ("Capella file", NOTES): ".cap .capx",
    ("NoteWorthy file", NOTES): ".nwc .nwctxt",
    ("TablEdit file", NOTES): ".tef",
    ("Power Tab file", NOTES): ".ptb .pt2",
    ("TuxGuitar file", NOTES): ".tg",
    ("Band-in-a-Box file", NOTES): ".mgu .sgu",
    ("Notion file", NOTES): ".notion",
    ("PDF", "export what it was printed from as MusicXML or MIDI"): ".pdf",
    ("Ableton Live set", PROJECT): ".als",
    ("FL Studio project", PROJECT): ".flp",
    ("Logic project", PROJECT): ".logicx .logic",
    ("GarageBand project", PROJECT): ".band",
    ("Cubase project", PROJECT): ".cpr .npr",
    ("Pro Tools session", PROJECT): ".ptx .ptf",
    ("Reaper project", PROJECT): ".rpp",
    ("Studio One song", PROJECT): ".song",
    ("Reason song", PROJECT): ".reason .rns",
    ("Bitwig project", PROJECT): ".bwproject",
    ("Cakewalk project", PROJECT): ".cwp .wrk",
    ("Ardour session", PROJECT): ".ardour",
    ("DAW project", PROJECT): ".dawproject",
    ("LMMS project", PROJECT): ".mmp .mmpz",
    ("Audacity project", SOUND): ".aup .aup3",
    ("Hydrogen song", PROJECT): ".h2song",
    ("Vocaloid project", PROJECT): ".vsqx .vsq .vpr .ust .ustx .svp",
    ("tracker module", PROJECT): ".mod .it .xm .s3m .mptm .xrns .669 .med .stm",
    ("SoundFont", "instruments, not songs; render.soundfont=FILE plays with one"): ".sf2 .sf3",
    (
        "recording",
        "convert it to WAV, FLAC or MP3",
    ): ".wma .aac .ape .wv .tta .mpc .mka .amr .3gp .dsf .dff .ra .ac3 .dts .caf .au .snd .w64 .spx",
    ("video", "export its sound as WAV, FLAC or MP3"): ".mp4 .m4v .mkv .webm .mov .avi .wmv .mpg .mpeg .flv",
    ("archive", ARCHIVE): ".rar .7z .tar .tgz .gz .bz2 .xz .lzh .lha .cab .sit",
}
OTHERS = {
    suffix: (name, advice)
    for (name, advice), suffixes in _OTHERS.items()
    for suffix in suffixes.split()
    if suffix not in (*SCORES, *RECORDINGS)
}
"""Music in formats that are not read, by the end of the name: what such a file is called, and what to do with it."""
OTHER_SUFFIX = re.compile(r" \((\.\w+)\): ")
"""Where `other_format` names the end of the name."""
PROJECT_FOLDERS = (".band", ".logicx")
"""Projects that are folders on disk, whose own files are no songs."""

MOSTLY_ASCII = 0.8
"""Of the letters of a text in the encoding of Western Windows."""
FEWEST_LETTERS = 8
"""A shorter file is no text that anyone would know."""
HEAD_BYTES = 2048
"""What of a file is looked at to know what it is."""
BEGINNINGS = (
    (rb"MThd|RIFF....RMID|\0[\x01-\x3f].{126}MThd", ".mid"),
    (rb"RIFF....WAVE|RF64....WAVE", ".wav"),
    (rb"fLaC", ".flac"),
    (rb"OggS.{24,}?OpusHead", ".opus"),
    (rb"OggS", ".ogg"),
    (rb"ID3|\xff[\xe2-\xe7\xf2-\xf7\xfa\xfb]", ".mp3"),
    (rb"FORM....AIF[FC]", ".aiff"),
    (rb"....ftyp(M4A|mp42|isom|dash)", ".m4a"),
    (rb"PK\x03\x04.{26}META-INF/container\.xml|PK\x03\x04.{26}mimetypeapplication/vnd\.recordare", ".mxl"),
    (rb"PK\x03\x04", ".zip"),
    (rb"(?:\xef\xbb\xbf)?\s*<(?:(?:\?xml|!--).{0,1500}?<)?(?:!DOCTYPE\s+)?score-(?:partwise|timewise)", ".musicxml"),
    (rb"(?:%abc[^\n]*\n(?:[^\n]*\n){0,20}?)?X:\s*\d+\s*\r?\n", ".abc"),
)
"""How files begin that are read, and what their names end in."""
PAGE = rb"(?i)(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b"
"""How a web page begins."""
NO_MUSIC = (
    (PAGE, "a web page"),
    (rb"%PDF-", "a PDF"),
    (rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|BM....\0\0\0\0", "a picture"),
    (rb"PK\x03\x04.{26}[^/]{0,200}\.mscx", "a MuseScore file"),
    (rb".FICHIER GUITAR PRO|BCF[SZ]", "a Guitar Pro file"),
    (rb"PK\x03\x04.{26}(?:\[Content_Types\]|_rels/|word/|xl/)|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (rb"PK\x03\x04|PK\x05\x06", "a zip archive"),
    (rb"Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x1f\x8b|BZh|\xfd7zXZ", "a packed archive"),
    (rb"MZ.{30,}PE\0\0|\x7fELF", "a program"),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media file"),
    (rb"RIFF....sfbk", "a SoundFont"),
    (rb"\*\*kern", "a Humdrum file"),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,1500}?<|<)mei\b", "an MEI file"),
    (rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,1500}?<|<)museScore\b", "a MuseScore file"),
    (rb"version https://git-lfs", "a pointer of Git LFS, whose file was not fetched"),
)
"""How files begin that are neither scores nor recordings, and what they are."""
NAMES = {"midi": "MIDI file", "musicxml": "MusicXML file", "abc": "ABC file", "pianoroll": "piano roll"}


def is_recording(name: str) -> bool:
    """Whether a file of this name holds sound rather than notes."""
    return name.lower().endswith(RECORDINGS)


def printable(text: str) -> str:
    """A name on one line: control characters become spaces, bytes that are no text become escapes."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = os.fsencode(text).decode("utf-8", "backslashreplace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def other_format(name: str) -> str:
    """What a file of this name is that is music but not read, and what to do; empty for all others.

    Such as `MuseScore file (.mscz): export it as MusicXML or MIDI`.
    """
    suffix = PurePath(name).suffix.lower()
    known = OTHERS.get(suffix)
    return f"{known[0]} ({suffix}): {known[1]}" if known else ""


def is_other_format(problem: str) -> bool:
    """Whether a problem is one that `other_format` gives."""
    suffix = OTHER_SUFFIX.search(problem)
    return suffix is not None and problem == other_format(f"x{suffix[1]}")


def count_others(problems: Iterable[str]) -> list[str]:
    """What `other_format` said of several files, a sentence each kind, the most frequent first; the rest is left.

    Such as `3 MuseScore files (.mscz): export them as MusicXML or MIDI`.
    """
    suffixes = [found[1] for one in problems if is_other_format(one) and (found := OTHER_SUFFIX.search(one))]
    counts = Counter(OTHERS[suffix] for suffix in suffixes)
    sentences = []
    for (name, advice), count in counts.most_common():
        own = " ".join(sorted({suffix for suffix in suffixes if OTHERS[suffix] == (name, advice)}))
        many = "" if count == 1 else "s"
        sentences.append(f"{count:,} {name}{many} ({own}): {advice if count == 1 else advice.replace(' it', ' them')}")
    return sentences


def format_of_content(head: bytes) -> str:
    """The format that a file begins with, such as `.mid`; empty where its first bytes are none that is read."""
    for beginning, suffix in BEGINNINGS:
        if re.match(beginning, head, re.S):
            return suffix
    return ""


def read_head(path: Path) -> bytes:
    """The first `HEAD_BYTES` bytes of a file; nothing where it can't be read."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def format_of_name(name: str) -> str:
    """What a file of this name should be, for people: `MIDI file`, `recording`."""
    if is_recording(name):
        return "recording"
    return NAMES.get((SCORES | PIANOROLLS).get(PurePath(f"x{name}").suffix.lower(), ""), "score")


def with_article(noun: str) -> str:
    """`a MIDI file`, `an ABC file`."""
    return f"{'an' if noun.startswith('A') else 'a'} {noun}"


def is_page(head: bytes) -> bool:
    """Whether a file that begins so is a web page."""
    return re.match(PAGE, head, re.S) is not None


def other_content(name: str, head: bytes) -> str:
    """What a file of a music format's name is instead, such as `is a web page, not a MIDI file`; else empty.

    `head` holds its first `HEAD_BYTES` bytes. What may be a damaged file of its format is none.
    """
    found = next((what for beginning, what in NO_MUSIC if re.match(beginning, head, re.S)), "")
    packed = found == "a zip archive" and PurePath(name).suffix.lower() in (".mxl", ".npz", ".xml", ".musicxml")
    if (
        not found
        and len(head) >= FEWEST_LETTERS
        and format_of_name(name) in ("MIDI file", "recording")
        and _is_text(head)
    ):
        found = "plain text"
    return "" if not found or packed else f"is {found}, not {with_article(format_of_name(name))}"


def _is_text(head: bytes) -> bool:
    """Whether bytes are letters that people read, in Unicode or the encoding of Western Windows."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut
    except UnicodeDecodeError:
        text = head.decode("cp1252", "replace")
        if sum(letter.isascii() for letter in text) < MOSTLY_ASCII * len(text):
            return False
    return all(letter.isprintable() or letter in "\r\n\t\ufeff\u00a0" for letter in text) and not format_of_content(
        head
    )
