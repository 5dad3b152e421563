"""DAWproject files: the structure that the published schema asks for, and the song that is read back from them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import numpy as np
import pytest
import soundfile

from pipeline.audio.synthesizers import Sound
from pipeline.drawing.palette import track_colour
from pipeline.rendering.daw.dawproject import metadata_xml, write_dawproject
from pipeline.songs.song import Song
from tests.daw_makers import RATE_HZ, long_song, noises, seconds_of_quarters
from tests.song_makers import JIG, song_of

NAMED = {"id", "name", "color", "comment"}
TIMELINE = NAMED | {"timeUnit", "track"}
PARAMETER = NAMED | {"parameterID", "max", "min", "unit", "value"}
Rule = tuple[str, set[str], set[str]]
"""Children in their order (those with a star come any number of times), required and allowed attributes."""
RULES: dict[str, Rule] = {
    "Project": ("Application Transport Structure Arrangement Scenes", {"version"}, {"version"}),
    "Application": ("", {"name", "version"}, {"name", "version"}),
    "Transport": ("Tempo TimeSignature", set(), set()),
    "Tempo": ("", {"unit"}, PARAMETER),
    "TimeSignature": ("", {"numerator", "denominator"}, NAMED | {"numerator", "denominator", "parameterID"}),
    "Structure": ("Track*", set(), set()),
    "Track": ("Channel Track*", set(), NAMED | {"contentType", "loaded"}),
    "Channel": ("Devices Mute Pan Sends Volume", set(), NAMED | {"audioChannels", "destination", "role", "solo"}),
    "Mute": ("", set(), NAMED | {"parameterID", "value"}),
    "Pan": ("", {"unit"}, PARAMETER),
    "Volume": ("", {"unit"}, PARAMETER),
    "Arrangement": ("Lanes Markers TempoAutomation TimeSignatureAutomation", set(), NAMED),
    "Lanes": ("Lanes* Clips*", set(), TIMELINE),
    "Clips": ("Clip*", set(), TIMELINE),
    "Clip": (
        "Notes Audio",
        {"time"},
        (NAMED - {"id"}) | {"time", "duration", "contentTimeUnit", "playStart", "playStop"},
    ),
    "Notes": ("Note*", set(), TIMELINE),
    "Note": ("", {"time", "duration", "channel", "key"}, {"time", "duration", "channel", "key", "vel", "rel"}),
    "Audio": (
        "File",
        {"duration", "channels", "sampleRate"},
        TIMELINE | {"duration", "channels", "sampleRate", "algorithm"},
    ),
    "File": ("", {"path"}, {"path", "external"}),
    "Markers": ("Marker*", set(), TIMELINE),
    "Marker": ("", {"time"}, (NAMED - {"id"}) | {"time"}),
    "TempoAutomation": ("Target RealPoint*", set(), TIMELINE | {"unit"}),
    "Target": ("", set(), {"parameter"}),
    "RealPoint": ("", {"time", "value"}, {"time", "value", "interpolation"}),
    "MetaData": ("Title Artist Album", set(), set()),
    "Title": ("", set(), set()),
    "Artist": ("", set(), set()),
}
VALUES = {
    "unit": {"linear", "normalized", "percent", "decibel", "hertz", "semitones", "seconds", "beats", "bpm"},
    "timeUnit": {"beats", "seconds"},
    "contentTimeUnit": {"beats", "seconds"},
    "role": {"regular", "master", "effect", "submix", "vca"},
    "interpolation": {"hold", "linear"},
    "loaded": {"true", "false"},
    "solo": {"true", "false"},
}
"""What the schema lists for an attribute."""
CONTENTS = {"audio", "automation", "notes", "video", "markers", "tracks"}


def check_structure(element: Element) -> None:
    """Fail where an element, an attribute or a value is not what the schema allows, or out of its order."""
    children, required, allowed = RULES[element.tag]
    assert required <= set(element.attrib) <= allowed, (element.tag, element.attrib)
    for name, value in element.items():
        assert value in VALUES.get(name, {value}), (element.tag, name, value)
        assert name != "contentType" or set(value.split()) <= CONTENTS
    order = [name.rstrip("*") for name in children.split()]
    places = [order.index(child.tag) for child in element]
    assert places == sorted(places), (element.tag, [child.tag for child in element])
    for name in children.split():
        assert name.endswith("*") or len(element.findall(name)) <= 1, (element.tag, name)
    for child in element:
        check_structure(child)


def written(folder: Path, song: Song, stems: Mapping[str, Sound], **options: Any) -> zipfile.ZipFile:
    path = folder / "song.dawproject"
    write_dawproject(path, song, "Salt", stems, RATE_HZ, **options)
    return zipfile.ZipFile(path)


def project(folder: Path, song: Song, stems: Mapping[str, Sound] | None = None) -> Element:
    return fromstring(written(folder, song, stems or {}).read("project.xml"))


def clips_of(root: Element, name: str) -> list[Element]:
    """The clips of the track of that name."""
    (track,) = [one for one in root.iter("Track") if one.get("name") == name]
    return root.findall(f"Arrangement/Lanes/Lanes[@track='{track.get('id')}']/Clips/Clip")


@pytest.mark.parametrize("song", [song_of(), long_song(), song_of(spec=JIG, bars=3)], ids=["plain", "long", "jig"])
@pytest.mark.parametrize("stems", [(), ("Drums", "Bass", "Record")])
def test_elements_attributes_and_values_are_those_of_the_schema(
    tmp_path: Path, song: Song, stems: tuple[str, ...]
) -> None:
    archive = written(tmp_path, song, noises(song, stems), artist="Nobody")
    check_structure(fromstring(archive.read("project.xml")))
    check_structure(fromstring(archive.read("metadata.xml")))


def test_every_id_is_given_once_and_every_reference_names_one_of_its_kind(tmp_path: Path) -> None:
    root = project(tmp_path, long_song(), noises(long_song(), ("Drums", "Bass")))
    ids = [one.attrib["id"] for one in root.iter() if "id" in one.attrib]
    assert len(ids) == len(set(ids))
    for attribute, tag in (("track", "Track"), ("destination", "Channel"), ("parameter", "Tempo")):
        known = {one.get("id") for one in root.iter(tag)}
        named = {one.get(attribute) for one in root.iter() if attribute in one.attrib}
        assert named and named <= known, attribute


def test_tracks_have_names_colours_programs_volumes_and_pans(tmp_path: Path) -> None:
    song = song_of(volumes=(1.0, 0.5, 0.8), pans=(0.0, -1.0, 0.5))
    tracks = {one.get("name"): one for one in project(tmp_path, song).iter("Track")}
    assert list(tracks) == ["Drums", "Piano", "Bass", "Chords", "Master"]
    assert [tracks[name].get("color") for name in song.spec.names] == [track_colour(index) for index in range(3)]
    assert "program 33" in tracks["Bass"].attrib["comment"] and "kit" in tracks["Drums"].attrib["comment"]
    volumes = [float(tracks[name].find("Channel/Volume").attrib["value"]) for name in song.spec.names]  # type: ignore[union-attr]
    assert np.allclose(volumes, [1, 0.25, 0.64])
    pans = [float(tracks[name].find("Channel/Pan").attrib["value"]) for name in song.spec.names]  # type: ignore[union-attr]
    assert np.allclose(pans, [0.5, 0, 0.75])


def test_what_has_a_stem_is_muted_as_notes_so_that_nothing_sounds_twice(tmp_path: Path) -> None:
    root = project(tmp_path, song_of(), noises(song_of(), ("Drums", "Bass")))
    muted = {
        one.get("name"): one.find("Channel/Mute").get("value") == "true"  # type: ignore[union-attr]
        for one in root.iter("Track")
    }
    assert muted == {
        "Stems": False, "Drums stem": False, "Bass stem": False, "Drums": True, "Piano": False, "Bass": True,
        "Chords": True, "Master": False,
    }  # fmt: skip


def test_tempo_map_and_section_markers_are_read_back(tmp_path: Path) -> None:
    song = long_song()
    root = project(tmp_path, song)
    points = [(float(one.attrib["time"]), float(one.attrib["value"])) for one in root.iter("RealPoint")]
    assert {one.get("interpolation") for one in root.iter("RealPoint")} == {"hold"}
    assert points[0][1] == float(root.find("Transport/Tempo").attrib["value"])  # type: ignore[union-attr]
    for step in (0, 16, 112, 118, 128):
        assert np.isclose(seconds_of_quarters(points, step / 4), song.seconds_at(step), atol=1e-6)
    markers = [(one.get("name"), float(one.attrib["time"])) for one in root.iter("Marker")]
    assert markers == [("verse", 0), ("chorus", 4)]


def test_notes_are_read_back_at_their_beats_with_swing_and_offsets(tmp_path: Path) -> None:
    song = long_song()
    root = project(tmp_path, song)
    for index, name in enumerate(song.spec.names):
        found = [
            (
                float(clip.attrib["time"]) + float(one.attrib["time"]),
                float(one.attrib["duration"]),
                int(one.attrib["key"]),
            )
            for clip in clips_of(root, name)
            for one in clip.iter("Note")
        ]
        mine = song.notes["track"] == index
        starts, ends = (ticks[mine] / 480 for ticks in song.bounds_ticks())
        asked = np.stack([starts, ends - starts, song.notes["pitch"][mine]], axis=1)
        off = np.abs(np.array(sorted(found)) - np.array(sorted(asked.tolist())))
        on_bar_line = np.abs(np.array(sorted(found))[:, 0] - 4) < 1e-6
        assert off[~on_bar_line].max() < 1e-6 and off.max() < 60 / 480


def test_stems_lie_at_the_beginning_for_their_whole_length_and_sum_to_the_mix(tmp_path: Path) -> None:
    song = long_song()
    stems = noises(song, ("Drums", "Bass"))
    archive = written(tmp_path, song, stems)
    root, total = fromstring(archive.read("project.xml")), np.zeros_like(stems["Bass"])
    tempi = [(step / 4, tempo) for step, tempo in song.tempo_map]
    for name in stems:
        (clip,) = clips_of(root, f"{name} stem")
        audio = clip.find("Audio")
        assert audio is not None and clip.get("time") == "0" and clip.get("contentTimeUnit") == "seconds"
        path = audio.find("File").attrib["path"]  # type: ignore[union-attr]
        sound, rate_hz = soundfile.read(io.BytesIO(archive.read(path)), dtype="float32")
        seconds = len(sound) / rate_hz
        assert np.isclose(float(audio.attrib["duration"]), seconds) and int(audio.attrib["sampleRate"]) == rate_hz
        assert np.isclose(seconds_of_quarters(tempi, float(clip.attrib["duration"])), seconds, atol=1e-6)
        total += sound
    assert np.abs(total - stems["Drums"] - stems["Bass"]).max() < 1e-3


def test_the_same_song_gives_the_same_bytes(tmp_path: Path) -> None:
    stems = noises(song_of(), ("Bass",))
    for name in ("one", "two"):
        written(tmp_path / name, song_of(), stems)
    assert (tmp_path / "one/song.dawproject").read_bytes() == (tmp_path / "two/song.dawproject").read_bytes()


def test_titles_are_read_back_without_what_xml_forbids() -> None:
    root = fromstring(metadata_xml("Salt & <Pepper>\x07 für 雨", "Nobody"))
    assert [one.text for one in root] == ["Salt & <Pepper> für 雨", "Nobody"]
