"""Lyric sites: what they put around and into the words of a song on a page that is saved or copied."""

from __future__ import annotations

import re

from pipeline.lyrics.cleaning.tally import CleaningTally

LANGUAGES = (
    "English",
    *("Español", "Português", "Français", "Deutsch", "Italiano", "Català", "Galego", "Euskara", "Română", "Türkçe"),
    *("Polski", "Nederlands", "Svenska", "Norsk", "Dansk", "Suomi", "Íslenska", "Čeština", "Slovenčina", "Slovenščina"),
    *("Magyar", "Hrvatski", "Srpski", "Shqip", "Eesti", "Latviešu", "Lietuvių", "Ελληνικά", "Русский", "Українська"),
    *("Български", "Беларуская", "Српски", "Македонски", "Қазақша", "Azərbaycanca", "ქართული", "Հայերեն", "עברית"),
    *("العربية", "فارسی", "اردو", "हिन्दी", "বাংলা", "தமிழ்", "ไทย", "Tiếng Việt", "Bahasa Indonesia", "Bahasa Melayu"),
    *(
        "Filipino",
        "日本語",
        "한국어",
        "中文",
        "简体中文",
        "繁體中文",
        "Chinese",
        "Romanization",
        "Romaji",
        "Esperanto",
        "Latina",
    ),
    *("Gaeilge", "Cymraeg", "Afrikaans", "Kiswahili", "Bosanski", "Malti"),
)
"""Names of the languages that a page is translated to."""
LANGUAGE = rf"(?:(?:{'|'.join(map(re.escape, LANGUAGES))})(?: ?\([^()\n]{{2,25}}\))?)"
SITE_HEADING = re.compile(rf"(?m)^\d[\d,.]*[KM]? ?Contributors?(?:Translations?{LANGUAGE}*)?(?=\D|$)(.*)$")
"""The first line of a page: how many wrote it, its translations, its title, and what is glued to that."""
COPIED_HEADING = re.compile(
    rf"\n\d[\d,.]*[KM]? Contributors?\n+(?:Translations?\n+(?:{LANGUAGE}\n+)*)?([^\n]{{1,120}}) Lyrics(?=\n|$)"
)
"""The same on lines of their own, as they are copied from a browser."""
TITLE = re.compile(r"(.{1,120}?) ?Lyrics(?=\[)|(.{1,120}?) Lyrics(?=[^\s,.;:!?')a-z]|$)")
QUOTES = " \t\"'\u201c\u201d\u2018\u2019\u00ab\u00bb"
ABOUT = re.compile(r"[^\[]{0,1500}?(?:\.\.\.|\u2026)?[ \t]*Read More[ \t]*", re.S)
"""What a page says about the song before its words."""
PLAIN_TITLE = re.compile(
    r"\s*(?:(?P<glued>.{1,80}?) Lyrics[ \t]*(?=\[[^\]\n]+\]|\n[ \t]*(?:\n|\[[^\]\n]+\]))"
    r"|(?:[\"\u201c](?P<quoted>.{1,80}?)[\"\u201d] [Ll]yrics|(?P<by>.{1,80}?) [Ll]yrics by .{1,80}?"
    r"|(?:Letra de|Paroles de(?: la chanson)?|Songtext (?:zu|von)|Testo (?:di|della canzone)) (?P<of>.{1,80}?))"
    r"[ \t]*(?=\n[ \t]*(?:\n|\[|[^\n]{1,80} Lyrics[ \t]*\n)))"
)
"""The first line of other pages."""
SAID_AGAIN = re.compile(r"\n[^\n]{1,80} Lyrics[ \t]*\n\s*[\"\u201c][^\n]{1,80}[\"\u201d][ \t]*(?=\n)")
"""What follows a quoted title on some: whose lyrics they are, and the title again."""
SAID_TITLE = re.compile(r"\s*(?:Title|TITLE|Song(?: [Tt]itle)?) ?: ?([^\n]{1,80})(?=\n)")
"""A first line that says the title."""
TITLE_WORDS = ("Letra de", "Paroles de", "Songtext", "Testo d")
TICKETS = re.compile(r"See [^\n]{1,80}? Live ?\n?Get tickets as low as [$\u00a3\u20ac]? ?[\d.,]+(?: ?[$\u20ac])?")
ALSO = "You might also like"
GLUED_ALSO = re.compile(rf"(?<=[^\s]){ALSO}(?=$|\n|\[|[^\s,.;!?'])|{ALSO}(?=\[|[^\s,.;!?'])")
"""Advice glued to what stands before it or after it."""
SURE_SITE = re.compile(r"\d ?Contributors?|Get tickets as low as|\S\d*Embed\s*$")
COUNT = r"(?:\d+(?:[.,]\d+)?[KM]?)"
EMBED = re.compile(
    rf"(?m)(?:(?<=[^\W\d]|[.,;:!?\")\]\u2026\u201d-]){COUNT}?|(?<=['\u2019])(?!\d\dEmbed){COUNT}?|(?<=\d)"
    rf"|^[ \t]*{COUNT}|^[ \t]*(?=Embed(?:\s*\Z|Share)))Embed(?:Share ?URLCopyEmbedCopy)?[ \t]*$"
)
"""A button's name, glued with the number of those who pressed another to the last word, or the last line of all."""
SITE_LINE = re.compile(
    r"\n[ \t]*(?:"
    r"Read More|A(?:DVERTISEMENTS?|dvertis(?:ements?|ing))|Sponsored(?: [Cc]ontent| [Ll]inks?)?"
    r"|Share URL|Copy (?:link|Embed)|(?:ShareURL|URL)?CopyEmbedCopy|Get tickets[^\n]*"
    r"|(?:More )?[Ll]yrics (?:provided|powered|licensed|supplied|submitted|added|corrected|transcribed)"
    r"(?: (?:&|and) (?:provided|powered|licensed|supplied))? by [^\n]*"
    r"|(?:Source|From|Found (?:at|on)|Lyrics from|Visit|Copied from|Read more at|More (?:lyrics )?at):? [^\n]{0,40}"
    r"(?:LyricFind|Musixmatch|AZLyrics|Genius|(?:https?://|www\.)\S+|\w+\.(?:com|net|org)\b\S*)[^\n]{0,20}"
    r"|(?:https?://|www\.)\S+\.\S+|\w*[Ll]yrics?\w*\.(?:com|net|org)|Source: \w+"
    r"|Songwriters?(?:\(s\))? ?: [^\n]+|Writer\(s\) ?: [^\n]+|[Ss]ubmit [Cc]orrections?"
    r"|Thanks to [^\n]{1,100} for (?:adding|correcting|submitting|sending)[^\n]{0,60}lyrics[^\n]*"
    r"|\*+ ?This Lyrics is NOT for Commercial use ?\*+|\(\d{10,}\)"
    r"|Ask us a question about this song|No questions asked yet|How to Format Lyrics:?|More on Genius"
    r"|Sign [Uu]p [Tt]o [Ss]tart [Aa]nnotating|\d+ (?:Contributors?|[Vv]iewers?)|Translations|Genius Annotations?"
    r"|Lyrics for this song have yet to be released[^\n]*"
    r"|Last (?:update|edit)(?:ed)? (?:on|by):? [^\n]*"
    r")[ \t]*(?=\n|$)"
)
"""A line that says something of a site, with the line's end before it."""
SITE_WORDS = ("yrics", "Read More", "dvertis", "ongwriter", "www.")
"""One of them stands in most texts with such lines: looking for them first is faster."""
RIGHTS_LINE = re.compile(
    r"\n(?:[^\n]{0,100}\b[Ll]yrics ?(?:\u00a9|\([cC]\))[^\n]*|[ \t]*\u00a9[^\n]*"
    r"|[ \t]*(?:\([cC]\)|[Cc]opyright) [^\n]*\b(?:19|20)\d\d\b[^\n]*"
    r"|[^\n]{0,100}\b[Aa]ll (?:lyrics are property|rights reserved)[^\n]*)(?=\n|$)"
)
"""A line on whose the words are, with the line's end before it."""
CREDITS = re.compile(
    r"\n[ \t]*(?:[\[(]?(?:(?:Words?|Lyrics?|Music|Text|Written|Composed|Produced|Arranged|Performed|Mixed|Mastered)"
    r"(?:,? (?:and|&|\+) ?\w+| \w+){0,3} [Bb]y|Lyricist|Composer|Producers?|Arranger|Artist|Album|Label|Released?"
    r"|Release [Dd]ate|Tempo|BPM|Capo|Tuning|\u4f5c\u8bcd|\u4f5c\u66f2|\u7f16\u66f2) ?[:\uff1a] ?[^\n]{1,150}"
    r"|[\[(](?:Produced|Written|Prod\.|Composed|Lyrics|Mixed|Directed)(?: and \w+)? (?:[Bb]y|from)[^\n]{1,150})(?=\n|$)"
)
"""A line that says who made the song, with the line's end before it."""


def without_site(text: str, tally: CleaningTally) -> str:
    """The words of songs and the tags of their sections out of text from lyric sites; other texts as they are."""
    text = f"\n{text}"
    text = _without_heading(text, tally)
    if "Get tickets" in text:
        text, count = TICKETS.subn("", text)
        tally.remove("site line", count)
    if ALSO in text:
        text = _without_advice(text, bool(tally.removed) or SURE_SITE.search(text) is not None, tally)
    if "Embed" in text:
        text, count = EMBED.subn("", text)
        tally.remove("site line", count)
    has_link = "/" in text and "http" in text
    if has_link or tally.removed or any(word in text for word in SITE_WORDS):
        text, count = SITE_LINE.subn("", text)
        tally.remove("site line", count)
    if "\u00a9" in text or "opyright" in text or ("(" in text and "(c)" in text):
        text, count = RIGHTS_LINE.subn("", text)
        tally.remove("site line", count)
    text, count = CREDITS.subn("", text)
    tally.remove("line of credits", count)
    return text[1:]


def _without_heading(text: str, tally: CleaningTally) -> str:
    """The title as a line of its own, in place of the page's first line."""
    if "Contributor" in text:

        def plain(found: re.Match[str]) -> str:
            tally.remove("site heading")
            said = TITLE.match(found[1])
            if said is None:
                return ""
            return f"# Title: {(said[1] or said[2]).strip()}\n{ABOUT_MARK}{found[1][said.end() :].strip()}"

        text, count = COPIED_HEADING.subn(r"\n# Title: \1", text)
        tally.remove("site heading", count)
        text = SITE_HEADING.sub(plain, text)
        if ABOUT_MARK in text:
            before, *songs = text.split(ABOUT_MARK)
            text = before
            for song in songs:
                about = ABOUT.match(song) if "Read More" in song else None
                tally.remove("site line", about is not None)
                text += song[about.end() :] if about else song
    elif (head := text[:400].lstrip()).startswith(TITLE_WORDS) or "yrics" in head:
        title = PLAIN_TITLE.match(head)
        if title is None:
            return text
        text = text.lstrip()
        tally.remove("site heading")
        said = next(name for name in title.groups() if name is not None)
        again = SAID_AGAIN.match(text, title.end())
        rest = text[again.end() if again else title.end() :]
        text = f"\n# Title: {said.strip(QUOTES)}\n{rest}"
    if said := SAID_TITLE.match(text[:200]):
        tally.remove("line of credits")
        text = f"\n# Title: {said[1].strip(QUOTES)}\n{text[said.end() :]}"
    return text


ABOUT_MARK = "\x00"
"""Where the words begin, or what is said about them; no text holds it."""


def _without_advice(text: str, is_site: bool, tally: CleaningTally) -> str:
    """Without what else one might like: glued to words, or a line of its own that is surely none of the song's."""
    text, count = GLUED_ALSO.subn("\n", text)
    lines = text.split("\n")
    kept = []
    for number, line in enumerate(lines):
        before = lines[number - 1].strip() if number else ""
        after = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if line.strip() == ALSO and (is_site or count or not before or not after or "[" in (before[0], after[0])):
            count += 1
        else:
            kept.append(line)
    tally.remove("site line", count)
    return "\n".join(kept)
