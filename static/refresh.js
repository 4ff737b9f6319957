// Re-reads the page while it is open and morphs <main> in place: scroll, focus, selection,
// open menus and half-filled forms survive. A page asks for it with <main data-refresh="seconds">.
// A new restore has to be on an open page within 15 s, of which the sync may use most: hence 5 s
// for lists and whatever is in progress. An unchanged page costs no more than a 304.
/* global Idiomorph */

const HIDDEN_SECONDS = 15;
const SLOWEST_SECONDS = 60;

const seconds = (main) => Number(main.dataset.refresh) || 0;

/** What the reader holds open or has begun to change stays as it is. */
const keeps = (old) =>
  old.nodeType === Node.ELEMENT_NODE &&
  (old.matches("details.menu[open]") || (old.matches("input, select, textarea") && changed(old)));

const changed = (field) =>
  field.type === "checkbox" || field.type === "radio"
    ? field.checked !== field.defaultChecked
    : field.value !== (field.defaultValue ?? field.value);

const morph = (main, fresh) =>
  Idiomorph.morph(main, fresh, {
    morphStyle: "outerHTML",
    ignoreActiveValue: true,
    callbacks: {
      beforeNodeMorphed: (old) => !keeps(old),
      beforeAttributeUpdated: (name, element) => !(name === "open" && element.matches("details")),
    },
  });

const stale = (since) => {
  const note = document.getElementById("stale");
  note.hidden = !since;
  note.textContent = since ? `Not refreshed since ${since.toISOString().slice(11, 19)} UTC: ` : "";
  return note;
};

/** Ask once; true to go on, false when asking again cannot help. */
const reread = async (main, state) => {
  const headers = main.dataset.tag ? { "If-None-Match": main.dataset.tag } : {};
  // The address of a live page holds the moment of its last reading; asked is what is now.
  const url = main.dataset.live ?? location.href;
  const answer = await fetch(url, { headers, cache: "no-store", credentials: "same-origin" });
  if (answer.redirected && new URL(answer.url).pathname !== location.pathname) {
    stale(state.last).append("you are signed out.");
    return false;
  }
  if (answer.status !== 304) {
    if (!answer.ok) throw new Error(`the server answered ${answer.status}.`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("main");
    document.dispatchEvent(new CustomEvent("rereading", { detail: { main, fresh } }));
    morph(main, fresh);
    document.title = page.title;
  }
  state.last = new Date(answer.headers.get("Date") ?? Date.now());
  document.dispatchEvent(new CustomEvent("reread", { detail: { headers: answer.headers } }));
  return true;
};

const start = (main) => {
  const state = { last: new Date(), failures: 0 };
  let timer = 0;
  let turning = Promise.resolve();

  const wait = () => {
    clearTimeout(timer);
    const usual = document.hidden ? Math.max(HIDDEN_SECONDS, seconds(main)) : seconds(main);
    timer = setTimeout(turn, 1000 * Math.min(usual * 2 ** state.failures, SLOWEST_SECONDS));
  };

  const once = async () => {
    clearTimeout(timer);
    let more = true;
    try {
      more = await reread(main, state);
      state.failures = 0;
      if (more) stale(null);
    } catch (error) {
      state.failures += 1;
      stale(state.last).append(error instanceof TypeError ? "no answer." : error.message);
    }
    if (more && seconds(main)) wait();
  };
  // One after the other: an answer that overtook a later one would put the page back in time.
  const turn = () => (turning = turning.then(once));

  document.addEventListener("visibilitychange", () => document.hidden || turn());
  document.addEventListener("reread-now", turn);
  wait();
};

const main = document.querySelector("main[data-refresh]");
if (main) start(main);
