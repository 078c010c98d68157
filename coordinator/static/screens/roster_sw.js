// Keeps today and tomorrow on the telephone, for homes without signal. Each page says for how many seconds it may be shown
// (Keep-For: to the end of its day, never beyond the session); older ones are forgotten, and all of them when the server
// asks to sign in. Nothing but pages and our own files is kept here: what waits to be sent is kept by roster.js.
"use strict";

const PAGES = "roster-pages";
const FILES = "roster-files";
const NO_SIGNAL = "/roster/no-signal";
const PATIENCE = 3000; // milliseconds before a kept page is shown instead of a slow one

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(FILES).then((files) => files.add(NO_SIGNAL)).catch(() => undefined));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && pathname.startsWith("/roster/")) event.respondWith(page(event, pathname));
  else if (pathname.startsWith("/static/")) event.respondWith(file(event));
});

// The days as roster.js reads them from the page: what of it is not here yet, or is not what it was, is fetched.
self.addEventListener("message", (event) => event.waitUntil(keepDays(event.data)));

async function keepDays({ wanted, anew, files }) {
  // The first page was loaded before anything was kept: without its script, what it is tapped for would be lost.
  const ours = await caches.open(FILES);
  for (const one of files) if (!(await ours.match(one))) await ours.add(one).catch(() => undefined);
  const pages = await caches.open(PAGES);
  for (const one of await pages.keys()) if (!wanted.includes(new URL(one.url).pathname)) await pages.delete(one);
  for (const path of wanted) {
    if (!anew && (await kept(path))) continue;
    for (let tries = 0; tries < 3; tries += 1) {
      const answer = await fetch(path, { cache: "no-store", redirect: "manual" }).catch(() => null);
      if (answer) await keep(path, answer);
      if (answer && answer.status < 500) break; // else the server was busy, or the line broke
    }
  }
}

const ends = (answer) => Number(answer.headers.get("Kept-Until"));

async function kept(path) {
  const pages = await caches.open(PAGES);
  const found = await pages.match(path);
  if (found && ends(found) > Date.now()) return found;
  for (const one of await pages.keys()) {
    const answer = await pages.match(one);
    if (!answer || ends(answer) <= Date.now()) await pages.delete(one);
  }
  return undefined;
}

async function keep(path, answer) {
  if (answer.type === "opaqueredirect") return caches.delete(PAGES); // to sign in: the session is over
  const pages = await caches.open(PAGES);
  const seconds = Number(answer.headers.get("Keep-For"));
  if (answer.ok && seconds > 0) {
    const headers = new Headers(answer.headers);
    headers.set("Kept-Until", Date.now() + seconds * 1000);
    return pages.put(path, new Response(await answer.blob(), { headers }));
  }
  if (answer.status === 403 || answer.status === 404) return pages.delete(path);
  return undefined;
}

async function page(event, path) {
  const asked = fetch(event.request).then((answer) => {
    event.waitUntil(keep(path, answer.clone()));
    return answer;
  });
  const before = await kept(path);
  const otherwise = async () => before || (await caches.match(NO_SIGNAL)) || Response.error();
  if (!before) return asked.catch(otherwise);
  const slow = new Promise((resolve) => setTimeout(resolve, PATIENCE)).then(otherwise);
  return Promise.race([asked.catch(otherwise), slow]);
}

async function file(event) {
  const files = await caches.open(FILES);
  const before = await files.match(event.request);
  const asked = fetch(event.request).then((answer) => {
    if (answer.ok) event.waitUntil(files.put(event.request, answer.clone()));
    return answer;
  });
  if (!before) return asked;
  event.waitUntil(asked.catch(() => undefined));
  return before;
}
