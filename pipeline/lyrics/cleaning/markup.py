"""HTML in texts: saved web pages to their words, tags and character entities in plain texts."""

from __future__ import annotations

import html
import re
from html.entities import html5
from html.parser import HTMLParser

from pipeline.lyrics.cleaning.tally import CleaningTally

PAGE = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
"""How a whole page begins."""
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31}\d{0,2});")
BREAK = re.compile(r"[ \t]*<br\s*/?\s*>[ \t]*\n?", re.I)
BLOCK = re.compile(
    r"\s*(?:</?(?:p|div|h[1-6]|ul|ol|blockquote|table|section|article|center|hr)\b[^<>\n]{0,500}>\s*)+", re.I
)
ITEM = re.compile(r"[ \t]*</?(?:li|tr|dt|dd|pre)\b[^<>\n]{0,500}>[ \t]*\n?", re.I)
INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|big|cite|code|del|em|font|i|img|ins|label|mark|q|rp|rt|ruby|s|samp|small|span|strike|strong|sub"
    r"|sup|td|th|time|tbody|thead|tt|u|wbr)(?:\s[^<>]{0,1000})?/?>|<!--.{0,2000}?-->",
    re.I | re.S,
)
"""Tags within a line. Only those of HTML: `<3` and `<enter Tom>` are none."""


def without_markup(text: str, tally: CleaningTally) -> str:
    """Plain text out of a text with tags of HTML and entities such as `&amp;` in it."""
    if "&" in text:
        text, count = _entities(text)
        tally.repair("HTML entity", count)
    if "<" in text:
        count = 0
        for pattern, other in ((BREAK, "\n"), (BLOCK, "\n\n"), (ITEM, "\n"), (INLINE, "")):
            text, found = pattern.subn(other, text)
            count += found
        tally.remove("HTML tag", count)
    return text


def _entities(text: str) -> tuple[str, int]:
    """Entities as the characters they stand for, those that were escaped twice, too; and how many there were."""
    count = 0
    for _ in range(2):
        changed = 0

        def character(found: re.Match[str]) -> str:
            nonlocal changed
            name = found[0][1:]  # a known one in full: `&notes;` is no `&not`
            letter = html.unescape(found[0]) if name[0] == "#" or name in html5 else found[0]
            changed += letter != found[0]
            return letter

        text = ENTITY.sub(character, text)
        count += changed
        if not changed:
            break
    return text, count


def is_page(text: str) -> bool:
    """Whether a text is a whole web page."""
    return "<" in text and PAGE.match(text) is not None


def page_text(text: str) -> str:
    """The words of a saved web page: those of the part that holds lyrics, where there is one, under its title."""
    parser = _PageParser()
    parser.feed(text)
    parser.close()
    return parser.words()


HIDDEN = frozenset(
    (
        *("head", "script", "style", "noscript", "nav", "header", "footer", "form", "button", "select", "svg"),
        *("iframe", "aside", "template", "textarea", "figure"),
    )
)
"""Elements that hold no words of the text."""
VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
"""Elements without an end."""
APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "table", "section", "article"))
"""Elements with a blank line around."""
LINES = frozenset(("div", "li", "tr", "dt", "dd", "pre", "main", "body"))
"""Elements that begin a line."""
LYRIC_NAME = re.compile(r"\blyrics?(?:$|[\s_-]*(?:$|body|box|text|content|container|root|main|wrapper))", re.I)
"""Classes and names of the elements that hold lyrics."""
TITLE_END = re.compile(r"\s+(?:lyrics\b.*|[|\u2013-]\s.*)$", re.I)


class _PageParser(HTMLParser):
    """Gathers a page's text, and that of the elements that hold lyrics."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[tuple[str, bool, int | None]] = []
        """Tag, whether it is hidden, and the number of the part it begins."""
        self.parts: list[list[str]] = [[]]
        """The whole page's text, then that of each element that holds lyrics."""
        self.is_sure = [False]
        self.title, self.heading = "", ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        if tag in ("br", "hr"):
            self._write("\n")
        if tag in VOID:
            return
        said = dict(attributes)
        if tag == "body":  # the end of the head may be left out
            self.stack = []
        self._write("\n\n" if tag in APART else "\n" if tag in LINES else "")
        hidden = tag in HIDDEN or "data-exclude-from-selection" in said
        part = None
        is_sure = "data-lyrics-container" in said
        names = f"{said.get('class') or ''} {said.get('id') or ''}"
        if is_sure or (tag in ("div", "p", "pre", "section", "article", "span") and self._names_lyrics(names)):
            part = self._part(is_sure)
        self.stack.append((tag, hidden, part))

    @staticmethod
    def _names_lyrics(names: str) -> bool:
        return any(LYRIC_NAME.fullmatch(re.sub(r"__|[-_]?\d+$", " ", name).strip()) for name in names.split())

    def _part(self, is_sure: bool) -> int:
        self.parts.append([])
        self.is_sure.append(is_sure)
        return len(self.parts) - 1

    def handle_comment(self, data: str) -> None:
        """Some sites say in a comment that what follows is the lyrics."""
        if "usage of azlyrics.com content" in data.lower() and self.stack:
            tag, hidden, _ = self.stack[-1]
            self.stack[-1] = (tag, hidden, self._part(True))

    def handle_endtag(self, tag: str) -> None:
        """An element ends, and all those in it whose end was left out."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place][0] == tag:
                del self.stack[place:]
                break
        self._write("\n\n" if tag in APART else "\n" if tag in LINES else "")

    def handle_data(self, data: str) -> None:
        """Text, whose line ends are spaces but in preformatted elements."""
        tags = [tag for tag, _, _ in self.stack]
        if "title" in tags and "svg" not in tags:
            self.title += data
            return
        if "h1" in tags:
            self.heading += data
            return
        self._write(data if "pre" in tags else re.sub(r"\s+", " ", data))

    def _write(self, text: str) -> None:
        if text and not any(hidden for _, hidden, _ in self.stack):
            for number in {0, *(part for _, _, part in self.stack if part is not None)}:
                self.parts[number].append(text)

    def words(self) -> str:
        """The text: of all elements that surely hold lyrics, else of the longest that may, else of the page."""
        texts = ["".join(part) for part in self.parts]
        sure = [text for text, is_sure in zip(texts, self.is_sure, strict=True) if is_sure]
        text = "\n".join(sure) if sure else max(texts[1:], key=len, default="")
        if not re.search(r"\w", text):
            text = texts[0]
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip("\n")
        title = re.sub(r"\s+", " ", self.heading).strip() or TITLE_END.sub("", re.sub(r"\s+", " ", self.title).strip())
        title = TITLE_END.sub("", title).strip("\"' \u201c\u201d")
        return f"# Title: {title}\n\n{text}\n" if 0 < len(title) <= 80 else f"{text}\n"
