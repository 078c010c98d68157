// The outbox: what is tapped on the roster is kept on the telephone first, then sent in the order of the taps, with the
// instant of the tap and a key of its own. Sent twice it has one effect; what is refused becomes a question. Without
// this script the same forms post by themselves.
(() => {
  "use strict";
  const user = Number(document.body.dataset.user || 0);
  const main = document.querySelector("main.roster");
  const box = document.getElementById("outbox");
  if (!user || !main || !box || !window.indexedDB) return;

  const PAGES = "roster-pages";
  const PLAIN = { Accept: "application/json" };
  const BECOMES = {
    "on-my-way": "en_route", start: "in_progress", finish: "completed", "sign-note": "note_signed", missed: "missed",
  };
  const say = (key) => document.querySelector(`#spoken [data-say="${key}"]`)?.textContent || key;
  let signIn = false; // the session is over: somebody is asked to sign in
  let typed = false; // something stands in a field that a reload would lose
  main.addEventListener("input", () => { typed = true; });

  // ------------------------------------------------------------------ what waits

  const opened = new Promise((resolve, reject) => {
    const asked = indexedDB.open("coordinator-roster", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("waiting", { keyPath: "id", autoIncrement: true });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  const store = async (mode, act) => {
    const transaction = (await opened).transaction("waiting", mode);
    const asked = act(transaction.objectStore("waiting"));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  };
  const everything = () => store("readonly", (rows) => rows.getAll());
  const mine = async () => (await everything()).filter((one) => one.user === user);
  const put = (one) => store("readwrite", (rows) => rows.put(one));
  const drop = (id) => store("readwrite", (rows) => rows.delete(id));
  const newKey = () =>
    crypto.randomUUID ? crypto.randomUUID() : [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(36)).join("-");

  // ------------------------------------------------------------------ sending

  // One after another, in the order of the taps; of two open pages one sends.
  const inTurn = (send) => (navigator.locks ? navigator.locks.request("coordinator-roster", send) : send());
  let turn = Promise.resolve();
  const flush = () => (turn = turn.then(() => inTurn(send)).catch(() => ({})));

  const send = async () => {
    const sent = {};
    const all = await mine();
    const waiting = all.filter((one) => !one.refused);
    if (!waiting.length) return sent;
    const pulse = await fetch("/roster/pulse", { headers: PLAIN, cache: "no-store" }).catch(() => null);
    signIn = pulse?.status === 401;
    if (!pulse?.ok) return sent;
    const { user: who, mark } = await pulse.json();
    if (who !== user) return sent;
    const held = new Set(all.filter((one) => one.refused && one.visit).map((one) => one.visit));
    for (const one of waiting) {
      if (held.has(one.visit)) continue; // what follows a refused start waits for its answer
      const headers = {
        ...PLAIN, "Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": one.key, "X-CSRFToken": mark,
      };
      const answer = await fetch(one.path, { method: "POST", headers, body: one.body, cache: "no-store" }).catch(() => null);
      if (!answer) break;
      const said = await answer.json().catch(() => null);
      if (answer.ok && said) {
        await drop(one.id);
        sent[one.key] = said;
      } else if (said && [403, 404, 409, 412, 422].includes(answer.status) && !/^idempotency-in|^form-/.test(said.code)) {
        await put({ ...one, refused: said });
        if (one.visit) held.add(one.visit);
      } else {
        signIn = answer.status === 401;
        break; // later again: the server is busy, or this is no answer of its own
      }
    }
    return sent;
  };

  const sendAndShow = async () => {
    const sent = await flush();
    await show();
    if (Object.keys(sent).length && !typed) location.reload();
  };

  // ------------------------------------------------------------------ showing

  const made = (tag, text, attributes = {}) => {
    const one = document.createElement(tag);
    if (text) one.textContent = text;
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    return one;
  };
  const button = (text, act, attributes = {}) => {
    const one = made("button", text, { type: "button", class: "secondary outline", ...attributes });
    one.addEventListener("click", act);
    return one;
  };

  const question = (one) => {
    const { refused } = one;
    const asks = made("article", "", { class: "question problem" });
    const name = document.querySelector(`[data-visit="${one.visit}"] :is(strong, h1)`)?.textContent;
    asks.append(made("h2", `${say("asks")}: ${say(`act-${one.act}`)}${name ? `, ${name}` : ""}`));
    const time = new Date(one.at).toLocaleTimeString(document.documentElement.lang, { hour: "numeric", minute: "2-digit" });
    asks.append(made("p", say("tapped").replace("{time}", time)));
    if (!refused.found.length || refused.detail_known) asks.append(made("p", refused.detail));
    for (const found of refused.found) {
      asks.append(made("p", `${found.rule}: ${found.says || found.sentence}`));
      if (found.cure) asks.append(made("p", `${say("cure")}: ${found.cure}`, { lang: "en" }));
    }
    for (const wrong of refused.errors) asks.append(made("p", wrong.detail, { lang: "en" }));
    const choices = made("div", "", { class: "choices" });
    for (const way of refused.ways) {
      if (way.to) choices.append(made("a", way.words, { class: "press", href: way.to }));
      else {
        choices.append(button(way.words, () => again(one, way.add)));
      }
    }
    choices.append(button(say("again"), () => again(one, {})));
    const leave = button(say("drop"), async () => {
      if (leave.dataset.sure) {
        await drop(one.id);
        await show();
      }
      leave.dataset.sure = "1";
      leave.textContent = say("drop-sure");
    });
    choices.append(leave);
    asks.append(choices);
    return asks;
  };

  const again = async (one, more) => {
    const body = new URLSearchParams(one.body);
    for (const [name, value] of Object.entries(more)) body.set(name, value);
    await put({ ...one, body: body.toString(), key: newKey(), refused: null });
    await sendAndShow();
  };

  const show = async () => {
    const all = await everything();
    const own = all.filter((one) => one.user === user);
    const waits = own.filter((one) => !one.refused).length;
    const parts = own.filter((one) => one.refused).map(question);
    if (waits) {
      const line = made("p", waits === 1 ? say("waits-1") : say("waits").replace("{number}", waits), { class: "note", id: "waits" });
      if (signIn) line.append(" ", made("a", say("sign-in"), { href: `/sign-in?next=${encodeURIComponent(location.pathname)}` }));
      parts.push(line);
    }
    if (all.length > own.length) parts.push(made("p", say("others"), { class: "note" }));
    box.replaceChildren(...parts);
    box.hidden = !parts.length;
    for (const card of main.querySelectorAll("[data-visit]")) asItWillBe(card, own);
  };

  // A visit as it is once everything is sent: what was tapped shows at once.
  const asItWillBe = (card, own) => {
    const steps = own.filter((one) => one.visit === card.dataset.visit && !one.refused && BECOMES[one.act]);
    const state = steps.length ? BECOMES[steps[steps.length - 1].act] : card.dataset.state;
    for (const part of card.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(state);
    const chip = card.querySelector("[data-chip]");
    chip.dataset.said ??= chip.textContent;
    chip.firstElementChild.textContent = state === card.dataset.state ? chip.dataset.said : say(`state-${state}`);
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-outbox]")) return;
    event.preventDefault();
    if (form.dataset.busy) return; // a second tap of the same
    form.dataset.busy = "1";
    const body = new URLSearchParams(new FormData(form));
    for (const name of ["csrf_token", "_key", "_page"]) body.delete(name);
    const tap = event.submitter;
    if (tap?.name) body.set(tap.name, tap.value);
    const at = new Date().toISOString();
    body.set("at", at);
    const key = newKey();
    const visit = form.closest("[data-visit]")?.dataset.visit || main.dataset.about || "";
    await put({ user, key, at, visit, act: form.dataset.outbox, path: form.getAttribute("action"), body: body.toString() });
    typed = false;
    await show();
    const sent = await flush();
    if (sent[key]) return location.assign(sent[key].to);
    tap?.removeAttribute("aria-busy");
    delete form.dataset.busy;
    form.reset(); // what was typed waits in the outbox, and is not sent twice
    await show();
    box.scrollIntoView({ block: "center" });
  });

  // ------------------------------------------------------------------ signing out, and what the telephone keeps

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.getAttribute("action") !== "/sign-out" || form.dataset.sure) return;
    event.preventDefault();
    await flush();
    form.dataset.sure = "1";
    if ((await everything()).length) {
      await show();
      box.append(made("p", say("leave"), { class: "problem", role: "alert" }));
      box.hidden = false;
      box.scrollIntoView({ block: "center" });
      event.submitter?.removeAttribute("aria-busy");
      return;
    }
    if (window.caches) await caches.delete(PAGES);
    form.requestSubmit(event.submitter);
  });

  const keepDays = async () => {
    if (!main.dataset.roster) return;
    const print = `${user}:${main.dataset.roster}:${document.documentElement.lang}`;
    const before = localStorage.getItem("roster-kept") || "";
    if (before && !before.startsWith(`${user}:`)) await caches.delete(PAGES); // somebody else's telephone until now
    const days = [...main.querySelectorAll("[data-keep]")].flatMap((one) => one.dataset.keep.split(" "));
    const { active } = await navigator.serviceWorker.ready;
    const parts = document.querySelectorAll("link[rel=stylesheet], script[src]");
    active.postMessage({
      wanted: ["/roster/", ...new Set(days)], anew: before !== print, files: [...parts].map((one) => one.href || one.src),
    });
    localStorage.setItem("roster-kept", print);
  };

  // A page that is open beyond its time shows nothing more. One that is over as it opens was just answered by the
  // server, or let through by the service worker, which counts seconds: then this telephone's clock is wrong.
  const until = Date.parse(main.dataset.keepUntil || "");
  const clockIsWrong = until <= Date.now();
  const over = () => {
    if (until && !clockIsWrong && until <= Date.now()) {
      main.replaceChildren();
      location.reload();
    }
  };
  const wake = async () => {
    over();
    if ((await mine()).some((one) => !one.refused)) await sendAndShow();
  };
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); });
  setInterval(wake, 20000);

  show().then(wake);
  if (navigator.serviceWorker) {
    navigator.serviceWorker.register("/roster/sw.js", { scope: "/roster/" }).then(keepDays).catch(() => undefined);
  }
})();
