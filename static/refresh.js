// Refreshes the page while it is open and morphs <main> in place: scroll, focus, selection, open
// menus and half-filled forms survive. A page asks for it with <main data-refresh="seconds">.
// A new restore has to be on an open page within 15 s, of which the sync may use most: hence 5 s
// for lists and whatever is in progress. An unchanged page costs no more than a 304.
/* global Idiomorph */
import { timeOfDay } from "./time-zone.js";

const HIDDEN_SECONDS = 15;
const SLOWEST_SECONDS = 60;

const seconds = (main) => Number(main.dataset.refresh) || 0;

/** What the reader has opened or begun to change stays as it is. */
const untouchable = (old) =>
  old.nodeType === Node.ELEMENT_NODE &&
  (old.matches("details.menu[open], [data-histogram]") || (old.matches("input, select, textarea") && changed(old)));

const changed = (field) =>
  field.type === "checkbox" || field.type === "radio"
    ? field.checked !== field.defaultChecked
    : field.value !== (field.defaultValue ?? field.value);

const morph = (main, fresh) =>
  Idiomorph.morph(main, fresh, {
    morphStyle: "outerHTML",
    ignoreActiveValue: true,
    callbacks: {
      beforeNodeMorphed: (old) => !untouchable(old),
      beforeAttributeUpdated: (name, element) => !(name === "open" && element.matches("details")),
    },
  });

/** Say that the page is stale, and why; say nothing without a text. */
const showStale = (text, ...more) => {
  const note = document.getElementById("stale");
  note.hidden = !text;
  note.replaceChildren(text, ...more);
};

const signInLink = (signIn) => {
  const link = document.createElement("a");
  link.href = `${signIn}?next=${encodeURIComponent(location.pathname + location.search)}`;
  link.textContent = "Sign in";
  return link;
};

/** Refresh once; false when trying again cannot help. */
const refresh = async (main, state) => {
  // Tells the server that nobody asked for this: it must not keep an idle reader signed in.
  const headers = { "X-Background-Refresh": "1" };
  if (main.dataset.tag) headers["If-None-Match"] = main.dataset.tag;
  // The address bar of a live page holds the time of its last refresh; we want the present.
  const url = main.dataset.live ?? location.href;
  const response = await fetch(url, { headers, cache: "no-store", credentials: "same-origin" });
  const { pathname } = new URL(response.url);
  if (response.redirected && pathname !== location.pathname) {
    const text = `You’ve been signed out. Data last refreshed at ${timeOfDay(state.last)}. `;
    showStale(text, signInLink(pathname));
    return false;
  }
  if (response.status !== 304) {
    if (!response.ok) throw new Error(`The server returned an error (${response.status}).`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.querySelector("main");
    document.dispatchEvent(new CustomEvent("refreshing", { detail: { main, fresh } }));
    morph(main, fresh);
    document.title = page.title;
    const icon = page.querySelector('link[rel="icon"]').getAttribute("href");
    document.querySelector('link[rel="icon"]').setAttribute("href", icon);
  }
  state.last = new Date(response.headers.get("Date") ?? Date.now());
  document.dispatchEvent(new CustomEvent("refreshed", { detail: { headers: response.headers } }));
  return true;
};

const start = (main) => {
  const state = { last: new Date(), failures: 0 };
  let timer = 0;
  let queue = Promise.resolve();

  const schedule = () => {
    clearTimeout(timer);
    const interval = document.hidden ? Math.max(HIDDEN_SECONDS, seconds(main)) : seconds(main);
    timer = setTimeout(refreshNext, 1000 * Math.min(interval * 2 ** state.failures, SLOWEST_SECONDS));
  };

  const once = async () => {
    clearTimeout(timer);
    let goOn = true;
    try {
      goOn = await refresh(main, state);
      state.failures = 0;
      if (goOn) showStale("");
    } catch (error) {
      state.failures += 1;
      const reason = error instanceof TypeError ? "Can’t reach the server." : error.message;
      showStale(`${reason} Last refreshed at ${timeOfDay(state.last)}; retrying.`);
    }
    if (goOn && seconds(main)) schedule();
  };
  // One after the other: a late response would put the page back in time.
  const refreshNext = () => (queue = queue.then(once));

  document.addEventListener("visibilitychange", () => document.hidden || refreshNext());
  document.addEventListener("refresh-now", refreshNext);
  schedule();
};

const main = document.querySelector("main[data-refresh]");
if (main) start(main);
