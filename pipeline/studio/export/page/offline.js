/** A service worker: what the page has loaded is kept, so that it works without a network. */

const CACHE = "albumgan";

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const files = await (await fetch("files.json", { cache: "no-store" })).json();
    const cache = await caches.open(CACHE);
    await cache.addAll(["./", "files.json", ...files]);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || event.request.headers.has("range")) { return; }
  event.respondWith(
    fetch(event.request).then(async (answer) => {
      if (answer.ok && answer.type !== "opaque") { (await caches.open(CACHE)).put(event.request, answer.clone()); }
      return answer;
    }).catch(async () => (await caches.match(event.request, { ignoreSearch: true })) ?? Response.error()),
  );
});
