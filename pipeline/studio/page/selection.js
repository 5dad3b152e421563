/** Which tracks and bars are selected, and how that is said. */

export class Selection {
  constructor() {
    this.reset();
  }

  reset() {
    this.tracks = new Set([0]);
    this.first = 0;
    this.end = 1;
    this.cursor = { track: 0, bar: 0 };
    this.anchor = { track: 0, bar: 0 };
  }

  /** Keeps within a song of so many tracks and bars. */
  fit(tracks, bars) {
    const clamp = (cell) => ({ track: between(cell.track, 0, tracks - 1), bar: between(cell.bar, 0, bars - 1) });
    this.cursor = clamp(this.cursor);
    this.anchor = clamp(this.anchor);
    this.tracks = new Set([...this.tracks].filter((track) => track < tracks));
    if (!this.tracks.size) { this.tracks.add(this.cursor.track); }
    this.end = between(this.end, 1, bars);
    this.first = between(this.first, 0, this.end - 1);
  }

  /** One cell; everything else is left. */
  set(track, bar) {
    this.cursor = { track, bar };
    this.anchor = { track, bar };
    this.span();
  }

  /** The rectangle between the cell where selecting began and this one. */
  extend(track, bar) {
    this.cursor = { track, bar };
    this.span();
  }

  span() {
    const low = Math.min(this.anchor.track, this.cursor.track), high = Math.max(this.anchor.track, this.cursor.track);
    this.tracks = new Set(Array.from({ length: high - low + 1 }, (_, index) => low + index));
    this.first = Math.min(this.anchor.bar, this.cursor.bar);
    this.end = Math.max(this.anchor.bar, this.cursor.bar) + 1;
  }

  setBars(first, end) {
    this.first = first;
    this.end = end;
    this.anchor.bar = first;
    this.cursor.bar = between(this.cursor.bar, first, end - 1);
  }

  setTracks(tracks) {
    this.tracks = new Set(tracks);
    if (!this.tracks.has(this.cursor.track)) { this.cursor.track = this.anchor.track = Math.min(...this.tracks); }
  }

  /** Adds a track, or takes it away unless it is the last one. */
  toggleTrack(track) {
    if (!this.tracks.has(track)) { this.tracks.add(track); } else if (this.tracks.size > 1) { this.tracks.delete(track); }
  }

  has(track, bar) {
    return this.tracks.has(track) && bar >= this.first && bar < this.end;
  }

  ordered() {
    return [...this.tracks].sort((a, b) => a - b);
  }
}

/** `Bass and Piano, bars 9 to 10`; bars are counted from 1. */
export function spoken(names, first, end, all = 0) {
  const bars = end - first === 1 ? `bar ${first + 1}` : `bars ${first + 1} to ${end}`;
  return `${all > 1 && names.length === all ? "all tracks" : joined(names)}, ${bars}`;
}

/** `Bass`, `Bass and Piano`, `Bass, Piano and Strings`. */
export function joined(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

export function between(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
