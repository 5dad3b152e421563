/** The networks by onnxruntime-web, on one thread of WebAssembly: no special headers of the host are needed. */

const THREE = ["temperature", "condition_strength", "chord_strength"];

/**
 * onnxruntime-web from this page's own folder, where the browser keeps what it compiled of it for the next visit, or from
 * the pinned address, where it must have the hash that the page knows.
 */
async function loadRuntime({ script, binary, is_local: isLocal }, base) {
  if (isLocal) {
    const ort = await import(new URL(script.url, base));
    Object.assign(ort.env.wasm, { numThreads: 1, proxy: false, wasmPaths: { wasm: new URL(binary.url, base).href } });
    return ort;
  }
  const read = async ({ url, integrity }) => {
    const answer = await fetch(url, { integrity });
    if (!answer.ok) { throw new Error(`${url} is not there (${answer.status}).`); }
    return answer.arrayBuffer();
  };
  const [text, wasmBinary] = await Promise.all([read(script), read(binary)]);
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const ort = await import(address);
  Object.assign(ort.env.wasm, { numThreads: 1, proxy: false, wasmBinary });
  return ort;
}

export class Networks {
  static async load(model, base) {
    const read = async (name) => new Uint8Array(await (await fetch(new URL(name, base))).arrayBuffer());
    const [ort, ...files] = await Promise.all([loadRuntime(model.runtime, base), read("sampler.onnx"), read("discriminator.onnx")]);
    const networks = new Networks();
    Object.assign(networks, { ort, model });
    const options = { executionProviders: ["wasm"], graphOptimizationLevel: "disabled" }; // would take longer than it saves
    networks.sampler = await ort.InferenceSession.create(files[0], options);
    networks.discriminator = await ort.InferenceSession.create(files[1], options);
    return networks;
  }

  tensor(values, dims) {
    return new this.ort.Tensor("float32", values, dims);
  }

  /** Streams `[count, time, tracks, 2, pitch_range]` of latents, conditions, context and strengths. */
  async sample(inputs, count) {
    const { model } = this, tracks = model.tracks.length, size = model.latent_size;
    const context = this.context(inputs.streams, inputs.mask, count);
    const feeds = {
      z: this.tensor(inputs.z, [count, size]), z_time: this.tensor(inputs.z_time, [count, size]),
      z_track: this.tensor(inputs.z_track, [count, tracks, size]),
      z_track_time: this.tensor(inputs.z_track_time, [count, tracks, size]),
      conditions: this.tensor(inputs.conditions, [count, inputs.conditions.length / count]), ...context,
      temperature: this.tensor(inputs.temperature, [tracks]),
      ...Object.fromEntries(THREE.slice(1).map((name) => [name, this.tensor(Float32Array.of(inputs[name]), [])])),
    };
    const { phrases } = await this.sampler.run(feeds);
    return phrases.data;
  }

  /** Estimates of how much likelier each phrase is in the data than it is to be sampled, in logarithms. */
  async score(streams, mask, count) {
    const { logits } = await this.discriminator.run(this.context(streams, mask, count));
    return logits.data;
  }

  context(streams, mask, count) {
    const { model } = this, tracks = model.tracks.length;
    return {
      streams: this.tensor(streams, [count, model.bars * model.steps_per_bar, tracks, 2, model.pitch_range]),
      mask: this.tensor(mask, [count, tracks, model.bars]),
    };
  }
}
