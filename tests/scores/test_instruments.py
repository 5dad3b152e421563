import pytest

from pipeline.scores.instruments import Instrument, instrument_by_name, instrument_by_sound_id

NAMES = {
    "drums": """Drums; Drum Rack; Kit; Drum Kit (Standard); Battery 4; Perc; Percussion 2; Bass Drum; BD; Snare;
        Hi-Hat; HH; Kick; Toms; Schlagzeug; Batterie; Batteria; Batería; Bateria; Caisse claire; Gran Cassa;
        Große Trommel; Becken; Drumset; Ride Cymbal 1 (Power 1); 808 Kit; TR-808; DrumKit; MIDI 10 Drums;
        Slagverk; Addictive Drums 2; Overheads L; Synth Drums; Drum Bass; Tambourine; Percussão; Congas;
        Handclaps; Ride; drm; ドラム""",
    0: """Piano; Pno.; Piano_L; Piano RH; Klavier; Pianoforte; Grand Piano; Steinway Grand; Keys; Teclado;
        Keyboards; Flügel; Addictive Keys; 02 Piano; ピアノ""",
    3: "Honky-tonk Piano",
    4: "Rhodes; Electric Piano; E-Piano; E.Pno; Wurli; EP; EP 1; Fender Rhodes; EPiano; Stage Piano Rhodes",
    6: "Harpsichord; Cembalo; Clavecin; Clavicembalo",
    7: "Clavinet; Clav",
    9: "Glockenspiel; Glock.",
    11: "Vibraphone; Vibes; Vibraphon",
    13: "Xylophone; Xilofono",
    14: "Tubular Bells; Bells; Glocken; Röhrenglocken",
    16: "Organ; Hammond; Hammond B3; Orgel; Orgue; Órgano; 60s Organ (MIDI)",
    19: "Church Organ; Pipe Organ",
    21: "Accordion; Akkordeon; Fisarmonica; Acordeón",
    22: "Harmonica; Mundharmonika",
    24: "Nylon Guitar; Classical Guitar; Ukulele; Violão",
    25: """Guitar; Guitar 2 (L); Gtr.; Gitarre; Guitare; Chitarra; Guitarra; Acoustic Guitar; Ac. Gtr; A.Gtr;
        Mandolin; Steel Guitar; ギター""",
    26: "Jazz Guitar; Electric Guitar (jazz)",
    27: """Electric Guitar; E.Gtr; E-Gitarre; Gtr Clean; Rhythm Guitar; Guitarra eléctrica; Guitare électrique;
        Rhythm Gtr 1""",
    28: "Muted Guitar; Guitar (muted)",
    29: "Lead Guitar; LeadGuitar; Overdriven Guitar; Overdrive Guitar",
    30: "Distortion Guitar; Dist. Gtr; Distorted Guitar 2",
    32: "Acoustic Bass; Upright Bass",
    33: """Bass; Bs; 01 Bass DI; Bass Guitar; E-Bass; Electric Bass; Operator Bass; Basse; Basso; Bajo; Baixo 01;
        Bassgitarre; bas; Fingered Bass""",
    34: "Pick Bass; Picked Bs.; Electric Bass (pick)",
    35: "Fretless Bass; Fretless Bs.",
    36: "Slap Bass; slapbass",
    38: """Synth Bass; Synth Bass 3; SynthBass; BassSynth; Bass Synth; Sub Bass; Moog Bass; 808; 808 Bass; Reese;
        Lead Bass""",
    40: """Violin; Violin II; Vln.; Vln 1; Violins I; Geige; Violine; Violon; Violino; Violini; V.ni I; Solo Violin;
        Violín""",
    41: "Viola; Vla.; Bratsche; Violas; Viole; Violon alto",
    42: "Violoncello e Basso; Cello; Vc.; Violoncello; Violoncelle; Violonchelo; Celli; Viola da gamba",
    43: "Double Bass; Contrabass; Kontrabass; Contrebasse; Contrabbasso; Contrabajo; String Bass; Cb.; D.B.; Bassi",
    44: "Tremolo Strings",
    45: "Pizzicato Strings; Pizz. Strings; Strings pizz",
    46: "Harp; Harfe; Arpa; Harpe; Orchestral Harp",
    47: "Timpani; Timp.; Pauken",
    48: """Strings; MIDI 05 Strings; Streicher; Cordes; Archi; Cuerdas; Cordas 01; String Ensemble; Orchestra;
        String Quartet""",
    50: "Synth Strings; Strings Pad; SynthStrings",
    52: """Choir; Soprano; Alto; Tenor; Baritone; Bass voice; Sopran; Chor; Coro; Choeur; Chœur; Choir Aahs;
        Soprani; Tenore""",
    53: "Voice; Vocals; Lead Vocal; Vox; Gesang; Voz; Voix; Voice Oohs; Voce; Voice 1 (Melody)",
    54: "Synth Voice",
    55: "Orch Hit; Orchestra Hit; Orchestral Hit",
    56: "Trumpet; Trumpet in Bb; Tpt. 1; Trp.; Trompete; Trompette; Trompeta; Tromba; Flugelhorn; Cornet",
    57: "Trombone; Tbn.; Posaune; Bass Trombone",
    58: "Tuba; Euphonium; Bass Tuba",
    59: "Muted Trumpet",
    60: "French Horn; Horn in F; F Horn; Hn. 1; Corno; Cor; Waldhorn; Trompa; Horn",
    61: "Brass; Brass Section; Horn Section; Blechbläser",
    62: "Synth Brass; SynthBrass; Synth Brass 3",
    64: "Soprano Sax; Sopransaxophon",
    65: "Sax; Saxes; Alto Sax; Saxophone; Alto Saxophone; Altsaxophon; Sassofono",
    66: "Tenor Sax; T.Sax; Tenorsaxophon; Ten. Sax",
    67: "Baritone Sax; Bari Sax; Bass Saxophone",
    68: "Oboe; Hautbois; Ob.",
    69: "English Horn; Cor anglais; Corno inglese; Englischhorn",
    70: "Bassoon; Fagott; Fagotto; Basson; Bsn.; Contrabassoon; Kontrafagott",
    71: "Clarinet; Clarinet in Bb 2; Bass Clarinet; Klarinette; Clarinette; Cl.; Clarinete; Bassklarinette",
    72: "Piccolo; Picc.; Ottavino; Piccolo Flute",
    73: "Flute; Flöte; Flûte; Fl. 1; Flauto; Flauta; Alto Flute; Querflöte; Woodwinds; Bass Flute",
    74: "Recorder; Blockflöte; Flauto dolce; Flûte à bec; Alto Recorder; Soprano Recorder; Flauta dulce",
    75: "Pan Flute; Panflöte",
    78: "Whistle; Tin Whistle",
    80: "Triangle Wave; Square Lead; Square wave",
    81: "Lead Synth; Synth Lead; Lead; Synth; Synth 1; Arp; Sintetizador; Sawtooth Lead; Lead 2 (sawtooth); saws",
    89: "Pad; Warm Pad; Pad 2 (warm); Synth Pad",
    90: "Polysynth; Pad 3 (polysynth)",
    91: "Choir Pad",
    95: "Sweep Pad",
    99: "FX; Atmosphere; SFX",
    104: "Sitar",
    105: "Banjo",
    110: "Fiddle",
    114: "Steel Drums; Steelpan",
    116: "Taiko Drum; TaikoDrum",
}


@pytest.mark.parametrize(
    ("played", "name"),
    [(played, name.strip()) for played, names in NAMES.items() for name in names.split(";")],
)
def test_names_of_parts_speak_of_instruments(played: int | str, name: str) -> None:
    wanted = Instrument(0, True) if isinstance(played, str) else Instrument(played, False)
    assert instrument_by_name(name) == wanted
    assert instrument_by_name(name.upper()) == wanted


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Track 1",
        "Instrument",
        "MIDI",
        "MIDI out #2",
        "Staff-3",
        "Melody",
        "B.",
        "Arrangement",
        "System Setup",
        "Right Hand",
        "Tr 1",
        "untitled",
        "Ride that train",
        "Let it ride",
        "Ring my bell",
        "Copyright 2001 by Joe's Piano Studio of Springfield, Ohio",
        "Spår 1",
        "Road to Warm Places",
    ],
)
def test_names_of_no_instrument_say_nothing(name: str) -> None:
    assert instrument_by_name(name) is None


def test_the_names_of_general_midi_are_their_programs() -> None:
    for name, program in {"Lead 8 (bass + lead)": 87, "FX 1 (rain)": 96, "Synth Drum": 118, "Woodblock": 115}.items():
        assert instrument_by_name(name) == Instrument(program, False)


@pytest.mark.parametrize(
    ("sound", "wanted"),
    [
        ("strings.violin", Instrument(40, False)),
        ("pluck.guitar.electric", Instrument(27, False)),
        ("pluck.guitar", Instrument(25, False)),
        ("pluck.bass.electric", Instrument(33, False)),
        ("drum.bass-drum", Instrument(0, True)),
        ("drum.group.set", Instrument(0, True)),
        ("metal.hi-hat", Instrument(0, True)),
        ("drum.timpani", Instrument(47, False)),
        ("keyboard.piano.grand", Instrument(0, False)),
        ("wind.reed.saxophone.tenor", Instrument(66, False)),
        ("wind.flutes.flute.alto", Instrument(73, False)),
        ("voice.soprano", Instrument(52, False)),
        ("my.own-sound", None),
        ("", None),
    ],
)
def test_standard_sounds_of_musicxml_are_programs_by_family(sound: str, wanted: Instrument | None) -> None:
    assert instrument_by_sound_id(sound) == wanted
