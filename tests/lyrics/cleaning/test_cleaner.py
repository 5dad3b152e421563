"""Words only: what lyric sites, karaoke files, subtitles, song sheets and web pages add to songs is taken out."""

from pathlib import Path

import pytest

from pipeline.lyrics.cleaning.cleaner import cleaned
from pipeline.lyrics.cleaning.mojibake import repair_mojibake
from pipeline.lyrics.cleaning.section_tags import section_kind
from pipeline.lyrics.cleaning.tally import CleaningTally
from pipeline.lyrics.corpus.song_lyrics import lyrics_in
from pipeline.lyrics.corpus.text_decoding import clean
from tests.conftest import ROOT


def read(text, kind="song"):
    """The text's words after cleaning, and what was counted."""
    tally = CleaningTally()
    return "".join(cleaned([text], kind, tally)), tally


def songs(text):
    """Title and sections, each its kind and lines, of all songs of a text."""
    return [
        (song.title, [(section.name, *section.lines) for section in song.sections])
        for song in lyrics_in([clean(read(text)[0])])
    ]


PAGE = """12 ContributorsTranslationsEspañolTürkçeSalt Lyrics[Verse 1: Ann Lee & Bob, *Cy*]
The wind came in
See Ann Lee LiveGet tickets as low as $66You might also like[Chorus: Ann Lee, *both*]
And so it goes
You might also like

[Post-Chorus]
Oh (x2)
[x2]
And low1.2KEmbed"""


def test_a_page_of_a_lyrics_site_keeps_its_words_title_and_sections():
    sections = [("verse", "The wind came in"), ("chorus", "And so it goes"), ("chorus", "Oh", "And low")]
    assert songs(PAGE) == [("Salt", sections)]
    removed = read(PAGE)[1].removed
    assert removed == {"site heading": 1, "site line": 4, "mark of repetition": 2}


@pytest.mark.parametrize(
    ("text", "title", "lines"),
    [
        (
            "1 ContributorSalt LyricsThe wind came in\nAnd so it goes3Embed",
            "Salt",
            ["The wind came in", "And so it goes"],
        ),
        ("27ContributorsSalt Lyrics“Salt” is by Ann… Read More The wind\nAnd soEmbed", "Salt", ["The wind", "And so"]),
        ("Salt Lyrics[Verse]\nThe wind\nEmbedShare URLCopyEmbedCopy", "Salt", ["The wind"]),
        ("The windYou might also likeAnd so\nIn '69Embed", None, ["The wind", "And so", "In '69"]),
        ("Title: Salt\nAlbum: Sea\n\nThe wind\nBridge: And so", "Salt", ["The wind", "And so"]),
        ("Artist: Ann\nThe wind\nWriter(s): Ann, Bob\nSource: LyricFind\nLyrics © Some Company", None, ["The wind"]),
        ("The wind\nLyrics licensed & provided by LyricFind\nhttps://lyrics.example/salt", None, ["The wind"]),
        (
            "The wind\n\nAdvertisement\n\nAnd so\nSubmit Corrections\nhttps://lyrics.example/salt",
            None,
            ["The wind", "And so"],
        ),
    ],
)
def test_what_sites_glue_to_words_goes(text, title, lines):
    ((found, sections),) = songs(text)
    assert (found, [line for _, *some in sections for line in some]) == (title, lines)


@pytest.mark.parametrize(
    "text",
    [
        "You might also like it here\nEmbed me in your heart\nWe all embed\nRead more of me",
        "In the rain\nYou might also like\nMy other song",
        "See Ann live, and get tickets\nAll I wrote were lyrics\nContributors to my pain",
        "A B C\nEasy as one\nE\nWhat I mean",
        "Bridge over the water\nChorus of the frogs\nVerse and worse\n\nHook\nLine and sinker",
        "I <3 you & me <enter Tom>\nTom & Jerry; R&B; &notes;\nx = 3, and 2 < 3",
        "To be or not\n[Exit a ghost]\nto be\n[A]nd so [T]he end",
        "Meet me at 12:30\nPsalm [3:16-17]\n{so} it goes\nfive times\ntwo by two",
        "**CHORUS**\nO for a muse\n\n**HENRY**\nMy lord\n\n**FLUELLEN**\nLook you\n\n**PISTOL**\nHa",
        "I wrote it down in\nverse: we see it\nand Chorus: said he",
        "(Break it down)\n(Ooh, ooh)\nCafé Ãœ”\nC\u2019est «là»",
    ],
)
def test_words_of_songs_stay(text):
    assert read(text) == (text, CleaningTally())


def test_the_projects_own_lyrics_are_not_changed_by_a_letter():
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "data/lyrics").glob("*.txt"))]
    assert len(texts) >= 100
    for kind in ("song", "essay", "book"):
        assert [read(text, kind) for text in texts] == [(text, CleaningTally()) for text in texts]


LRC = """[ar:Ann Lee]
[ti:Salt]
[offset:+120]
[00:10.00][00:30.00]And so it goes
[00:20.00]<00:20.00>The <00:20.50>wind <00:21.00>came <00:21.50>in
[00:25]F: She sings
[00:29.00]
[00:40.00]
[00:41.00]I[00:41.20]am[00:41.40]gone"""


def test_timed_lyrics_come_in_the_order_of_their_times():
    assert songs(LRC.replace("I[00:41.20]am[00:41.40]gone", "I am gone")) == [
        (
            "Salt",
            [
                ("verse", "And so it goes", "The wind came in", "She sings"),
                ("verse", "And so it goes"),
                ("verse", "I am gone"),
            ],
        )
    ]
    assert read(LRC)[1].removed == {"time stamp": 13, "LRC header": 3}


def test_stamps_have_hours_where_a_recording_is_long():
    text = "[00:59:58.00]The wind came in\n[1:00:02.50]And so it goes\n[59:59.00][1:00:05.00]And low"
    assert read(text)[0] == "The wind came in\nAnd low\nAnd so it goes\nAnd low"


def test_stamps_are_no_prose_either_but_places_in_a_book_stay():
    assert read("[00:10.00]The wind came in.\n[00:12.00]And went.", "essay")[0] == "The wind came in.\nAnd went."
    book = "[3:16] For so it was\nand stayed so,\nyear after year."
    assert read(book, "book")[0] == book


SRT = """1
00:00:01,000 --> 00:00:03,000
<i>The wind came in</i>
♪ And so it goes ♪

2
00:00:03,500 --> 00:00:05,000
{\\an8}99

3
00:00:12,000 --> 00:00:13,000
[Applause]

4
00:00:14,000 --> 00:00:15,000
- I am gone
"""


def test_subtitles_become_stanzas_where_nothing_is_sung_for_long():
    text, tally = read(SRT)
    assert text.split("\n") == ["The wind came in", "And so it goes", "99", "", "I am gone", ""]
    assert tally.removed["time stamp"] == 4


def test_web_subtitles_are_read_without_notes_settings_and_repeated_lines():
    text = (
        "WEBVTT - Salt\n\nNOTE\nmade by hand\n\nfirst\n00:01.000 --> 00:02.000 align:start\n<v Ann>The <c>wind</c>\n\n"
        "00:02.000 --> 00:03.000\nThe wind\n<00:02.100><c>came</c><00:02.500><c> in</c>\n"
    )
    assert read(text)[0] == "The wind\ncame in\n"


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("[Chorus]", "chorus"),
        ("Chorus:", "chorus"),
        ("CHORUS (x2)", "chorus"),
        ("(Refrain)", "chorus"),
        ("[Post-Chorus: Ann]", "chorus"),
        ("[Estribillo]", "chorus"),
        ("[Refrão]", "chorus"),
        ("[Strophe 2]", "verse"),
        ("[2nd Verse]", "verse"),
        ("Verse 2", "verse"),
        ("--- Bridge ---", "bridge"),
        ("[Pont]", "bridge"),
        ("[Pré-Refrain]", "prechorus"),
        ("Pre-Chorus:", "prechorus"),
        ("[Verse 1: Ann Lee &\nBob]", "verse"),
    ],
)
def test_headings_of_sections_are_known(heading, kind):
    text = (
        f"[Intro]\nThe wind came in\n\n{heading}\nAnd so it goes" if heading[0] == "[" else f"{heading}\nAnd so it goes"
    )
    assert songs(text)[0][1][-1] == (kind, "And so it goes")


def test_stanzas_beside_a_marked_chorus_are_verses():
    text = "Chorus:\nAnd so it goes\n\nThe wind came in\n\n(Chorus)\n\nThe wind went out"
    assert songs(text)[0][1] == [
        ("chorus", "And so it goes"),
        ("verse", "The wind came in"),
        ("verse", "The wind went out"),
    ]


def test_sections_are_named_in_other_languages():
    names = {"Refrein": "chorus", "Köprü": "bridge", "Przejście": "bridge", "Saída": "outro"}
    assert {name: section_kind(name) for name in names} == names


def test_names_of_other_things_are_no_sections():
    assert [section_kind(name) for name in ("Exit a ghost", "Produced by Ann", "Guitar Solo", "2x")] == [None] * 4


def test_song_sheets_lose_their_chords():
    sheet = (
        "{title: Salt}\n{soc}\n[Am]The wind came [C]in\n{eoc}\n{sot}\ne|--3--|\n{eot}\n{c: Verse 2}\n[G7]I say a[F]men"
    )
    assert songs(sheet) == [("Salt", [("chorus", "The wind came in"), ("verse", "I say amen")])]
    lines = "Am        F#m7   C/E\nThe wind came in alone\nG\nA river waits\n\ne|---0---2---|\nAnd so"
    assert [line for line in read(lines)[0].split("\n") if line] == [
        "The wind came in alone",
        "A river waits",
        "And so",
    ]


def test_tags_and_entities_of_html_become_text():
    text = "It&#39;s R&amp;amp;B<br>\nThe <b>wind</b><br/>I &lt;3 you</p><p class='x'>And so"
    assert read(text)[0] == "It's R&B\nThe wind\nI <3 you\n\nAnd so"
    assert read("A <i>word</i> &amp; more.", "essay")[0] == "A word & more."


def test_a_saved_web_page_gives_its_lyrics_under_its_title():
    page = (
        "<!DOCTYPE html>\n<html><head><title>Ann - Salt Lyrics | Site</title><script>let a = '<br>';</script></head>"
        "<body><nav>Home</nav><h1>Salt</h1><div data-lyrics-container='true'><p data-exclude-from-selection='true'>"
        "2 Contributors</p>[Verse 1]<br>The wind<br>\ncame in</div><div>Buy now</div>"
        "<div data-lyrics-container='true'>[Chorus]<br>And&nbsp;so</div><footer>Imprint</footer></body></html>"
    )
    assert songs(page) == [("Salt", [("verse", "The wind", "came in"), ("chorus", "And so")])]


def test_mojibake_is_repaired_where_it_is_sure():
    assert repair_mojibake("Itâ€™s the cafÃ©\nIRMÃ”\nplain") == ("It\u2019s the café\nIRMÃ”\nplain", 2)
    assert repair_mojibake("Ã‰tÃ© Ã la plage")[0] == "Été à la plage"
    right = "Æøå, é, «Â», Ça, 日本 â"
    assert repair_mojibake(right) == (right, 0)


def test_a_text_in_blocks_is_cleaned_as_one(tmp_path: Path):
    tally = CleaningTally()
    blocks = ["[00:01.00]The wind\n", "[00:02.00]And so\n"]
    assert "".join(cleaned(blocks, "song", tally)) == "The wind\nAnd so\n"
    assert (tally.texts, tally.removed) == (1, {"time stamp": 2})


def test_a_page_that_says_title_and_band_twice_leaves_the_words() -> None:
    page = (
        '"Blue Song" lyrics\nThe Nobodies Lyrics\n\n"Blue Song"\n\nThe night is long\nAnd I am blue\n\nBestLyrics.com\n'
    )
    words = "".join(cleaned([page], "song", CleaningTally())).split("\n")
    assert [line for line in words if line] == ["# Title: Blue Song", "The night is long", "And I am blue"]
