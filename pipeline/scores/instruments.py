"""General MIDI instruments by the names of parts and tracks, and by MusicXML's standard sounds.

A name is read word by word, in the languages that scores are written in: each word or abbreviation is brought to its
English form, then the entry of `INSTRUMENTS` with the most words in the name wins, so that a bass clarinet is a
clarinet. Words that only qualify others (`bass`, `alto`, `lead`) lose against a noun, percussion wins.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Instrument:
    """General MIDI program, 0 to 127, or percussion, whose program says nothing."""

    program: int
    is_drum: bool


DRUMS = Instrument(0, True)

GENERAL_MIDI = """
acoustic grand piano,bright acoustic piano,electric grand piano,honky tonk piano,electric piano 1,electric piano 2,
harpsichord,clavinet,celesta,glockenspiel,music box,vibraphone,marimba,xylophone,tubular bells,dulcimer,drawbar organ,
percussive organ,rock organ,church organ,reed organ,accordion,harmonica,tango accordion,acoustic guitar nylon,
acoustic guitar steel,electric guitar jazz,electric guitar clean,electric guitar muted,overdriven guitar, distortion
guitar,guitar harmonics,acoustic bass,electric bass finger,electric bass pick,fretless bass,slap bass 1, slap bass
2,synth bass 1,synth bass 2,violin,viola,cello,contrabass,tremolo strings,pizzicato strings,orchestral harp,
timpani,string ensemble 1,string ensemble 2,synth strings 1,synth strings 2,choir aahs,voice oohs,synth voice,
orchestra hit,trumpet,trombone,tuba,muted trumpet,french horn,brass section,synth brass 1,synth brass 2,soprano sax,
alto sax,tenor sax,baritone sax,oboe,english horn,bassoon,clarinet,piccolo,flute,recorder,pan flute,blown bottle,
shakuhachi,whistle,ocarina,lead 1 square,lead 2 sawtooth,lead 3 calliope,lead 4 chiff,lead 5 charang,lead 6 voice,
lead 7 fifths,lead 8 bass lead,pad 1 new age,pad 2 warm,pad 3 polysynth,pad 4 choir,pad 5 bowed,pad 6 metallic, pad 7
halo,pad 8 sweep,fx 1 rain,fx 2 soundtrack,fx 3 crystal,fx 4 atmosphere,fx 5 brightness,fx 6 goblins, fx 7 echoes,fx 8
sci fi,sitar,banjo,shamisen,koto,kalimba,bagpipe,fiddle,shanai,tinkle bell,agogo,steel drums, woodblock,taiko
drum,melodic tom,synth drum,reverse cymbal,guitar fret noise,breath noise,seashore,bird tweet, telephone
ring,helicopter,applause,gunshot
"""
"""The names of programs 0 to 127."""

DRUM_SETS = {
    "standard": 0, "room": 8, "power": 16, "electronic": 24, "808": 25, "jazz": 32, "brush": 40, "orchestra": 48,
}  # fmt: skip
"""Programs of drum sets by their names in GM2, which GS and most SoundFonts share."""

PERCUSSION = """
temple rototom drum kit snare kick tom hihat cymbal percussion conga bongo cajon djembe shaker tambourine cowbell
clave maraca guiro cabasa tamtam gong timbale surdo tabla castanet clap snap rimshot overhead crash splash ride beat
battery fpc ultrabeat impulse bodhran triangle stick hat pandeiro cuica sidestick drumkit
"""
"""Words of which one makes a name that of percussion, unless a longer entry of `INSTRUMENTS` says otherwise."""

QUALIFIERS = "bass alto tenor soprano baritone lead synth pad keyboard pizzicato voice solo string arpeggio fx effect"
"""Words with a meaning of their own that lose against a noun beside them: a string pad, a bass flute."""

INSTRUMENTS = """
0: piano, grand, keyboard | 2: grand electric piano | 3: honkytonk, honky tonk | 4: electric piano, rhodes, wurlitzer
5: fm piano, electric fm piano, dx | 6: harpsichord, continuo, spinet, virginal | 7: clavinet | 8: celesta
9: glockenspiel, crotale | 10: music box, musicbox | 11: vibraphone | 12: marimba, balafon | 13: xylophone
14: bell, tubular bell, chime, carillon, handbell | 15: dulcimer, santur, cimbalom, zither, psaltery
16: organ, farfisa, continental voice, hammond, electric organ, drawbar organ, electronic organ | 17: percussive organ
18: rock organ, rotary organ | 19: church organ, pipe organ | 20: harmonium, reed organ | 21: accordion, concertina
22: harmonica, melodica | 23: bandoneon, tango accordion
24: nylon, classical guitar, nylon guitar, spanish guitar, ukulele, lute, charango, requinto, cavaquinho, vihuela
24: theorbo, oud, violao
25: guitar, acoustic string, acoustic string guitar, dobro, acoustic guitar, steel guitar, mandolin, bouzouki
25: folk guitar, lap steel, pedal steel, balalaika
26: jazz guitar, archtop | 27: electric guitar, clean guitar, strat, telecaster, stratocaster, rhythm guitar
28: muted guitar, palm guitar, funk guitar | 29: overdrive guitar, lead guitar, solo guitar, overdrive, crunch guitar
30: distortion guitar, distortion, heavy guitar, power guitar, metal guitar | 31: harmonic guitar
32: acoustic bass, upright bass, jazz upright bass
33: bass, electric bass, bass guitar, finger bass, acoustic bass guitar, electric bass guitar, rhythm bass
34: picked bass, picked bass guitar | 35: fretless, fretless bass, fretless bass guitar
36: slap bass, slap, slap bass guitar
38: synth bass, 808 bass, moog bass, acid bass, saw bass, sub bass, sub, 808, reese, wobble bass, bassline
38: lead bass, analog bass | 40: violin | 41: viola, violin alto | 42: cello, gamba, viola gamba
43: contrabass, double bass, string bass, acoustic contrabass | 44: tremolo string | 45: pizzicato, pizzicato string
46: harp | 47: timpani, timpani drum | 48: string, quartet string, orchestra | 49: slow string
50: synth string, pad string, mellotron, solina
52: choir, soprano, alto, tenor, baritone, mezzosoprano, contralto, choir aah, voice bass, aah, choir bass
52: solo bass voice | 53: voice, ooh, voice ooh, voice lead | 54: synth voice, vocoder, synth choir
55: orchestra hit, hit orchestra | 56: trumpet, cornet, flugelhorn, bugle | 57: trombone, sackbut
58: tuba, euphonium, sousaphone, baritone horn | 59: muted trumpet
60: horn, french horn, mellophone, alphorn, tenor horn | 61: brass, brass section, horn section, brass horn
62: synth brass | 64: soprano sax | 65: sax, alto sax | 66: tenor sax | 67: baritone sax, bass sax | 68: oboe, duduk
69: english horn | 70: bassoon, contrabassoon | 71: clarinet, basset horn, bass clarinet | 72: piccolo, piccolo flute
73: flute, woodwind, traverso, fife | 74: recorder, bec flute, dolce flute | 75: pan flute, panpipe | 76: bottle
77: shakuhachi | 78: whistle, tin whistle, penny whistle | 79: ocarina
80: square, square lead, triangle wave, nes triangle
81: synth, pluck, distortion synth, lead, synth lead, saw, saw lead, arpeggio, theremin, synth arpeggio, sequence
82: calliope, calliope lead
83: chiff, chiff lead | 84: charang, charang lead | 85: voice synth lead | 86: fifth lead | 87: bass lead synth
88: new age pad, newage pad, fantasia | 89: pad, warm pad, synth pad | 90: polysynth, polysynth pad
91: choir pad, voice pad, space pad | 92: bowed pad, glass pad | 93: metallic pad, metal pad | 94: halo pad
95: sweep pad | 96: rain fx, rain effect | 97: soundtrack, soundtrack fx | 98: crystal, crystal fx
99: atmosphere, atmosphere fx, fx, effect | 100: brightness, brightness fx | 101: goblin, goblin fx
102: echo fx, echo drop | 103: scifi fx, sci fi fx | 104: sitar | 105: banjo | 106: shamisen | 107: koto, guzheng
108: kalimba, mbira | 109: bagpipe, pipe | 110: fiddle, erhu, nyckelharpa, hurdy gurdy | 111: shanai, shehnai
112: tinkle bell | 113: agogo
114: steel drum, steelpan, steel pan | 115: woodblock, wood block | 116: taiko, taiko drum | 117: melodic tom
119: reverse cymbal | 122: seashore | 123: bird tweet | 124: telephone | 125: helicopter | 126: applause
127: gunshot
-1: synth drum, electric drum, electronic drum, acoustic drum, bass drum, drum machine
-1: tenor drum, triangle, metal percussion, orchestra percussion, orchestra drum, ride bell, electric snare drum
-1: electric kit, steel snare, jazz kit, jazz drum, piccolo snare, acoustic bass drum, orchestra kit, crash cymbal
-1: pan drum, 808 tr, 909 tr
"""
"""Programs by the words of names, in any order; -1 is percussion. Words as `SYNONYMS` gives them."""

SYNONYMS = """
piano: pno pf pft pianoforte fortepiano klavier klav flugel fluegel steinway grandpiano epiano=electric_piano pian
piano: ピアノ рояль фортепиано klaver fortepian bosendorfer
keyboard: tastiere keys key kbd keyb keybd teclado tastiera clavier tasten claviers teclados keybords
electric: e el elec elect elektro elektrisch elettrico elettrica electrica electrico electrique eletrica eletrico
electric: elektrische eg=electric_guitar ep=electric_piano egtr=electric_guitar egitarre=electric_guitar
electric: ebass=electric_bass ebas=electric_bass eguitar=electric_guitar epno=electric_piano
acoustic: western ac acou acoust aco akustik akustisch acustica acustico acoustique akustische agtr=acoustic_guitar
acoustic: agitarre=acoustic_guitar | rhodes: suitcase ep1 | wurlitzer: wurli wurly
harpsichord: cembalo clavicembalo clavecin hpsd hpschd cemb spinett cravo clavecembalo klavecimbel
clavinet: clav clavi klavinet | celesta: celeste cel | glockenspiel: glock glsp glk carillon
vibraphone: vib vibes vibraphon vibrafono vibrafon vibe | marimba: mar mba marimbaphon
xylophone: xyl xylo xylophon silofono xilofono xilofon
bell: bells glocke glocken campana campane cloche sino campanas campanelli tubularbells=tubular_bell bellz cloches
bell: sinos rohrenglocken=tubular_bell | dulcimer: hackbrett | cimbalom: cymbalum cimbal
organ: org orgel orgue organo orgao b3 organum オルガン орган | harmonium: armonium
accordion: accord akk akkordeon fisarmonica acordeon acordeao accordeon akordeon баян аккордеон
harmonica: mundharmonika armonica gaita
guitar: gtr gtrs git gitarre gitarren guit guitare guitares chitarra chitarre guitarra guitarras gitara gitar gt
guitar: gtar gitaar kitara gitarr guitarre violao=nylon_guitar ギター гитара guitars leadguitar=lead_guitar chit gitr
guitar: gutar | nylon: classical klassisch konzertgitarre classique | muted: mute mutes muetd gedampft
overdrive: overdriven ovr od overdrv ovrdrv overdriv | distortion: dist distorted distorsion verzerrt distortn
clean: cln | harmonic: harmonics flageolett | rhythm: rhy rhythmus rythm ryth rhtm rtm rythme rhyt
strat: stratocaster tele telecaster | lead: ld led leadsynth=synth_lead | solo: soloist sol
bass: trilian bs bss bas basse basso bajo baixo basses bassi=contrabass bassgitarre=bass_guitar bassgtr=bass_guitar
bass: bassguitar=bass_guitar バス ベース basu baix bassgitarr=bass_guitar basgitaar=bass_guitar elbas=electric_bass
bass: bassguit=bass_guitar bassnote base bg=bass_guitar gran grosse grossetrommel=bass_drum | upright: ub=upright_bass
finger: fingered fing fingerstyle | picked: pick plectrum pickbass=picked_bass | fretless: frtls fretl fless
slap: slapped slapbass=slap_bass | sub: subbass=sub_bass | acid: 303 tb303
violin: vni vln vlns vl vn vns vni violine violinen geige geigen violon violons violino violini violines viool скрипка
violin: ヴァイオリン バイオリン vio vlin violinist viulu viol
viola: vla vlas va vle bratsche bratschen viole violas altviool альт ヴィオラ altgeige
cello: vc vcl vlc vcs cellos celli violoncello violoncelli violoncelle violoncelles violonchelo violoncelo vcello
cello: cllo violoncell チェロ виолончель
contrabass: contrabasses cb db kb kontrabass kontrabasse contrebasse contrebasses contrabbasso contrabbassi contrabajo
contrabass: contrabaixo contrabas kbass cbass doublebass=double_bass контрабас bassgeige kontrabas
string: strings str strs streicher cordes archi cuerdas cordas stryk strng strgs strings1 stgs strg stringz stgz
string: ストリングス струнные stringed streichorchester | pizzicato: pizz piz pizzi | tremolo: trem tremol
slow: slowstring=slow_string | harp: hp hrp harfe harpe arpa harpa арфа
timpani: timp timps pauken pauke kettledrum kettledrums timpano timpany timbal
choir: satb chorus chor coro choeur choeurs chore choral coral chorale koor kor
voice: bgv bgvs bvs bvox vox voc vocal vocals voices voz voces vozes voix stimme gesang canto chant singer sang
voice: singstimme vocalist
voice: vokal vocales leadvox=lead_voice leadvocal=lead_voice gesangsstimme вокал ボーカル cantor cantus voce
soprano: sopran sopranos soprane soprani sop sopr mezzo mezzosopran | alto: altos alti alt altus
tenor: countertenor tenore tenors tenori ten tenr | baritone: bariton bari baritono baryton barit
contralto: contraltos
aah: aahs ahs ah | ooh: oohs oo | hit: hits orchhit=orchestra_hit
orchestra: orch orchestral orchester orchestre orquesta orquestra orc | ensemble: ens
trumpet: trp trpt tpt tpts trompete trompeten trompette trompettes trompeta trompetas tromba trombe trumpets trmpt
trumpet: trompet труба トランペット trombetta tpet | cornet: kornett cornetto cornetta corneta cnt crt
flugelhorn: flgh fluegelhorn flhn flghn flicorno fliscorno
trombone: tbn tbns trb trbn trbs posaune posaunen tromboni trombon trombones tromb trbne тромбон トロンボーン bone bones
tuba: tba tubas basstuba туба | euphonium: euph eup eupho eufonio
horn: hn hns hrn hr cor corno corni cors trompa trompas waldhorn hoorn fhorn=french_horn frhorn=french_horn валторна
horn: ホルン hrns hörner horner | french: fr frh=french_horn
english: engl eng englischhorn=english_horn anglais inglese ingles eh=english_horn coringlese=english_horn
brass: brs blech blechblaser cuivres ottoni metales metais brasssection=brass_section blaser blser brss blas sopros
section: sec sect
sax: saxes saxophone saxophon saxofon sassofono saxofone sx saxo saxophones altsaxophon=alto_sax asax=alto_sax
sax: tsax=tenor_sax bsax=baritone_sax ssax=soprano_sax saxofono altsax=alto_sax altosax=alto_sax tenorsax=tenor_sax
sax: barisax=baritone_sax tenorsaxophon=tenor_sax sopransaxophon=soprano_sax baritonsaxophon=baritone_sax サックス
sax: саксофон saksofon saxs | oboe: ob obs oboi hautbois hoboe obue oboes гобой オーボエ hobo oboen
bassoon: bsn bn fg fag fagott fagotte fagotto fagotti fagot fagote basson bassons фагот
contrabassoon: kontrafagott contrefagott cbsn cfg contrafagotto kfg contrebasson contrafagot
clarinet: cl clar clr klar klarinette klarinetten clarinette clarinettes clarinetto clarinetti clarinete clarinetes
clarinet: klarinet clt clart кларнет bassklarinette=bass_clarinet bcl=bass_clarinet bassetthorn bassethorn
clarinet: bassklarinet=bass_clarinet klarinett
piccolo: picc pic pikkolo ottavino flautin flautim pikkoloflote piccoloflote
flute: fl fls flote floten floete flauto flauti flauta flutes querflote querfloete fluit flauten flt fltn флейта
flute: フルート traversflote | recorder: blockflote blockfloete blockfloten rec recorders blokfluit
pan: panflute=pan_flute panflote=pan_flute panpipes | whistle: pfeife tinwhistle=tin_whistle
woodwind: fiati ww woodwinds holz legni maderas madeiras winds wind woodw holzblaser bois
bagpipe: bagpipes dudelsack cornemuse gaida pipes zampogna | fiddle: fidel fiddel
synth: syn synt synthesizer synthesiser synthe sintetizador sint synthi sintetizzatore synths シンセ sth moog jupiter
synth: juno dx7=fm_piano | square: sqr squ pulse | saw: sawtooth sawt saws supersaw sawd
arpeggio: arp arps arpeggiator arpeg | sequence: seq sequencer | pad: pads padsynth=synth_pad | fx: efx sfx effects
polysynth: poly polysyn | echo: echoes | banjo: bjo bnj banj
mandolin: mand mandoline mandolino mdn mandolina bandolim | ukulele: uke ukelele uku | lute: laute luth liuto laud
drum: drums dr drm drs drms drumset schlagzeug schlagwerk batterie batteria bateria batera trommel trommeln tambor
drum: tamburo schlgz slagverk trommer trummor drumz dru ドラム ударные барабаны drumkits drummer slagwerk
drum: rhythmusgruppe perkusja bumbo tambour tambours ezdrummer drumrack drumloop redrum bfd kits
kick: kik bassdrum=bass_drum bd kickdrum grosstrommel kck kicks bombo
snare: sd snr snares caisse caja tarola rullante kleinetrommel claire cassa snaredrum caixa redoblante
tom: toms tomtom toms1 floortom | hihat: hh hihats ohh chh hats charleston hhat
cymbal: cym cyms cymbals becken piatti cymbale cymbales platillos pratos crashes bekken
percussion: perc percs perk perkussion percussions percussione percussioni percusion percussao prc perccusion
percussion: パーカッション перкуссия percus | clap: claps handclap handclaps palmas | overhead: oh overheads ohs
tambourine: tamb tambo tamburin pandereta schellenkranz | tamtam: tam gongs | cowbell: cwbl cencerro kuhglocke
triangle: trgl triangel triangolo triangulo | shaker: shk shakers | conga: cga | ride: rides | rimshot: rim
beat: beats breakbeat breaks | stick: sticks | woodblock: templeblock holzblock | castanet: kastagnetten
dolce: dulce doce
"""
"""Words of names by their English form; `word=two_words` stands for several."""

IGNORED = """
midi track trk channel chan ch part staff no nr inst instrument vst vsti di mic mics amp dry wet bus main left right
lh rh links rechts upper lower hand of the in en de a b c d f g h bb eb sib mib fa flat sharp i ii iii iv v vi vii l r
m s st mono stereo high low mid loop out take new copy layer comp dub doubled gm gs xg standard room studio live real
out1 audio und and y et with harmony chords chord melody melodic 1st 2nd 3rd first second third hi closed open pedal
top bottom prima secondo primo erste zweite patch bank hall 8vb 8va pt
"""
"""Words that say nothing about the instrument, and do not make a name one of something else."""

TITLE_WORDS = """
it that my me you your to is on at by from for this let's i'm we be not all
"""
"""Words of song titles, hardly ever of instruments."""

VAGUE = """
pluck temple beat kick ride hat crash splash stick clap snap kit lead horn bell triangle grand pipe fife bone bones
hit rain echo square string sub crystal atmosphere fx effect saw keyboard wind whistle bottle voice shaker sequence
bow battery impulse soundtrack goblin brightness recorder telephone helicopter applause choir percussion distortion
overdrive orchestra
"""
"""Words that titles have as well: beside more than one word that is unknown, they name nothing."""
MOST_UNKNOWN = 3
"""With more words that are unknown a name is a sentence: a title, a remark, a copyright."""


def instrument_by_name(name: str) -> Instrument | None:
    """General MIDI instrument that the name of a part or track speaks of; None where it names none.

    Case, numbers, sides, accents and abbreviations do not matter: `01 Vln. II (L)` is a violin.

    >>> instrument_by_name("Bass Clarinet"), instrument_by_name("Track 1")
    (Instrument(program=71, is_drum=False), None)
    """
    return _by_name(name[:120])


def program_of(name: str, is_drum: bool) -> int:
    """The program that a person names: a General MIDI name in any case, any name of its instrument, or a drum set.

    Raises
    ------
    ValueError
        It is none; the message says which names come near.

    >>> program_of("Slap Bass 1", False), program_of("alto sax", False), program_of("Jazz", True)
    (36, 65, 32)
    """
    plain = " ".join(_pieces(name))
    if is_drum:
        found = [program for one, program in DRUM_SETS.items() if one in plain]
        if not found:
            raise ValueError(f"no drum set is called {name}; there are {', '.join(DRUM_SETS)}")
        return found[0]
    programs = _tables()[2]
    played = Instrument(programs[plain], False) if plain in programs else instrument_by_name(name)
    if played is None or played.is_drum:
        near = difflib.get_close_matches(plain, programs, n=3, cutoff=0.5)
        hint = f" (did you mean {' or '.join(one.title() for one in near)}?)" if near else ""
        raise ValueError(f"no instrument of General MIDI is called {name}{hint}")
    return played.program


def instrument_name(program: int, is_drum: bool) -> str:
    """What a program (0 to 127) is called: its name in General MIDI, or that of a drum set.

    >>> instrument_name(33, False), instrument_name(32, True)
    ('electric bass finger', 'jazz')
    """
    if is_drum:
        return next((name for name, number in DRUM_SETS.items() if number == program), "standard")
    return next(name for name, number in _tables()[2].items() if number == program)


@cache
def _tables() -> tuple[dict[str, tuple[str, ...]], list[tuple[frozenset[str], Instrument]], dict[str, int]]:
    """Words by their forms; entries of instruments, those of most words first; the names of General MIDI."""
    words: dict[str, tuple[str, ...]] = {}
    entries: list[tuple[frozenset[str], Instrument]] = [(frozenset([word]), DRUMS) for word in PERCUSSION.split()]
    for item in re.split(r"[|\n]", INSTRUMENTS.strip()):
        number, _, names = item.partition(":")
        played = DRUMS if int(number) < 0 else Instrument(int(number), False)
        entries += [(frozenset(_folded(one).split()), played) for one in names.split(",")]
    for entry, _ in entries:
        words |= {word: (word,) for word in entry}
    for item in re.split(r"[|\n]", SYNONYMS.strip()):
        plain, _, others = item.partition(":")
        plain = plain.strip()
        words.setdefault(plain, (plain,))
        for other in others.split():
            form, _, meaning = other.partition("=")
            words.setdefault(_folded(form), tuple((meaning or plain).split("_")))
    names = " ".join(GENERAL_MIDI.split("\n")).split(",")
    programs = {" ".join(name.split()): index for index, name in enumerate(names)}
    return words, entries, programs


def _folded(text: str) -> str:
    """Small letters without accents."""
    text = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe").replace("ø", "o"))
    return "".join(letter for letter in text if not unicodedata.combining(letter))


def _pieces(name: str) -> list[str]:
    """The words and numbers of a name: apart where case changes (`LeadGuitar`) and at digits (`Violin2`)."""
    words, _, _ = _tables()
    name = _folded(re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", name))

    def joined(match: re.Match[str]) -> str:  # V.ni, D.B.
        letters = match[0].replace(".", "")
        return letters if letters in words else match[0]

    return re.findall(r"[^\W\d_]+(?:'[a-z]+)?|\d+", re.sub(r"\b[a-z](?:\.[a-z]+)+", joined, name))


@cache
def _meaning(piece: str) -> tuple[str, ...] | None:
    """What a word stands for, also in the plural or glued to another (`synthbass`); None where it is unknown."""
    words, _, _ = _tables()
    if piece in words:
        return words[piece]
    if piece.endswith("s") and piece[:-1] in words and len(piece) > 3:
        return words[piece[:-1]]
    for cut in range(3, len(piece) - 2):
        first, second = (words.get(one) or words.get(one.removesuffix("s")) for one in (piece[:cut], piece[cut:]))
        if first and second:
            return first + second
    return None


@cache
def _by_name(name: str) -> Instrument | None:
    words, entries, programs = _tables()
    pieces = _pieces(name)
    plain = " ".join(pieces)
    if plain in programs:
        return Instrument(programs[plain], False)
    meant: list[str] = []
    unknown = 0
    for piece in pieces:
        if piece in _TITLES:
            unknown += 2
        elif len(piece) == 1 and (piece != "e" or meant):  # E-Piano, but not violoncello e basso
            continue
        elif (found := words.get(piece) or (None if piece in _IGNORED else _meaning(piece))) is not None:
            meant += found
        elif piece not in _IGNORED and not piece.isdigit():
            unknown += 1
    known = set(meant)
    fitting = [(entry, played) for entry, played in entries if entry <= known]
    if not fitting or unknown > MOST_UNKNOWN:
        return None

    def rank(item: tuple[frozenset[str], Instrument]) -> tuple[int, int, int]:
        entry, played = item
        weight = 2 if played.is_drum else 0 if entry <= _QUALIFIERS else 1
        return len(entry), weight, max(len(meant) - meant[::-1].index(word) for word in entry)

    entry, played = max(fitting, key=rank)
    return None if entry <= _VAGUE and unknown > 1 else played


_QUALIFIERS, _IGNORED, _TITLES, _VAGUE = (
    frozenset(words.split()) for words in (QUALIFIERS, IGNORED, TITLE_WORDS, VAGUE)
)

SOUNDS = """
brass 61, brass.trumpet 56, brass.cornet 56, brass.cornetto 56, brass.flugelhorn 56, brass.bugle 56,
brass.piccolo-trumpet 56, brass.trombone 57, brass.sackbutt 57, brass.tuba 58, brass.euphonium 58, brass.sousaphone
58, brass.serpent 58, brass.ophicleide 58, brass.helicon 58, brass.baritone-horn 58, brass.french-horn 60,
brass.natural-horn 60, brass.vienna-horn 60, brass.alto-horn 60, brass.alphorn 60, brass.mellophone 60, brass.saxhorn
60, brass.wagner-tuba 60, brass.posthorn 60, brass.group.synth 62, drum -1, drum.timpani 47, drum.taiko 116,
drum.steel-drums 114, effect 122, effect.bird 123, effect.telephone-ring 124, effect.helicopter 125, effect.applause
126, effect.gunshot 127, effect.metronome-click -1, effect.hand-clap -1, effect.finger-snap -1, effect.whistle 78,
keyboard 0, keyboard.accordion 21, keyboard.bandoneon 23, keyboard.celesta 8, keyboard.clavichord 6,
keyboard.concertina 21, keyboard.harmonium 20, keyboard.harpsichord 6, keyboard.virginal 6, keyboard.ondes-martenot
81, keyboard.organ 19, keyboard.organ.drawbar 16, keyboard.organ.percussive 17, keyboard.organ.rotary 18,
keyboard.organ.reed 20, keyboard.piano 0, keyboard.piano.electric 4, keyboard.piano.honky-tonk 3, keyboard.piano.toy
10, keyboard.clavinet 7, metal -1, metal.bells 14, metal.bells.agogo 113, metal.bells.sleigh-bells -1,
metal.bells.cowbell -1, metal.bells.jingle-bell -1, metal.bells.tinklebell 112, metal.crotale 9, metal.singing-bowl
14, metal.steel-drums 114, metal.chimes 14, metal.berimbau -1, pitched-percussion 12, pitched-percussion.glockenspiel
9, pitched-percussion.vibraphone 11, pitched-percussion.xylophone 13, pitched-percussion.xylorimba 13,
pitched-percussion.marimba 12, pitched-percussion.celesta 8, pitched-percussion.tubular-bells 14,
pitched-percussion.tubaphone 9, pitched-percussion.handbells 14, pitched-percussion.bell-lyre 9,
pitched-percussion.bell-tree 14, pitched-percussion.hammer-dulcimer 15, pitched-percussion.cimbalom 15,
pitched-percussion.zither 15, pitched-percussion.hang-drum 114, pitched-percussion.kalimba 108,
pitched-percussion.music-box 10, pitched-percussion.glass-harmonica 92, pitched-percussion.wind-chimes -1,
pitched-percussion.crystal-glasses 98, pluck 25, pluck.harp 46, pluck.guitar 25, pluck.guitar.nylon-string 24,
pluck.guitar.requinto 24, pluck.guitar.steel-string 25, pluck.guitar.acoustic 25, pluck.guitar.electric 27, pluck.bass
33, pluck.bass.acoustic 32, pluck.bass.electric 33, pluck.bass.fretless 35, pluck.bass.synth 38, pluck.bass.synth.lead
87, pluck.banjo 105, pluck.sitar 104, pluck.shamisen 106, pluck.sanxian 106, pluck.koto 107, pluck.guzheng 107,
pluck.guqin 107, pluck.dulcimer 15, pluck.psaltery 15, pluck.ukulele 24, pluck.lute 24, pluck.theorbo 24,
pluck.archlute 24, pluck.charango 24, pluck.cavaquinho 24, pluck.kantele 15, pluck.qanun 15, pluck.jaw-harp -1,
pluck.cuatro 24, pluck.vihuela 24, rattle -1, strings 48, strings.violin 40, strings.viola 41, strings.viola-damore
41, strings.cello 42, strings.viol 42, strings.contrabass 43, strings.octobass 43, strings.fiddle 110, strings.erhu
110, strings.huqin 110, strings.rebec 110, strings.hardanger-fiddle 110, strings.nyckelharpa 110, strings.group.synth
50, synth 81, synth.effects 99, synth.effects.rain 96, synth.effects.soundtrack 97, synth.effects.crystal 98,
synth.effects.atmosphere 99, synth.effects.brightness 100, synth.effects.goblins 101, synth.effects.echoes 102,
synth.effects.sci-fi 103, synth.group 50, synth.pad 89, synth.pad.bowed 92, synth.pad.choir 91, synth.pad.halo 94,
synth.pad.metallic 93, synth.pad.polysynth 90, synth.pad.sweep 95, synth.pad.warm 89, synth.tone.square 80,
synth.tone.sawtooth 81, synth.theremin 81, voice 52, voice.oo 53, voice.synth 54, voice.vocals 53, voice.percussion
-1, wind 73, wind.flutes 73, wind.flutes.flute.piccolo 72, wind.flutes.blown-bottle 76, wind.flutes.calliope 82,
wind.flutes.ocarina 79, wind.flutes.panpipes 75, wind.flutes.recorder 74, wind.flutes.shakuhachi 77,
wind.flutes.whistle 78, wind.pipes 109, wind.reed 68, wind.reed.bassoon 70, wind.reed.contrabassoon 70,
wind.reed.dulcian 70, wind.reed.contrabass 70, wind.reed.clarinet 71, wind.reed.chalumeau 71, wind.reed.basset 71,
wind.reed.basset-horn 71, wind.reed.english-horn 69, wind.reed.oboe 68, wind.reed.heckelphone 68, wind.reed.saxophone
65, wind.reed.saxophone.soprano 64, wind.reed.saxophone.sopranino 64, wind.reed.saxophone.alto 65,
wind.reed.saxophone.tenor 66, wind.reed.saxophone.baritone 67, wind.reed.saxophone.bass 67,
wind.reed.saxophone.contrabass 67, wind.reed.harmonica 22, wind.reed.melodica 22, wind.reed.shenai 111,
wind.reed.crumhorn 68, wind.jug 58, wood -1, wood.woodblock -1
"""
"""Programs by the beginning of MusicXML's standard sounds, -1 for percussion."""


def instrument_by_sound_id(sound: str) -> Instrument | None:
    """General MIDI instrument of a MusicXML standard sound, such as `pluck.guitar.electric`; None where it is none.

    Sounds are a hierarchy: of one that has no program of its own, the family decides.
    """
    sounds = _sounds()
    parts = sound.strip().casefold().split(".")
    for count in range(len(parts), 0, -1):
        if (program := sounds.get(".".join(parts[:count]))) is not None:
            return DRUMS if program < 0 else Instrument(program, False)
    return None


@cache
def _sounds() -> dict[str, int]:
    return {name: int(program) for name, program in (item.split() for item in SOUNDS.strip().split(","))}
