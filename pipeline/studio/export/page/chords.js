/** Chords and keys as people type them: what `pipeline/scores/chords/symbols.py` reads, in its usual spellings. */

const CLASSES = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11, H: 11 };
const NAMES = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
const SUFFIXES = [
  ["m7b5", /^(?:(?:m|-|min)7[b-]5|ø7?)$/],
  ["dim", /^(?:o|°|dim)7?$/i],
  ["aug", /^(?:\+|aug)7?$/i],
  ["maj", /^(?:sus)?2$/i],
  ["sus4", /^(?:7|9|11|13)?sus4?$/i],
  ["min", /^(?:m|-|min|mi|minor)(?:6|add9|maj7|M7)?$/],
  ["min7", /^(?:m|-|min|mi)(?:7|9|11|13)$/],
  ["maj7", /^(?:M|Δ|maj|ma|Maj)(?:7|9|11|13)$/],
  ["maj", /^(?:maj|M|major)?(?:6|69|6\/9|5|add\d+)?$/],
  ["7", /^(?:dom)?(?:7|9|11|13)(?:[b#](?:5|9|11|13)|alt)*$/],
];
const MAJOR = [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88];
const MINOR = [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17];
const OPENING_WEIGHT = 0.15;

const modulo = (value) => ((value % 12) + 12) % 12;

function pitchClass(letter, accidental) {
  return modulo(CLASSES[letter.toUpperCase()] + ({ "#": 1, b: -1, is: 1, es: -1 }[accidental] ?? 0));
}

/** `[root, quality, bass]`, as `gan.chords` counts them. */
export function readChord(text, chords) {
  if (/^(?:n\.?c\.?|none)$/i.test(text)) { return [-1, chords.qualities.length, -1]; }
  const plain = text.replace("♭", "b").replace("♯", "#").replace(/[()]/g, "");
  const found = /^([A-Ha-h])(#|b(?!us)|is|es)?(.*?)(?:\/([A-Ha-h])(#|b|is|es)?)?$/.exec(plain);
  const quality = found && SUFFIXES.find(([, pattern]) => pattern.test(found[3]))?.[0];
  if (!quality) { throw new Error(`${text} is no chord; chords are written like Am, F#7, Bbmaj7, C/E.`); }
  const root = pitchClass(found[1], found[2]);
  return [root, chords.qualities.indexOf(quality), found[4] ? pitchClass(found[4], found[5]) : root];
}

/** Chords of half bars: one a bar, or one or two between bar lines: `Am F C G`, `Am F | C G`. */
export function readProgression(text, chords) {
  const line = text.replaceAll(",", " ").trim();
  if (!line) { return null; }
  const split = (part) => part.trim().split(/\s+/).filter(Boolean);
  const bars = line.includes("|") ? line.replace(/^\||\|$/g, "").split("|").map(split) : split(line).map((one) => [one]);
  const rows = [];
  for (const bar of bars) {
    if (!bar.length) { throw new Error("Nothing stands between two of the bar lines."); }
    if (bar.length > 2) { throw new Error(`${bar.join(" ")} are ${bar.length} chords in one bar, and a bar has two at most.`); }
    if (bar[0] === "%" && rows.length) { rows.push(...rows.slice(-2)); continue; }
    const own = bar.map((one) => readChord(one, chords));
    rows.push(...(own.length === 2 ? own : [own[0], own[0]]));
  }
  return rows;
}

export function transposeChords(rows, semitones) {
  return rows.map(([root, quality, bass]) => [root < 0 ? root : modulo(root + semitones), quality, bass < 0 ? bass : modulo(bass + semitones)]);
}

export function chordName([root, quality, bass], chords) {
  if (root < 0) { return quality === chords.qualities.length ? "N.C." : ""; }
  const kind = { maj: "", min: "m", min7: "m7" }[chords.qualities[quality]] ?? chords.qualities[quality];
  return NAMES[root] + kind + (bass === root || bass < 0 ? "" : `/${NAMES[bass]}`);
}

/** `{tonic, minor}` of `G major`, `F# minor`, `Am` or `G`. */
export function readKey(text) {
  const found = /^([A-Ga-g])([b#]?)\s*(major|minor|m|)$/.exec(text.trim());
  if (!found) { throw new Error(`${text} is no key; write it like G major or F# minor.`); }
  return { tonic: pitchClass(found[1], found[2]), minor: found[3].startsWith("mi") || found[3] === "m" };
}

export function keyName({ tonic, minor }) {
  const sharp = { 1: "C#", 8: "G#" };
  return `${minor ? sharp[tonic] ?? NAMES[tonic] : NAMES[tonic]} ${minor ? "minor" : "major"}`;
}

/** Semitones that move music in a key to C major or A minor. */
export function shiftToCommon({ tonic, minor }) {
  return modulo((minor ? 9 : 0) - tonic + 6) - 6;
}

/** The key whose profile (Krumhansl and Kessler) fits the chords best, the first one rather its tonic. */
export function keyOfChords(rows, chords) {
  const sounding = rows.filter(([root]) => root >= 0), durations = new Array(12).fill(0);
  if (!sounding.length) { return { tonic: 0, minor: false }; }
  for (const [root, quality, bass] of sounding) {
    const tones = new Set(chords.tones[quality].map((tone) => modulo(root + tone)));
    tones.add(bass);
    tones.forEach((tone) => { durations[tone] += 1; });
    durations[root] += 1;
  }
  const apart = centred(durations), [root, quality] = sounding[0];
  const opensMinor = ["min", "min7"].includes(chords.qualities[quality]);
  let best = null;
  for (const minor of [false, true]) {
    const profile = centred(minor ? MINOR : MAJOR);
    for (let tonic = 0; tonic < 12; tonic++) {
      let fit = apart.reduce((sum, value, place) => sum + value * profile[modulo(place - tonic)], 0);
      if (tonic === root && minor === opensMinor) { fit += OPENING_WEIGHT; }
      if (!best || fit > best.fit) { best = { fit, tonic, minor }; }
    }
  }
  return { tonic: best.tonic, minor: best.minor };
}

function centred(values) {
  const mean = values.reduce((a, b) => a + b) / values.length, apart = values.map((value) => value - mean);
  const length = Math.sqrt(apart.reduce((sum, value) => sum + value * value, 0)) || 1;
  return apart.map((value) => value / length);
}
