/** A seeded generator of random numbers (sfc32): the same seed gives the same phrase on every machine. */

export class Random {
  constructor(seed) {
    this.state = [0x9e3779b9, 0x243f6a88, seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
    for (let turn = 0; turn < 20; turn++) { this.word(); }
  }

  word() {
    let [a, b, c, d] = this.state;
    const word = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word) | 0;
    this.state = [a, b, c, d];
    return word >>> 0;
  }

  /** Evenly from 0 to 1, neither of them reached. */
  uniform() {
    return (this.word() + 0.5) / 2 ** 32;
  }

  /** A whole number from 0 to below `count`. */
  below(count) {
    return Math.floor(this.uniform() * count);
  }

  /** Standard normal numbers (Box and Muller). */
  normals(count) {
    const values = new Float32Array(count);
    for (let index = 0; index < count; index += 2) {
      const radius = Math.sqrt(-2 * Math.log(this.uniform())), angle = 2 * Math.PI * this.uniform();
      values[index] = radius * Math.cos(angle);
      if (index + 1 < count) { values[index + 1] = radius * Math.sin(angle); }
    }
    return values;
  }
}
