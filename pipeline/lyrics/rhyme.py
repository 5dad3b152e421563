"""Which words rhyme, judged by their spelling and a list of common words that are not spelt as they sound.

The key stands for the sound from the last stressed vowel on: a capital letter is a long vowel or a diphthong.
"""

from __future__ import annotations

import re
from functools import cache

VOWELS = "aeiouy"
PARTS = re.compile(rf"[{VOWELS}]+|[^{VOWELS}]+")

IRREGULAR = {
    word: key
    for key, words in {
        "uv": "love above dove glove of shove",
        "um": "come some become overcome thumb crumb dumb numb",
        "un": "one done none son won someone everyone undone anyone",
        "ed": "said bread dead head instead spread thread dread tread ahead lead read red bed",
        "en": "again men",
        "U": "you through two too to do who shoe blue true into threw knew new grew flew drew crew few due view",
        "Us": "shoes news blues lose whose use choose",
        "Uv": "move prove",
        "Ov": "drove stove wove",
        "on": "gone on",
        "ont": "want",
        "W": "now how cow bow brow plow bough allow prow vow somehow",
        "Wn": "down town crown gown brown frown drown clown",
        "Wt": "out about shout doubt without",
        "Wd": "cloud loud proud crowd aloud bowed",
        "Wnd": "ground sound round found around bound pound hound",
        "Ul": "full pull wool",
        "E": "key me be he she we sea tea three see free tree knee",
        "Ez": "keys knees please seas these trees bees",
        "Iz": "eyes skies wise lies tries dies cries rise surprise goodbyes",
        "Id": "side cried tried died tied dried wide ride guide inside beside",
        "I": "eye tie lie die pie goodbye by my why sky high",
        "Er": "there where wear bear pear tear their everywhere stair hair air prayer",
        "Ers": "chairs stairs prayers",
        "Ir": "fire higher wire choir liar hire tire",
        "Er-near": "ear near here year fear dear hear clear tear beer appear disappear",
        "Ers-near": "years fears ears tears nears",
        "urd": "word heard bird third",
        "urld": "world curled hurled",
        "urn": "learn earn turn burn return",
        "urt": "hurt shirt dirt",
        "ar": "are star far car",
        "art": "heart part start art apart cart",
        "At": "great wait late gate weight eight",
        "Ak": "break make take awake",
        "uf": "enough rough tough stuff",
        "od": "god rod nod odd",
        "ost": "lost cost frost",
        "Ost": "most ghost post coast",
        "ud": "blood flood mud",
        "Or": "war door floor pour your sure four more shore",
        "orm": "warm storm form",
        "Ot": "boat coat throat note wrote",
        "ot": "what got not lot",
        "oz": "was because cause pause",
        "uther": "other brother mother another",
        "ether": "weather together feather whether leather",
        "aughter": "water daughter",
        "Om": "home foam comb roam",
        "On": "own known grown shown flown blown thrown",
        "O": "low slow know snow go no show grow throw blow though below ago so",
        "av": "have",
        "Av": "gave save wave grave brave",
        "ind-short": "wind pinned",
        "uk": "book look took shook cook",
        "ik": "quick trick brick",
    }.items()
    for word in words.split()
}

SPELLINGS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"aught$|ought$", "Ot-open"),
        (r"eigh(t?)$", r"A\1"),
        (r"igh", "I"),
        (r"ould$|ood$", "Ud"),
        (r"^(ies|yes)$", "Iz"),
        (r"^ied$", "Id"),
        (r"^ie$", "I"),
        (r"(ire|yre)(s?)$", r"Ir\2"),
        (r"^(ore|oor|oar|our|or)(s?)$", r"Or\2"),
        (r"^(air|are|ear|ere)(s?)$", r"Er\2"),
        (r"^(eer|ier)(s?)$", r"Er-near\2"),
        (r"^(ai|ay|ey|ei)", "A"),
        (r"^(ee|ea|ie)", "E"),
        (r"^(oa|oe|ow)", "O"),
        (r"^(oo|ew|ue|ui|ieu)", "U"),
        (r"^ou", "W"),
        (r"^(au|aw|a(?=l[lkt]))", "Q"),
        (r"^a([^aeiouyw]+)e(s?)$", r"A\1\2"),
        (r"^e([^aeiouyw]+)e(s?)$", r"E\1\2"),
        (r"^[iy]([^aeiouyw]+)e(s?)$", r"I\1\2"),
        (r"^o([^aeiouyw]+)e(s?)$", r"O\1\2"),
        (r"^u([^aeiouyw]+)e(s?)$", r"U\1\2"),
        (r"^i(nd|ld|gn)(s?)$", r"I\1\2"),
        (r"^o(ld|lt|ll)(s?)$", r"O\1\2"),
        (r"(?<=[A-Z])([a-z]+)e$", r"\1"),
        (r"^[iy](?=r)|^e(?=r)", "u"),
        (r"ck", "k"),
        (r"(ll|ss|tt|ff|zz|dd|nn|rr|bb)", lambda match: match[0][0]),
        (r"ph", "f"),
        (r"(?<=[A-Z])c$", "s"),
        (r"^e$", "E"),
        (r"^o$", "O"),
        (r"^y$", "I"),
    )
)
WEAK_ENDINGS = re.compile(
    r"(ings?|ers?|ens?|ons?|les?|(?<=[^aeiou])y|als?|els?|ets?|ness|less|ful|ment|(?<=[^aeiou])ies|ted|ded)$"
)
"""Endings without stress: the rhyme begins in the syllable before."""


@cache
def rhyme_key(word: str) -> str:
    """What two words must share to rhyme.

    >>> rhyme_key("night") == rhyme_key("white"), rhyme_key("walking") == rhyme_key("thing")
    (True, False)
    """
    word = re.sub(r"[^a-z-]", "", word.lower()).rpartition("-")[2]
    if word in IRREGULAR:
        return IRREGULAR[word]
    parts = PARTS.findall(re.sub(r"(?<=[aeiou])y(?=[aeiou])|^y", "j", word.replace("qu", "kw")))
    nuclei = [at for at, part in enumerate(parts) if part[0] in VOWELS]
    if not nuclei:
        return word
    spoken = _without_silent_e(word, nuclei)
    weak = WEAK_ENDINGS.search(word)
    first = spoken[-2] if weak and weak.start() > 0 and len(spoken) > 1 else spoken[-1]
    key = "".join(parts[first:])
    if len(spoken) < len(nuclei) and key.endswith("ed"):  # rolled ends like gold, stopped like hopped
        key = re.sub(r"(.)\1d$", r"\1d", f"{key[:-2]}d")
    for pattern, sound in SPELLINGS:
        key = pattern.sub(sound, key)
    return key


def _without_silent_e(word: str, nuclei: list[int]) -> list[int]:
    """The vowels that are spoken: without a silent e in -e, -es or -ed."""
    ending = re.search(r"[^aeiouy](e|es|ed)$", word)
    spoken = ending is None or word.endswith(("le", "les", "ted", "ded", "ses", "ces", "ges", "shes", "ches", "zes"))
    return nuclei if spoken or len(nuclei) < 2 else nuclei[:-1]


def rhymes(first: str, second: str) -> bool:
    """Whether two different words rhyme."""
    return first.lower() != second.lower() and rhyme_key(first) == rhyme_key(second)
