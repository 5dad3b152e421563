/** Songs as MIDI files of type 1. */

const TICKS = 480;
const DRUM_CHANNEL = 9;

const text = (kind, words) => { const bytes = [...new TextEncoder().encode(words)]; return [0xff, kind, ...length(bytes.length), ...bytes]; };
const four = (number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255);

/** A number as MIDI files write lengths and times: seven bits a byte. */
function length(number) {
  const bytes = [number & 127];
  for (let rest = number >> 7; rest; rest >>= 7) { bytes.unshift((rest & 127) | 128); }
  return bytes;
}

function chunk(name, bytes) {
  return [...[...name].map((letter) => letter.charCodeAt(0)), ...four(bytes.length), ...bytes];
}

function track(events) {
  let now = 0;
  const bytes = events.sort((a, b) => a[0] - b[0] || a[1] - b[1]).flatMap(([tick, , message]) => {
    const found = [...length(tick - now), ...message];
    now = tick;
    return found;
  });
  return chunk("MTrk", [...bytes, 0, 0xff, 0x2f, 0]);
}

/**
 * The bytes of a file.
 *
 * @param song as songs.json has it; @param model model.json; @param first, end bars that are written
 * @param tempo quarter notes a minute; @param chosen tracks that are written
 */
export function midiFile(song, model, { first = 0, end = song.bars, tempo = song.tempo_bpm, chosen = null } = {}) {
  const spb = model.steps_per_bar, ticks = (TICKS * model.quarters_per_bar) / spb, until = end * spb;
  const beat = four(Math.round(6e7 / tempo)).slice(1);
  const tracks = [track([[0, 0, text(3, song.title)], [0, 0, [0xff, 0x51, 3, ...beat]],
    ...song.sections.filter((one) => one.first_bar >= first && one.first_bar < end)
      .map((one) => [(one.first_bar - first) * spb * ticks, 0, text(6, one.name)])])];
  let channel = 0;
  song.tracks.forEach((one, index) => {
    const own = one.is_drum ? DRUM_CHANNEL : channel;
    if (!one.is_drum) { channel += channel === DRUM_CHANNEL - 1 ? 2 : 1; }
    if (chosen && !chosen.includes(index)) { return; }
    const volume = Math.round(127 * Math.sqrt(Math.min(one.gain, 1))), pan = Math.round(64 + 63 * one.pan);
    const events = [[0, 0, text(3, one.name)], [0, 0, [0xc0 | own, one.program]], [0, 0, [0xb0 | own, 7, volume]], [0, 0, [0xb0 | own, 10, pan]]];
    for (const [step, steps, pitch, velocity] of one.notes) {
      if (step < first * spb || step >= until) { continue; }
      const stop = Math.min(step + steps, until);
      events.push([(step - first * spb) * ticks, 2, [0x90 | own, pitch, velocity]], [(stop - first * spb) * ticks, 1, [0x80 | own, pitch, 0]]);
    }
    tracks.push(track(events));
  });
  return Uint8Array.from([...chunk("MThd", [0, 1, 0, tracks.length, TICKS >> 8, TICKS & 255]), ...tracks.flat()]);
}
