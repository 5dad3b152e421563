"""Files that correct a transcription: where they lie, what they hold, and what is read out of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pipeline.files import file_hash
from pipeline.sources.stem_folders import plain_name
from pipeline.transcription.corrections.given_beats import GivenBeats, read_given_beats
from pipeline.transcription.corrections.given_notes import GivenNotes, read_given_notes


@dataclass(frozen=True, eq=False)
class Corrections:
    """What is known of a recording's notes and beats, and its stems.

    Attributes
    ----------
    notes, beats
        What the files say; None where there are none.
    stems
        Paths of the stems, by name.
    """

    notes: GivenNotes | None = None
    beats: GivenBeats | None = None
    stems: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class CorrectionFiles:
    """The files that correct the transcription of one recording.

    Attributes
    ----------
    notes, beats
        Paths; empty where there are none.
    stems
        Names and paths of the stems.
    sha256
        Of the bytes of each file: its name (`notes`, `beats`, or that of the stem) and hash, empty where it can't be
        read.
    remark
        What is to be said of them; empty where there is nothing.
    """

    notes: str = ""
    beats: str = ""
    stems: tuple[tuple[str, str], ...] = ()
    sha256: tuple[tuple[str, str], ...] = ()
    remark: str = ""

    def read(self, is_compound: bool) -> Corrections:
        """What the files say; stems are only named. Raises `UnusableError` with one plain sentence."""
        return Corrections(
            read_given_notes(Path(self.notes), is_compound) if self.notes else None,
            read_given_beats(Path(self.beats)) if self.beats else None,
            {name: Path(path) for name, path in self.stems},
        )


def correction_files(
    notes: str, beats: str, songs: Mapping[str, Mapping[str, Path]] | None, names: Iterable[str]
) -> CorrectionFiles:
    """The files that correct a recording's transcription: notes go before beats and stems.

    Parameters
    ----------
    notes, beats
        Paths; empty for none.
    songs
        The stems of all songs, by `stem_folders`; None where no stems are asked for.
    names
        What the recording's folder of stems may be called: as its file without the suffix.
    """
    if notes:
        notes = str(Path(notes).expanduser())
        return CorrectionFiles(notes=notes, sha256=_hashes({"notes": notes}))
    paths: dict[str, str] = {"beats": str(Path(beats).expanduser())} if beats else {}
    found = next((songs[name] for name in map(plain_name, names) if name in songs), {}) if songs else {}
    stems = {name: str(path) for name, path in sorted(found.items())}
    remark = "transcribe.stems has no stems of it: the recording itself was heard" if songs and not stems else ""
    return CorrectionFiles("", paths.get("beats", ""), tuple(stems.items()), _hashes(paths | stems), remark)


def _hashes(paths: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """SHA-256 of files; empty of one that can't be read: who reads it will say why."""
    found = []
    for name, path in paths.items():
        digest = ""
        with suppress(OSError):
            stats = Path(path).stat()
            digest = _hash_of(path, stats.st_size, stats.st_mtime_ns)
        found.append((name, digest))
    return tuple(found)


@lru_cache(maxsize=4096)
def _hash_of(path: str, size: int, changed: int) -> str:
    """SHA-256 of a file of this size that was last changed then: stems are large, and asked for more than once."""
    return file_hash(Path(path))
