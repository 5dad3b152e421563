import pytest

from pipeline.formats import is_page
from pipeline.sources.file_types import name_of, suffix_of
from tests.file_server import PAGE


@pytest.mark.parametrize(
    ("name", "kind", "head", "suffix"),
    [
        ("download", "", b"MThd\0\0\0\6", ".mid"),
        ("tune.kar", "", b"MThd\0\0\0\6", ".kar"),
        ("tune.mp3", "", b"RIFF\0\0\0\0WAVEfmt ", ".wav"),
        ("a", "audio/mpeg; charset=x", b"\0\0", ".mp3"),
        ("a", "", b"ID3\4", ".mp3"),
        ("a.opus", "", b"OggS" + bytes(24) + b"OpusHead", ".opus"),
        ("a.oga", "", b"OggS" + bytes(30), ".oga"),
        ("a", "", b"<?xml version='1.0'?>\n<!DOCTYPE score-partwise PUBLIC", ".musicxml"),
        ("a", "text/plain", b"X:1\nT:Reel\n", ".abc"),
        ("words.txt", "text/plain", b"Once upon", ".txt"),
        ("a", "", b"PK\3\4" + bytes(26) + b"META-INF/container.xml", ".mxl"),
        ("a.exe", "application/octet-stream", b"MZ", ""),
        ("a.gp", "application/zip", b"PK\3\4", ""),
    ],
)
def test_the_format_is_known_by_content_then_name_then_type(name: str, kind: str, head: bytes, suffix: str) -> None:
    assert suffix_of(name, {"Content-Type": kind}, head) == suffix


def test_names_come_from_the_server_or_the_link() -> None:
    assert name_of("http://x/a%20b.mid?id=1", {}) == "a b.mid"
    assert name_of("http://x/get", {"Content-Disposition": "attachment; filename*=UTF-8''%C3%85se.mid"}) == "Åse.mid"
    assert name_of("http://x/", {}) == "x"
    assert name_of("http://x/a", {"Content-Disposition": 'attachment; filename="..\\\\..\\\\c.mid"'}) == "c.mid"


def test_web_pages_are_told_from_files() -> None:
    assert is_page(PAGE) and is_page(b"\xef\xbb\xbf <HTML>") and is_page(b"<?xml version='1.0'?><html xmlns=")
    assert not is_page(b"<?xml version='1.0'?><score-partwise>") and not is_page(b"MThd<html>")
