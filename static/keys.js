// Single keys for the lists, never while somebody types; ? lists them, and there they can be
// switched off for this browser.
import { copy, say } from "./clipboard.js";
import { current, linkOf, move } from "./cursor.js";
import { keep, recall } from "./memory.js";
import { toggle } from "./selection.js";

const dialog = document.getElementById("keys");
const button = document.querySelector("[data-keys]");
const hint = document.querySelector(".find kbd");

const search = () => document.querySelector(".find input")?.select();

const open = () => linkOf(current())?.click();

const copyLink = () => {
  const link = linkOf(current());
  if (link) copy(link.href).then(() => say("Link copied"), () => say("Not copied"));
};

const step = (way) => document.querySelector(`main [data-step="${way}"]`)?.click();

/** Only while the panel of the window is open: t z, t a. */
const stepWithin = (way) => document.querySelector("main .window details[open]") && step(way);

/** Open a panel and stand in it, or close it again. */
const unfold = (css) => {
  const panel = document.querySelector(`main ${css} details.menu, main details.menu${css}`);
  if (!panel) return;
  panel.open = !panel.open;
  panel.querySelector("summary").focus();
};

/** Escape folds the panel that one stands in, however many keys are in use. */
const fold = (event) => {
  const panel = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!panel) return;
  panel.open = false;
  panel.querySelector("summary").focus();
};

const help = () => {
  button.closest("details").open = false;
  dialog.showModal();
};

const ACTS = {
  "/": search,
  j: () => move(1),
  k: () => move(-1),
  o: open,
  Enter: open,
  c: copyLink,
  x: () => current() && toggle(current()),
  t: () => unfold(".window"),
  a: () => stepWithin("fixed"),
  z: () => stepWithin("wider"),
  f: () => unfold(".filter"),
  "[": () => step("earlier"),
  "]": () => step("later"),
  "?": help,
};

const typing = (element) => element.closest("input, select, textarea, dialog, [contenteditable]");

// On many keyboards a bracket is typed with AltGr, which counts as Ctrl and Alt held.
const held = (event) =>
  !event.getModifierState("AltGraph") && (event.ctrlKey || event.metaKey || event.altKey);

const ours = (event) =>
  !(held(event) || event.isComposing) &&
  !typing(event.target) &&
  // Enter has a meaning of its own on whatever can be pressed.
  !(event.key === "Enter" && event.target.closest("a, button, summary")) &&
  recall("localStorage", "keys") !== "off";

const start = () => {
  const choice = dialog.querySelector("input");
  choice.checked = recall("localStorage", "keys") !== "off";
  hint.hidden = !choice.checked;
  choice.addEventListener("change", () => {
    keep("localStorage", "keys", choice.checked ? "on" : "off");
    hint.hidden = !choice.checked;
  });
  button.hidden = false;
  button.addEventListener("click", help);
  document.addEventListener("keydown", (event) => {
    const act = Object.hasOwn(ACTS, event.key) && ACTS[event.key];
    if (!act || !ours(event)) return;
    event.preventDefault();
    act();
  });
};

document.addEventListener("keydown", fold);
if (dialog && button) start();
