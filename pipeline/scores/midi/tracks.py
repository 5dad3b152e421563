"""Tracks of a MIDI file, found and read one by one, whatever its lengths and its header say."""

from __future__ import annotations

from pipeline.errors import UnusableError
from pipeline.scores.midi.chunks import TRACK, Header
from pipeline.scores.midi.events import TABLES, TrackEvents, read_events

LOST_END = 4
"""Bytes of an end-of-track event and its distance: what may be missing of a file without any loss of music."""
MOST_CLIPPED, SHARE_OF_CLIPPED = 16, 0.05
"""Events of a track with data bytes above 127, in number and of all; with more of both it is no music that is read."""


def read_tracks(content: bytes, header: Header) -> tuple[list[TrackEvents], list[str]]:
    """All tracks of a file, and what had to be mended to read them.

    Chunks of other kinds are passed over, as the format asks. Tracks beyond those that the header counts are read too.

    Raises
    ------
    UnusableError
        The file is cut off in a track, or a track is too damaged.
    """
    tracks: list[TrackEvents] = []
    at, wrong_lengths, strange_bytes = header.end, 0, 0
    TABLES.begin(content)
    while at < len(content):
        if content[at : at + 4] != TRACK:
            following = _next_chunk(content, at)
            if content[following : following + 4] == TRACK and not _is_chunk(content, at):
                strange_bytes += following - at
            at = following
            continue
        start, stop = at + 8, at + 8 + int.from_bytes(content[at + 4 : at + 8], "big")
        if stop == len(content) or content[stop : stop + 4] == TRACK or _is_chunk(content, stop):
            track = read_events(content, start, stop)
            at = stop
        else:
            limit = content.find(TRACK, start)
            track = read_events(content, start, limit if limit >= 0 else len(content))
            if not track.has_end and limit < 0 and stop > len(content) + LOST_END:
                raise UnusableError("broken file: it is cut off or its lengths are wrong")
            wrong_lengths += track.has_end and track.stop != stop
            at = max(track.stop, start)
        if track.clipped > max(MOST_CLIPPED, SHARE_OF_CLIPPED * track.num_events):
            raise UnusableError(f"broken file: {track.clipped} events of a track have data bytes above 127")
        tracks.append(track)
    if not tracks:
        raise UnusableError("broken file: there is no track in it")
    return tracks, _remarks(tracks, header, wrong_lengths, strange_bytes)


def _is_chunk(content: bytes, at: int) -> bool:
    """Whether a chunk of any kind begins at `at` that has room in the file."""
    name = content[at : at + 4]
    length = int.from_bytes(content[at + 4 : at + 8], "big")
    return len(name) == 4 and name.isascii() and name.isalnum() and at + 8 + length <= len(content)


def _next_chunk(content: bytes, at: int) -> int:
    """Where the next track begins behind `at`, where no track begins; or the end of the file."""
    if _is_chunk(content, at):
        return at + 8 + int.from_bytes(content[at + 4 : at + 8], "big")
    found = content.find(TRACK, at)
    return found if found >= 0 else len(content)


def _remarks(tracks: list[TrackEvents], header: Header, wrong_lengths: int, strange_bytes: int) -> list[str]:
    """What was mended, a sentence part each."""
    remarks = []
    if wrong_lengths:
        remarks.append("lengths of tracks in the file were wrong")
    if strange_bytes:
        remarks.append(f"bytes between tracks were passed over ({strange_bytes})")
    if header.num_tracks != len(tracks):
        remarks.append(f"its header counts other tracks than there are ({header.num_tracks} instead of {len(tracks)})")
    clipped = sum(track.clipped for track in tracks)
    if clipped:
        remarks.append(f"data bytes above 127 were taken for 127 ({clipped})")
    return remarks
