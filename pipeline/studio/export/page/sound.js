/** Plays songs: their finished sound while they are as they were, and notes out of banks (wavetables) when they changed. */

const AHEAD_SECONDS = 0.35;
const RELEASE_SECONDS = 0.07;
const BEGINS_SECONDS = 0.06;

/** Where the click in a bank's lead stands: decoders put some samples in front of what they decode. */
export function decoderDelay(samples, rate, leadSeconds) {
  let loudest = 0;
  for (let index = 0; index < leadSeconds * 2 * rate; index++) { if (Math.abs(samples[index]) > Math.abs(samples[loudest])) { loudest = index; } }
  const delay = loudest / rate - leadSeconds / 2;
  return delay > -0.05 && delay < 0.15 ? delay : 0;
}

export class Player {
  /** `base` is the page's address, `changed` is called when playing starts or ends. */
  constructor(model, base, changed) {
    Object.assign(this, { model, base, changed, banks: new Map(), muted: new Set(), solo: new Set(), loop: null, step: 0 });
    this.context = new AudioContext({ latencyHint: "interactive" });
    this.master = new GainNode(this.context);
    const limiter = new DynamicsCompressorNode(this.context, { threshold: -3, knee: 3, ratio: 20, attack: 0.002, release: 0.15 });
    this.master.connect(limiter).connect(this.context.destination);
    this.audio = new Audio();
    this.audio.onended = () => this.stop();
  }

  /** Loads the banks of a song's instruments. */
  async load(song) {
    await Promise.all(song.tracks.map((track) => this.bank(bankKey(track))));
  }

  bank(key) {
    if (!this.banks.has(key)) { this.banks.set(key, this.read(key)); }
    return this.banks.get(key);
  }

  async read(key) {
    const about = this.model.instruments[key];
    if (!about) { return null; }
    const answer = await fetch(new URL(`notes/${about.file}`, this.base));
    const buffer = await this.context.decodeAudioData(await answer.arrayBuffer());
    const delay = decoderDelay(buffer.getChannelData(0), buffer.sampleRate, about.lead_seconds);
    return { ...about, buffer, begin: about.lead_seconds + delay };
  }

  get playing() {
    return Boolean(this.timer) || !this.audio.paused;
  }

  /** Seconds from the song's first step to another one, at the tempo chosen. */
  secondsOf(step) {
    const { step_seconds: times } = this.song, whole = Math.min(Math.floor(step), times.length - 1);
    const next = times[Math.min(whole + 1, times.length - 1)];
    return (times[whole] + (step - whole) * (next - times[whole])) / this.song.speed;
  }

  stepAt(seconds) {
    const { step_seconds: times, speed } = this.song, wanted = seconds * speed;
    let low = 0, high = times.length - 1;
    while (high - low > 1) { const middle = (low + high) >> 1; if (times[middle] <= wanted) { low = middle; } else { high = middle; } }
    return Math.min(low + (wanted - times[low]) / Math.max(times[high] - times[low], 1e-6), times.length - 1);
  }

  /** Begins at a step; resolves when sound is on its way. */
  async play(song, step = this.step) {
    this.pause();
    this.song = song;
    const turn = (this.turn = Symbol("playing"));
    await this.context.resume();
    if (song.sound && !song.edited && song.speed === 1 && !this.muted.size && !this.solo.size && !this.loop) {
      if (!this.audio.src.endsWith(encodeURI(song.sound))) { this.audio.src = new URL(song.sound, this.base).href; }
      this.audio.currentTime = this.secondsOf(step);
      try {
        await this.audio.play();
        if (turn !== this.turn) { this.audio.pause(); }
        this.changed();
        return;
      } catch { /* without a network the banks have to do */ }
    }
    const banks = await Promise.all(song.tracks.map((track) => this.bank(bankKey(track)).catch(() => null)));
    if (turn !== this.turn) { return; }
    this.parts = song.tracks.map((track, index) => this.part(track, banks[index]));
    this.group = new GainNode(this.context, { gain: song.master });
    this.group.connect(this.master);
    this.parts.forEach((part) => part.out.connect(this.group));
    this.startStep = step;
    this.startTime = this.context.currentTime + BEGINS_SECONDS;
    this.scheduled = step - 1e-6;
    this.balance();
    this.schedule();
    this.timer = setInterval(() => this.schedule(), 100);
    this.changed();
  }

  part(track, bank) {
    const out = new StereoPannerNode(this.context, { pan: track.pan }), gain = new GainNode(this.context);
    gain.connect(out);
    return { track, bank, out, gain, notes: [...track.notes].sort((a, b) => a[0] - b[0]) };
  }

  /** Mutes and solos. */
  balance() {
    this.parts?.forEach(({ gain, track }, index) => {
      const heard = this.solo.size ? this.solo.has(index) : !this.muted.has(index);
      gain.gain.setTargetAtTime(heard ? track.gain : 0, this.context.currentTime, 0.015);
    });
  }

  schedule() {
    const now = this.context.currentTime, end = this.loop ? this.loop[1] : this.song.step_seconds.length - 1;
    if (now > this.startTime + this.secondsOf(end) - this.secondsOf(this.startStep) - (this.loop ? AHEAD_SECONDS : -1)) {
      if (!this.loop) { this.stop(); return; }
      this.startTime += this.secondsOf(end) - this.secondsOf(this.startStep);
      this.startStep = this.loop[0];
      this.scheduled = this.loop[0] - 1e-6;
    }
    const until = Math.min(this.stepAt(now + AHEAD_SECONDS - this.startTime + this.secondsOf(this.startStep)), end - 1e-6);
    for (const part of this.parts) {
      for (const note of part.notes) {
        if (note[0] > until) { break; }
        if (note[0] > this.scheduled && part.bank) { this.sound(part, note); }
      }
    }
    this.scheduled = Math.max(this.scheduled, until);
  }

  sound({ track, bank, gain }, [step, length, pitch, velocity]) {
    const place = bank.pitches.reduce((best, one, index) => (Math.abs(one - pitch) < Math.abs(bank.pitches[best] - pitch) ? index : best), 0);
    const begin = Math.max(this.startTime + this.secondsOf(step) - this.secondsOf(this.startStep), this.context.currentTime);
    const rate = track.is_drum ? 1 : 2 ** ((pitch - bank.pitches[place]) / 12);
    const most = (bank.slot_seconds - 0.01) / rate, lasts = track.is_drum ? most : Math.min(this.secondsOf(step + length) - this.secondsOf(step), most);
    const source = new AudioBufferSourceNode(this.context, { buffer: bank.buffer, playbackRate: rate });
    const level = new GainNode(this.context, { gain: bank.gain * (velocity / bank.velocity) ** 2 });
    source.connect(level).connect(gain);
    level.gain.setTargetAtTime(0, begin + lasts, RELEASE_SECONDS);
    source.start(begin, bank.begin + place * bank.slot_seconds, bank.slot_seconds - 0.01);
    source.stop(begin + Math.min(lasts + 6 * RELEASE_SECONDS, most));
    this.sounded ??= begin;
  }

  /** The step that sounds now. */
  position() {
    if (!this.audio.paused) { return this.stepAt(this.audio.currentTime); }
    if (!this.timer) { return this.step; }
    const from = this.secondsOf(this.startStep), seconds = from + Math.max(0, this.context.currentTime - this.startTime);
    const at = this.context.currentTime < this.startTime && this.loop ? this.loop[1] - 1e-3 : this.stepAt(seconds);
    return at;
  }

  pause() {
    if (this.song && this.playing) { this.step = this.position(); }
    this.turn = null;
    this.audio.pause();
    clearInterval(this.timer);
    this.timer = null;
    const { group } = this;
    if (group) {
      group.gain.setTargetAtTime(0, this.context.currentTime, 0.02);
      setTimeout(() => group.disconnect(), 200);
      this.group = this.parts = null;
    }
    this.changed();
  }

  stop() {
    this.pause();
    this.step = this.loop ? this.loop[0] : 0;
    this.changed();
  }
}

export function bankKey(track) {
  return track.is_drum ? `drums ${track.program}` : String(track.program);
}
