/** Makes music beside the page, so that it keeps playing and answering meanwhile. */

import { Networks } from "./networks.js";
import { Sampler } from "./sampler.js";

const ready = (async () => {
  const base = new URL(".", self.location.href);
  const model = await (await fetch(new URL("model.json", base))).json();
  const [networks, examples] = await Promise.all([
    Networks.load(model, base), fetch(new URL("examples.bin", base)).then((answer) => answer.arrayBuffer()),
  ]);
  return new Sampler(model, new Float32Array(examples), networks);
})();

ready.then(() => self.postMessage({ kind: "ready" }), (error) => self.postMessage({ kind: "failed", error: error.message }));

self.onmessage = async ({ data }) => {
  const { id, song, free, request } = data;
  try {
    const sampler = await ready;
    const made = await sampler.make(song, (track, bar) => free[track][bar], request, (share) => self.postMessage({ kind: "progress", id, share }));
    self.postMessage({ kind: "made", id, made });
  } catch (error) {
    self.postMessage({ kind: "failed", id, error: error.message });
  }
};
