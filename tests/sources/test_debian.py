import struct
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.settings.data import CollectSettings, DataSettings
from pipeline.sources.debian import debian_inputs, find_in_packages, midi_lumps
from tests.music_makers import song_midi

LIMITS = CollectSettings(1, 1, 1, 10, 1, 0)


def settings(*packages: str) -> DataSettings:
    return DataSettings("band", "debian", "Game music", "free", packages=list(packages))


def wad(lumps: dict[str, bytes]) -> bytes:
    """A WAD file: header, lumps, table."""
    body, table = b"", b""
    for name, lump in lumps.items():
        table += struct.pack("<ii8s", 12 + len(body), len(lump), name.encode())
        body += lump
    return b"PWAD" + struct.pack("<ii", len(lumps), 12 + len(body)) + body + table


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, with stand-ins: no package is installed, one can be fetched, and says so."""
    folder = tmp_path / "bin"
    folder.mkdir()
    scripts = {
        "dpkg-query": "exit 1",
        "apt-get": f"""
case "$*" in
*--print-uris*gone*) exit 100 ;;
*--print-uris*) echo "'http://x/pool/$4_2%3a1.0-1_all.deb' $4_2%3a1.0-1_all.deb 5 SHA256:0" ;;
*gone) echo "E: Unable to locate package gone" >&2; exit 100 ;;
*) : > "$3.deb"; echo fetched >> {tmp_path}/log ;;
esac""",
        "dpkg-deb": f'/bin/cp -r {tmp_path}/content/. "$3"',
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def test_music_lumps_of_a_wad_are_found() -> None:
    content = wad({"E1M1": b"", "D_E1M1": b"MThd one", "PNAMES": b"wall", "D_INTER": b"MThd three"})
    assert midi_lumps(content) == {"d_e1m1": b"MThd one", "d_inter": b"MThd three"}


def test_a_damaged_wad_has_no_lumps() -> None:
    assert midi_lumps(b"PWAD") == {} and midi_lumps(b"IWAD" + struct.pack("<ii", 10**6, 10**8)) == {}
    assert midi_lumps(wad({"D_A": b"MThd"})[:-10]) == {}


def test_packages_are_fetched_once_and_their_music_is_found(tools: Path, tmp_path: Path) -> None:
    content = tmp_path / "content" / "usr" / "share"
    content.mkdir(parents=True)
    tune = song_midi(content / "tune.mid", 1).read_bytes()
    (content / "game.wad").write_bytes(wad({"D_RUNNIN": tune}))
    (content / "menu.xml").write_text("<menu/>")
    rows = find_in_packages(settings("game"), LIMITS, False)
    folder = "data/collected/packages/game_2-1.0-1"
    assert [row.where for row in rows] == [f"{folder}/{name}" for name in ("game-d_runnin.mid", "tune.mid")]
    assert all(Path(row.where).read_bytes() == tune for row in rows)
    assert find_in_packages(settings("game"), LIMITS, False) == rows
    assert (tmp_path / "log").read_text() == "fetched\n"
    assert [path.name for path in Path("data/collected/packages").iterdir()] == ["game_2-1.0-1"]


def test_installed_packages_are_read_where_they_are(tools: Path, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    song_midi(tmp_path / "share" / "tune.mid", 1)
    (tmp_path / "share" / "game.wad").write_bytes(wad({"D_RUNNIN": b"MThd"}))
    listing = f'if [ "$1" = -L ]; then echo {tmp_path}/share; echo {tmp_path}/share/tune.mid; '
    listing += f'echo {tmp_path}/share/game.wad; else echo "installed 1:2.0"; fi'
    (tools / "dpkg-query").write_text(f"#!/bin/sh\n{listing}\n")
    (tools / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    rows = find_in_packages(settings("game"), LIMITS, False)
    names = [f"data/collected/packages/game_1-2.0/{name}" for name in ("game-d_runnin.mid", "tune.mid")]
    assert [row.where for row in rows] == names


def test_without_a_network_what_was_fetched_last_serves(tools: Path, tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    song_midi(tmp_path / "content" / "tune.mid", 1)
    rows = find_in_packages(settings("game"), LIMITS, False)
    (tools / "apt-get").write_text("#!/bin/sh\nexit 100\n")
    assert find_in_packages(settings("game"), LIMITS, False) == rows


def test_files_of_one_name_stay_apart(tools: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("day", "night")):
        (tmp_path / "content" / name).mkdir(parents=True)
        song_midi(tmp_path / "content" / name / "tune.mid", number)
    rows = find_in_packages(settings("game"), LIMITS, False)
    assert [Path(row.where).name for row in rows] == ["night-tune.mid", "tune.mid"]
    assert len({row.sha256 for row in rows}) == 2


def test_what_apt_says_is_passed_on(tools: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"fetch the package gone \(Unable to locate package gone\).*data=folder"):
        find_in_packages(settings("gone"), LIMITS, False)


def test_without_apt_the_user_learns_what_to_do(tools: Path) -> None:
    assert debian_inputs(settings("game"))
    (tools / "apt-get").unlink()
    with pytest.raises(UserError, match=r"no apt-get: .*data=folder data.path=DIR"):
        debian_inputs(settings("game"))
