/** Draws piano rolls on canvases: notes of one track over time, bars, selection and what sounds now. */

const DRUM_ROWS = [35, 36, 37, 38, 39, 42, 43, 44, 46, 45, 48, 49, 51];
const DRUM_NAMES = {
  35: "kick 2", 36: "kick", 37: "stick", 38: "snare", 39: "clap", 40: "snare 2", 41: "low tom", 42: "hat", 43: "tom 1",
  44: "pedal hat", 45: "tom 2", 46: "open hat", 47: "tom 3", 48: "tom 4", 49: "crash", 50: "high tom", 51: "ride",
  52: "china", 53: "bell", 54: "tambourine", 55: "splash", 56: "cowbell", 57: "crash 2", 59: "ride 2", 69: "cabasa", 70: "maracas",
};
const NAMES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
const BLACK = new Set([1, 3, 6, 8, 10]);
const ROW_HEIGHT = 10;

/** The colours of the style sheet. */
export function rollColours(element = document.body) {
  const style = getComputedStyle(element), read = (name) => style.getPropertyValue(name).trim();
  const tracks = Array.from({ length: 8 }, (_, index) => read(`--track-${index}`));
  return {
    tracks, surface: read("--surface"), line: read("--line"), strong: read("--strong-line"), ink: read("--ink"),
    quiet: read("--quiet"), accent: read("--accent"), paper: read("--paper"), font: style.fontFamily || "sans-serif",
  };
}

/** `C4`, or the name of a drum. */
export function pitchName(pitch, isDrum) {
  return isDrum ? DRUM_NAMES[pitch] ?? `drum ${pitch}` : `${NAMES[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
}

/** Makes a canvas as sharp as the screen; returns its context in CSS pixels. */
export function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [across, down] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** The notes of one track, ready to be drawn and to be found under a pointer. */
export class Roll {
  /**
   * @param track `{is_drum, notes: [[step, length, pitch, velocity]], origins}`
   * @param colour of its notes
   * @param range lowest and highest pitch that can be drawn
   */
  constructor(track, colour, range = [0, 127]) {
    this.colour = colour;
    this.range = range;
    this.expanded = false;
    this.foldedHeight = 62;
    this.setTrack(track);
  }

  setTrack(track) {
    this.isDrum = track.is_drum;
    this.notes = [...track.notes].sort((a, b) => a[0] - b[0]);
    this.origins = track.origins ?? "";
    this.longest = this.notes.reduce((most, note) => Math.max(most, note[1]), 1);
    this.setRows();
  }

  setRows() {
    const used = this.notes.map((note) => note[2]);
    if (this.expanded && this.rowOf && used.every((pitch) => this.rowOf.has(pitch))) { return; } // rows stay under the pencil
    if (this.isDrum) {
      const rows = new Set(this.expanded ? [...DRUM_ROWS, ...used] : used.length ? used : [36]);
      this.rows = [...rows].sort((a, b) => a - b);
    } else {
      const [room, least] = this.expanded ? [4, 25] : [1, 13];
      let low = Math.min(...used, used.length ? Infinity : 54) - room, high = Math.max(...used, used.length ? 0 : 66) + room;
      while (high - low + 1 < least) { low -= 1; high += 1; }
      [low, high] = [Math.max(low, Math.min(this.range[0], ...used)), Math.min(high, Math.max(this.range[1], ...used))];
      this.rows = Array.from({ length: high - low + 1 }, (_, index) => low + index);
    }
    this.rowOf = new Map(this.rows.map((pitch, index) => [pitch, index]));
  }

  setExpanded(expanded) {
    this.expanded = expanded;
    this.rowOf = null;
    this.setRows();
  }

  get height() {
    return this.expanded ? this.rows.length * (this.isDrum ? 15 : ROW_HEIGHT) + 8 : this.foldedHeight;
  }

  get rowHeight() {
    return (this.height - 8) / this.rows.length;
  }

  pitchAt(y) {
    const row = Math.floor((this.height - 4 - y) / this.rowHeight);
    return this.rows[Math.min(Math.max(row, 0), this.rows.length - 1)];
  }

  yOf(pitch) {
    return this.height - 4 - (this.rowOf.get(pitch) + 1) * this.rowHeight;
  }

  /** The note that covers a step at a pitch. */
  noteAt(step, pitch) {
    return this.notes.findLast((note) => note[2] === pitch && note[0] <= step && step < note[0] + note[1]);
  }

  /** Index of the first note that may reach `step`. */
  firstNote(step) {
    let low = 0, high = this.notes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.notes[middle][0] < step - this.longest) { low = middle + 1; } else { high = middle; }
    }
    return low;
  }

  /**
   * Draws what is in view.
   *
   * @param view `{scale, left, width, bars, stepsPerBar, stepsPerBeat, sections, colours}`: pixels a step, pixels
   *   scrolled, pixels shown, and the set of bars in which sections begin
   * @param marks `{selection, preview, sounding, draft, muted}`: bars `[first, end]`, `{first, end, notes}`, a step,
   *   a note that is being drawn
   */
  draw(canvas, view, marks = {}) {
    const context = fitCanvas(canvas, view.width, this.height), { colours } = view;
    context.fillStyle = colours.surface;
    context.fillRect(0, 0, view.width, this.height);
    const end = Math.min(view.width, view.bars * view.stepsPerBar * view.scale - view.left);
    if (this.expanded) { this.drawRows(context, end, colours); }
    drawGrid(context, view, this.height);
    this.drawSelection(context, view, marks.selection, colours);
    const { preview } = marks, spb = view.stepsPerBar;
    const inside = (note) => preview && note[0] >= preview.first * spb && note[0] < preview.end * spb;
    context.globalAlpha = marks.muted ? 0.3 : 1;
    this.drawNotes(context, view, this.notes, marks, (note) => !inside(note));
    if (preview) { this.drawNotes(context, view, preview.notes, { ...marks, bright: true }, () => true); }
    if (marks.draft) { this.drawNotes(context, view, [marks.draft], { bright: true }, () => true); }
    context.globalAlpha = 1;
    this.drawOrigins(context, view);
    if (this.expanded) { this.drawPitches(context, colours); }
    context.fillStyle = colours.paper;
    if (end < view.width) { context.fillRect(Math.max(end, 0), 0, view.width, this.height); }
  }

  drawRows(context, end, colours) {
    this.rows.forEach((pitch) => {
      if (this.isDrum ? this.rowOf.get(pitch) % 2 : BLACK.has(pitch % 12)) {
        context.fillStyle = "#00000033";
        context.fillRect(0, this.yOf(pitch), end, this.rowHeight);
      }
      if (!this.isDrum && pitch % 12 === 0) {
        context.fillStyle = colours.line;
        context.fillRect(0, this.yOf(pitch) + this.rowHeight - 0.5, end, 1);
      }
    });
  }

  drawPitches(context, colours) {
    context.font = `10px ${colours.font}`;
    context.textBaseline = "middle";
    this.rows.filter((pitch) => this.isDrum || pitch % 12 === 0).forEach((pitch) => {
      const text = pitchName(pitch, this.isDrum), y = this.yOf(pitch) + this.rowHeight / 2;
      context.fillStyle = `${colours.surface}cc`;
      context.fillRect(0, y - 6, context.measureText(text).width + 7, 12);
      context.fillStyle = colours.quiet;
      context.fillText(text, 4, y + 0.5);
    });
  }

  drawSelection(context, view, selection, colours) {
    if (!selection) { return; }
    const barWidth = view.stepsPerBar * view.scale;
    const x = selection[0] * barWidth - view.left, width = (selection[1] - selection[0]) * barWidth;
    context.fillStyle = `${colours.accent}26`;
    context.fillRect(x, 0, width, this.height);
    context.strokeStyle = `${colours.accent}b0`;
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, 0.5, width - 1, this.height - 1);
  }

  drawNotes(context, view, notes, marks, shown) {
    const { scale, left, width } = view, thick = Math.max(this.rowHeight - (this.expanded ? 1 : 0), 2);
    const first = notes === this.notes ? this.firstNote(left / scale) : 0, last = (left + width) / scale;
    const alpha = context.globalAlpha;
    for (let index = first; index < notes.length; index++) {
      const note = notes[index];
      if (notes === this.notes && note[0] > last) { break; }
      if (!shown(note) || !this.rowOf.has(note[2])) { continue; }
      const x = note[0] * scale - left, length = Math.max(note[1] * scale - Math.min(1, scale / 3), 1.5);
      const now = marks.sounding >= note[0] && marks.sounding < note[0] + Math.max(note[1], 1);
      context.globalAlpha = alpha * (marks.bright || now ? 1 : 0.5 + note[3] / 254);
      context.fillStyle = now ? "#ffffff" : this.colour;
      const y = this.yOf(note[2]);
      if (length > 4 && thick > 3) {
        context.beginPath();
        context.roundRect(x, y, length, thick, Math.min(2.5, thick / 2));
        context.fill();
      } else {
        context.fillRect(x, y, length, thick);
      }
    }
    context.globalAlpha = alpha;
  }

  /** Along the lower edge: dashes under bars that were drawn, a line under bars that were given. */
  drawOrigins(context, view) {
    const barWidth = view.stepsPerBar * view.scale, y = this.height - 3;
    context.fillStyle = view.colours.ink;
    for (let bar = Math.floor(view.left / barWidth); bar * barWidth < view.left + view.width && bar < this.origins.length; bar++) {
      const x = bar * barWidth - view.left;
      if (this.origins[bar] === "g") { context.fillRect(x, y, barWidth, 2); }
      if (this.origins[bar] === "d") {
        for (let at = 1; at < barWidth - 1; at += 6) { context.fillRect(x + at, y, 3, 2); }
      }
    }
  }
}

function drawGrid(context, view, height) {
  const { scale, left, width, bars, stepsPerBar, stepsPerBeat, sections, colours } = view;
  const barWidth = stepsPerBar * scale, sparse = barWidth < 10 ? 4 : 1;
  const last = Math.min(bars, Math.ceil((left + width) / barWidth));
  for (let bar = Math.max(0, Math.floor(left / barWidth)); bar <= last; bar++) {
    const x = Math.round(bar * barWidth - left);
    const begins = sections.has(bar);
    if (begins || bar % sparse === 0) {
      context.fillStyle = begins ? colours.strong : colours.line;
      context.fillRect(x, 0, 1, height);
    }
    if (barWidth > 90 && bar < last) {
      context.fillStyle = `${colours.line}99`;
      for (let step = stepsPerBeat; step < stepsPerBar; step += stepsPerBeat) {
        context.fillRect(Math.round(x + step * scale), 0, 1, height);
      }
    }
  }
}

/** Numbers of bars above the rolls; `loop` are the steps that repeat, `selection` bars. */
export function drawRuler(canvas, view, { selection, loop }) {
  const height = 26, context = fitCanvas(canvas, view.width, height), { colours, scale, left } = view;
  context.fillStyle = colours.paper;
  context.fillRect(0, 0, view.width, height);
  const barWidth = view.stepsPerBar * scale;
  if (selection) {
    context.fillStyle = loop ? colours.accent : `${colours.accent}55`;
    context.fillRect(selection[0] * barWidth - left, height - 5, (selection[1] - selection[0]) * barWidth, 4);
  }
  const every = [1, 2, 4, 8, 16, 32].find((count) => count * barWidth > 30) ?? 64;
  context.font = `11px ${colours.font}`;
  context.textBaseline = "top";
  for (let bar = Math.max(0, Math.floor(left / barWidth)); bar < view.bars && bar * barWidth < left + view.width; bar++) {
    const x = Math.round(bar * barWidth - left), named = bar % every === 0;
    context.fillStyle = view.sections.has(bar) ? colours.strong : colours.line;
    if (named || barWidth > 8) { context.fillRect(x, named ? 4 : 18, 1, height); }
    if (named) {
      context.fillStyle = colours.quiet;
      context.fillText(String(bar + 1), x + 4, 5);
    }
  }
}

/** A small picture of notes for a button: `[step, length, pitch, velocity]` of several tracks. */
export function drawMiniature(canvas, width, height, parts, firstStep, steps, surface) {
  const context = fitCanvas(canvas, width, height);
  context.fillStyle = surface;
  context.fillRect(0, 0, width, height);
  const pitches = parts.flatMap((part) => part.notes.map((note) => note[2]));
  const low = Math.min(...pitches), span = Math.max(Math.max(...pitches) - low, 12) + 1;
  const thick = Math.max((height - 6) / span, 1.5);
  for (const { notes, colour } of parts) {
    context.fillStyle = colour;
    for (const [step, length, pitch] of notes) {
      const x = ((step - firstStep) / steps) * width, y = height - 3 - ((pitch - low + 1) / span) * (height - 6);
      context.fillRect(x, y, Math.max((length / steps) * width - 0.5, 1.5), thick);
    }
  }
}
