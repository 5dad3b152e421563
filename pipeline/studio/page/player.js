/**
 * Plays a song of chunks on the clock of the Web Audio API, and swaps what is heard when the song changes.
 *
 * A chunk is the sound of one track in one window of `chunk_bars` bars, with its tail. Nothing here asks a server: the
 * player is given `soundOf(hash)`, which promises the bytes of a sound file.
 */

const RATE_HZ = 44100; // of the chunks: nothing is resampled before it is added up
const LOOKAHEAD_SECONDS = 0.2;
const HIDDEN_LOOKAHEAD_SECONDS = 2.5; // browsers call the timers of a hidden page once a second
const TICK_MS = 40;
const FADE_SECONDS = 0.008;
const START_SECONDS = 0.008; // how far ahead of the clock a source that should sound at once is started
const PREFETCHED_WINDOWS = 2;
const SWITCH_MS = 120; // how long a change of tempo waits for all tracks once one of them is there
const RING_SECONDS = 1.5;
const CACHED_SECONDS = 600; // of stereo sound: some 200 MB decoded
const REQUESTS = 5;
const PREFETCHES = 2;
const [AHEAD, NOW, CHANGED] = [0, 1, 2]; // how urgent a sound is

/** The time of a song: steps to seconds and back, by the second at which each step begins. */
export class SongTime {
  constructor(stepSeconds, stepsPerBar) {
    this.stepSeconds = stepSeconds;
    this.stepsPerBar = stepsPerBar;
    this.steps = stepSeconds.length - 1;
  }

  get seconds() {
    return this.stepSeconds[this.steps];
  }

  secondsAt(step) {
    const at = Math.min(Math.max(step, 0), this.steps), low = Math.min(Math.floor(at), this.steps - 1);
    return this.stepSeconds[low] + (at - low) * (this.stepSeconds[low + 1] - this.stepSeconds[low]);
  }

  stepAt(seconds) {
    let low = 0, high = this.steps;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.stepSeconds[middle] <= seconds) { low = middle; } else { high = middle; }
    }
    const length = this.stepSeconds[low + 1] - this.stepSeconds[low];
    return Math.min(Math.max(low + (seconds - this.stepSeconds[low]) / length, 0), this.steps);
  }

  /** Whether the part that both songs have is played at the same times. */
  agrees(other) {
    const shared = Math.min(this.steps, other.steps);
    for (let step = 0; step <= shared; step++) {
      if (Math.abs(this.stepSeconds[step] - other.stepSeconds[step]) > 1e-4) { return false; }
    }
    return true;
  }
}

/** Decoded sounds by hash: what is asked for first comes first, and what was not heard for longest is let go. */
class SoundCache {
  constructor(context, soundOf, onLoad, onError) {
    Object.assign(this, { context, soundOf, onLoad, onError });
    this.buffers = new Map();
    this.waiting = new Map();
    this.running = 0;
    this.seconds = 0;
    this.failed = new Map();
  }

  ready(hash) {
    const buffer = this.buffers.get(hash);
    if (buffer) { this.buffers.delete(hash); this.buffers.set(hash, buffer); }
    return buffer;
  }

  /** Asks for a sound; more `urgent` ones overtake the others, 0 waits for all. `onLoad` is called once it is there. */
  load(hash, urgent) {
    const job = this.waiting.get(hash);
    if (job) { job.urgent = Math.max(job.urgent, urgent); }
    if (job || this.ready(hash) || performance.now() < (this.failed.get(hash) ?? 0)) { return; }
    this.waiting.set(hash, { hash, urgent, started: false });
    this.advance();
  }

  advance() {
    while (this.running < REQUESTS) {
      const jobs = [...this.waiting.values()], idle = jobs.filter((job) => !job.started);
      const next = idle.reduce((best, job) => (best && best.urgent >= job.urgent ? best : job), null);
      const calm = this.running < PREFETCHES && !jobs.some((job) => job.urgent);
      if (!next || !(next.urgent || calm)) { return; }
      next.started = true;
      this.running += 1;
      this.fetch(next);
    }
  }

  /** Forgets what was asked for ahead of time and has not begun. */
  dropPrefetches() {
    for (const job of this.waiting.values()) {
      if (!job.started && job.urgent === AHEAD) { this.waiting.delete(job.hash); }
    }
  }

  forget(hash) {
    this.seconds -= this.buffers.get(hash)?.duration ?? 0;
    this.buffers.delete(hash);
  }

  async fetch(job) {
    try {
      const buffer = await this.context.decodeAudioData(await this.soundOf(job.hash));
      this.forget(job.hash);
      this.buffers.set(job.hash, buffer);
      this.seconds += buffer.duration;
      for (const hash of this.buffers.keys()) {
        if (this.seconds <= CACHED_SECONDS || hash === job.hash) { break; }
        this.forget(hash);
      }
    } catch (error) {
      this.onError(error);
      this.failed.set(job.hash, performance.now() + 1000); // asked for again in a second
    }
    this.running -= 1;
    this.waiting.delete(job.hash);
    this.advance();
    this.onLoad();
  }
}

/** The transport of one song. */
export class Player {
  /**
   * @param soundOf promises the bytes of the sound with a hash
   * @param onState called when it starts, stops or is asked to jump
   * @param onError called with the error where a sound can't be had
   */
  constructor(soundOf, onState = () => {}, onError = () => {}) {
    this.context = new AudioContext({ latencyHint: "interactive", sampleRate: RATE_HZ });
    this.sounds = new SoundCache(this.context, soundOf, () => this.tick(), onError);
    this.onState = onState;
    this.master = this.context.createGain();
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.master.connect(this.analyser).connect(this.context.destination);
    this.trackGains = [];
    this.song = null;
    this.time = null;
    this.overrides = {};
    this.loop = null;
    this.playing = false;
    this.restStep = 0;
    this.segments = [];
    this.voices = new Map();
    this.pending = null;
    this.change = null;
    this.segmentCount = 0;
    this.metrics = { changes: [], started: 0 };
    document.addEventListener("visibilitychange", () => this.tick());
  }

  /** Another song: what plays stops, and the beginning is fetched. */
  open(song) {
    this.halt();
    this.pending = this.change = this.loop = null;
    this.restStep = 0;
    this.overrides = {};
    this.take(song);
    this.prefetch(0);
    this.onState();
  }

  take(song) {
    this.song = song;
    this.time = new SongTime(song.step_seconds, song.steps_per_bar);
    while (this.trackGains.length < song.tracks.length) {
      const gain = this.context.createGain();
      gain.connect(this.master);
      this.trackGains.push(gain);
    }
    this.setMaster(song.master);
  }

  setMaster(gain) {
    this.master.gain.setTargetAtTime(gain, this.context.currentTime, 0.01);
  }

  /**
   * The same song, changed: what sounds and differs is swapped as soon as its sound is there.
   * `clicked` and `answered` are `performance.now()` when it was asked for and when the answer came.
   */
  update(song, clicked = performance.now(), answered = performance.now()) {
    const time = new SongTime(song.step_seconds, song.steps_per_bar);
    this.note(song, {}, clicked, answered, this.step);
    this.overrides = {};
    this.sounds.dropPrefetches();
    if (this.playing && !this.time.agrees(time)) {
      this.pending = { song, time, deadline: Infinity };
    } else {
      const step = this.playing ? 0 : Math.min(this.restStep, time.steps);
      this.pending = null;
      this.take(song);
      this.restStep = step;
      this.fitSegments();
    }
    if (!this.playing) { this.prefetch(this.restStep); }
    this.tick();
  }

  /** Hears other chunks in place, `{track index: {window: hash}}`, or the song itself for `{}`; from a step if given. */
  preview(overrides, clicked = performance.now(), step = null) {
    this.note(this.song, overrides, clicked, performance.now(), step ?? this.step);
    this.overrides = overrides;
    if (step === null) { this.tick(); } else if (this.playing) { this.seek(step); } else { this.play(step); }
  }

  /** Remembers which sounds of the window at `step` differ from now on: they are fetched first, and timed. */
  note(song, overrides, clicked, answered, step) {
    const window = Math.floor(step / (song.chunk_bars * song.steps_per_bar));
    const before = new Set(this.song.tracks.map((_, track) => this.chunk(track, window)));
    const after = song.tracks.map((track, index) => overrides[index]?.[window] ?? track.chunks[window]);
    const hashes = new Set(after.filter((hash) => hash && !before.has(hash)));
    this.change = hashes.size ? { hashes, clicked, answered } : null;
  }

  /** Fetches ahead, without hurry. */
  fetchAhead(hashes) {
    hashes.filter(Boolean).forEach((hash) => this.sounds.load(hash, AHEAD));
  }

  /** Gain of each track by index, 0 where it is not to be heard; heard at once. */
  setMix(gains) {
    gains.forEach((gain, index) => {
      this.trackGains[index]?.gain.setTargetAtTime(gain, this.context.currentTime, 0.006);
    });
  }

  get step() {
    return this.playing ? this.time.stepAt(this.position(this.context.currentTime)) : this.restStep;
  }

  /** Where what is heard now stands, the delay of the sound card included. */
  get heardStep() {
    if (!this.playing) { return this.restStep; }
    return this.time.stepAt(this.position(this.context.currentTime - (this.context.outputLatency || 0)));
  }

  /** Loudness of this moment, root mean square of the mix. */
  get level() {
    const samples = new Float32Array(this.analyser.fftSize);
    this.analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  }

  position(now) {
    const current = this.segments.findLast((one) => one.when <= now) ?? this.segments[0];
    return Math.min(Math.max(current.from + now - current.when, current.from), current.until);
  }

  async play(step = this.restStep) {
    if (!this.song) { return; }
    this.halt();
    this.restStep = step >= this.time.steps - 0.01 ? 0 : step;
    this.playing = true;
    this.begin(this.restStep);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.onState();
    await this.context.resume();
    this.tick();
  }

  pause() {
    const step = this.step;
    this.halt();
    this.restStep = step;
    this.onState();
  }

  stop(step = 0) {
    this.halt();
    this.restStep = step;
    this.onState();
  }

  halt() {
    clearInterval(this.timer);
    if (this.pending) { this.take(this.pending.song); this.pending = null; }
    this.playing = false;
    this.silence();
    this.segments = [];
  }

  seek(step) {
    this.restStep = Math.min(Math.max(step, 0), this.time.steps);
    if (this.playing) { this.silence(); this.begin(this.restStep); } else { this.prefetch(this.restStep); }
    this.onState();
  }

  /** Repeats the steps from `first` to `end`, or nothing where there is no region. */
  setLoop(region) {
    const same = region && this.loop && region[0] === this.loop[0] && region[1] === this.loop[1];
    if (same || (!region && !this.loop)) { return; }
    this.loop = region;
    this.fitSegments();
    if (this.playing && region && this.step >= region[1]) { this.seek(region[0]); }
  }

  begin(step) {
    const from = this.time.secondsAt(step), now = this.context.currentTime;
    this.segments = [this.segment(now + START_SECONDS, from, this.untilOf(from))];
    this.tick();
  }

  /** A stretch of the song that is played without a jump, from `when` on the clock; notes that are held into it sound. */
  segment(when, from, until) {
    const step = this.time.stepAt(from) + 1e-3, first = this.windowOf(from), held = new Map();
    this.song.tracks.forEach((track, index) => {
      for (const [onset, length] of track.notes) {
        const window = Math.floor(onset / this.stepsPerWindow);
        if (onset < step && onset + length > step && window < first) { held.set(`${index}/${window}`, [index, window]); }
      }
    });
    return { id: ++this.segmentCount, when, from, until, held: [...held.values()] };
  }

  /** Where a pass that stands at `seconds` ends. */
  untilOf(seconds) {
    const end = this.loop ? this.time.secondsAt(this.loop[1]) : Infinity;
    return seconds < end - 1e-3 ? Math.min(end, this.time.seconds) : this.time.seconds;
  }

  /** Fits what is scheduled to another loop or length of the song. */
  fitSegments() {
    if (!this.playing) { return; }
    const now = this.context.currentTime, position = this.position(now);
    const current = this.segments.findLast((one) => one.when <= now) ?? this.segments[0];
    for (const [key, voice] of this.voices) {
      if (voice.segment.when > now && voice.segment !== current) { this.fade(voice, now); this.voices.delete(key); }
    }
    current.until = this.untilOf(position);
    this.segments = [current];
    for (const voice of this.voices.values()) {
      if (voice.segment === current) { this.endVoice(voice); }
    }
  }

  windowOf(seconds) {
    return Math.floor(this.time.stepAt(seconds + 1e-6) / this.stepsPerWindow);
  }

  /** How long before its window a chunk begins: notes may be played a little early. */
  get lead() {
    return this.song.chunk_lead_seconds ?? 0;
  }

  get stepsPerWindow() {
    return this.song.chunk_bars * this.song.steps_per_bar;
  }

  chunk(track, window) {
    const own = this.overrides[track]?.[window];
    return own === undefined ? this.song.tracks[track].chunks[window] ?? null : own;
  }

  prefetch(step) {
    const window = Math.floor(step / this.stepsPerWindow);
    for (let ahead = 0; ahead < 2; ahead++) {
      this.fetchAhead(this.song.tracks.map((track) => track.chunks[window + ahead]));
    }
  }

  /** Brings what is scheduled in line with what should be heard until the horizon. */
  tick() {
    if (!this.playing) { return; }
    if (this.pending) { this.trySwitch(); }
    const now = this.context.currentTime;
    const horizon = now + (document.hidden ? HIDDEN_LOOKAHEAD_SECONDS : LOOKAHEAD_SECONDS);
    for (let last = this.segments.at(-1); this.loop && endOf(last) < horizon; last = this.segments.at(-1)) {
      const [from, until] = this.loop.map((step) => this.time.secondsAt(step));
      if (until - from < 0.05 || Math.abs(last.until - until) > 1e-3) { break; }
      this.segments.push(this.segment(endOf(last), from, until));
    }
    this.segments.filter((one) => one.when < horizon && endOf(one) > now).forEach((one) => this.fill(one, now, horizon));
    this.segments = this.segments.filter((one, index) => endOf(one) > now - 1 || index === this.segments.length - 1);
    for (const [key, voice] of this.voices) {
      if (endOf(voice.segment) < now - 1) { this.voices.delete(key); }
    }
    const last = this.segments.at(-1);
    if (now > endOf(last) + RING_SECONDS) { this.stop(); }
  }

  /** Starts, swaps and asks for the sounds of a segment between now and the horizon. */
  fill(segment, now, horizon) {
    const from = Math.max(segment.from, segment.from + now - segment.when);
    const until = Math.min(segment.until, segment.from + horizon - segment.when + this.lead);
    const first = this.windowOf(from), last = this.windowOf(until - 1e-4);
    const before = Math.max(first - 1, this.windowOf(segment.from));
    for (const window of [first, ...range(first + 1, last + 1), ...range(before, first)]) {
      this.song.tracks.forEach((_, track) => this.reconcile(segment, track, window, now));
    }
    segment.held.forEach(([track, window]) => this.reconcile(segment, track, window, now));
    const ahead = range(last + 1, last + 1 + PREFETCHED_WINDOWS);
    ahead.forEach((window) => this.fetchAhead(this.song.tracks.map((_, track) => this.chunk(track, window))));
    if (this.loop) {
      const again = Math.floor(this.loop[0] / this.stepsPerWindow);
      this.fetchAhead(this.song.tracks.map((_, track) => this.chunk(track, again)));
    }
  }

  reconcile(segment, track, window, now) {
    const key = `${segment.id}/${track}/${window}`, voice = this.voices.get(key), hash = this.chunk(track, window);
    if ((voice?.hash ?? null) === hash) { return; }
    if (hash === null) { this.fade(voice, now); this.voices.delete(key); return; }
    const buffer = this.sounds.ready(hash);
    if (!buffer) {
      this.sounds.load(hash, this.change?.hashes.has(hash) ? CHANGED : NOW);
      return;
    }
    const start = this.time.secondsAt(window * this.stepsPerWindow) - this.lead;
    const due = segment.when + Math.max(start - segment.from, 0);
    const when = Math.max(due, now + START_SECONDS);
    if (voice) { this.fade(voice, when); }
    this.voices.set(key, this.startVoice(segment, track, hash, buffer, when, segment.from + when - segment.when - start));
    this.timeChange(hash, when - now);
  }

  startVoice(segment, track, hash, buffer, when, offset) {
    const voice = { segment, hash, source: null, gain: null };
    if (offset >= buffer.duration) { return voice; }
    voice.source = new AudioBufferSourceNode(this.context, { buffer });
    voice.gain = new GainNode(this.context, { gain: offset > 0.002 ? 0 : 1 });
    if (offset > 0.002) {
      voice.gain.gain.setValueAtTime(0, when);
      voice.gain.gain.linearRampToValueAtTime(1, when + FADE_SECONDS / 2);
    }
    voice.source.connect(voice.gain).connect(this.trackGains[track]);
    voice.source.start(when, Math.max(offset, 0));
    voice.started = when;
    this.metrics.started += 1;
    this.endVoice(voice);
    return voice;
  }

  /** A voice of a loop ends with its pass, one at the end of the song rings on. */
  endVoice(voice) {
    if (!voice.source) { return; }
    const gain = voice.gain.gain, end = endOf(voice.segment), now = this.context.currentTime;
    if (this.loop && Math.abs(voice.segment.until - this.time.secondsAt(this.loop[1])) < 1e-3) {
      if (voice.ends) { gain.cancelScheduledValues(now); }
      voice.ends = end;
      gain.setValueAtTime(1, Math.max(end - FADE_SECONDS, now, voice.started + FADE_SECONDS));
      gain.linearRampToValueAtTime(0, Math.max(end, now + FADE_SECONDS));
      voice.source.stop(Math.max(end, now + FADE_SECONDS) + 0.002);
    } else if (voice.ends) {
      voice.ends = null;
      gain.cancelScheduledValues(now);
      gain.setValueAtTime(1, now);
      voice.source.stop(now + 1e5);
    }
  }

  fade(voice, when) {
    if (!voice?.source) { return; }
    const gain = voice.gain.gain;
    gain.cancelScheduledValues(when);
    gain.setValueAtTime(1, when);
    gain.linearRampToValueAtTime(0, when + FADE_SECONDS);
    voice.source.stop(when + FADE_SECONDS + 0.002);
  }

  silence() {
    this.voices.forEach((voice) => this.fade(voice, this.context.currentTime));
    this.voices.clear();
  }

  timeChange(hash, ahead) {
    if (!this.change?.hashes.has(hash) || ahead > LOOKAHEAD_SECONDS / 2) { return; }
    const now = performance.now(), { clicked, answered } = this.change;
    const soon = ahead * 1000;
    this.metrics.changes.push({ fromClick: now - clicked, fromAnswer: now - answered, untilSound: now - answered + soon });
    this.change = null;
  }

  /** A song of another tempo takes over at the same step as soon as its sounds are there. */
  trySwitch() {
    const { song, time } = this.pending;
    const window = Math.floor(this.step / (song.chunk_bars * song.steps_per_bar));
    const hashes = song.tracks.map((track) => track.chunks[window]).filter(Boolean);
    const missing = hashes.filter((hash) => !this.sounds.ready(hash));
    missing.forEach((hash) => this.sounds.load(hash, CHANGED));
    if (missing.length < hashes.length) { this.pending.deadline = Math.min(this.pending.deadline, performance.now() + SWITCH_MS); }
    if (missing.length && performance.now() < this.pending.deadline) { return; }
    const step = this.step;
    this.pending = null;
    this.silence();
    this.take(song);
    const now = this.context.currentTime, from = time.secondsAt(Math.min(step, time.steps));
    this.segments = [this.segment(now + START_SECONDS, from, this.untilOf(from))];
  }
}

function endOf(segment) {
  return segment.when + segment.until - segment.from;
}

function range(first, end) {
  return Array.from({ length: Math.max(end - first, 0) }, (_, index) => first + index);
}
