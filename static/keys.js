// Keyboard shortcuts of the lists, never while somebody types; ? shows them, and there they can be
// switched off for this browser.
import { announce, copy } from "./clipboard.js";
import { currentRow, linkOf, move } from "./current-row.js";
import { toggle } from "./selection.js";
import { recall, store } from "./storage.js";

const dialog = document.getElementById("keys");
const button = document.querySelector("[data-keys]");
const hint = document.querySelector(".find kbd");

const search = () => document.querySelector(".find input")?.select();

const open = () => linkOf(currentRow())?.click();

const copyLink = () => {
  const link = linkOf(currentRow());
  if (!link) return;
  copy(link.href).then(
    () => announce("Link copied to clipboard"),
    () => announce("Couldn’t copy the link"),
  );
};

const step = (name) => document.querySelector(`main [data-step="${name}"]`)?.click();

/** Only while the panel of the time range is open: t z, t a. */
const stepInPanel = (name) =>
  document.querySelector("main .time-range details[open]") && step(name);

/** Open a panel and focus it, or close it again. */
const togglePanel = (css) => {
  const panel = document.querySelector(`main ${css} details.menu, main details.menu${css}`);
  if (!panel) return;
  panel.open = !panel.open;
  panel.querySelector("summary").focus();
};

/** Escape closes the panel that has the focus, even where shortcuts are switched off. */
const closePanel = (event) => {
  const panel = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!panel) return;
  panel.open = false;
  panel.querySelector("summary").focus();
};

const help = () => {
  button.closest("details").open = false;
  dialog.showModal();
};

const SHORTCUTS = {
  "/": search,
  j: () => move(1),
  k: () => move(-1),
  o: open,
  Enter: open,
  c: copyLink,
  x: () => currentRow() && toggle(currentRow()),
  t: () => togglePanel(".time-range"),
  a: () => stepInPanel("pin"),
  z: () => stepInPanel("zoom-out"),
  f: () => togglePanel(".filter"),
  "[": () => step("previous"),
  "]": () => step("next"),
  "?": help,
};

const typing = (element) => element.closest("input, select, textarea, dialog, [contenteditable]");

// On many keyboards a bracket is typed with AltGr, which counts as Ctrl and Alt held.
const modified = (event) =>
  !event.getModifierState("AltGraph") && (event.ctrlKey || event.metaKey || event.altKey);

const isShortcut = (event) =>
  !(modified(event) || event.isComposing) &&
  !typing(event.target) &&
  // Enter has a meaning of its own on whatever can be pressed.
  !(event.key === "Enter" && event.target.closest("a, button, summary")) &&
  recall("localStorage", "keys") !== "off";

const start = () => {
  const choice = dialog.querySelector("input");
  choice.checked = recall("localStorage", "keys") !== "off";
  hint.hidden = !choice.checked;
  choice.addEventListener("change", () => {
    store("localStorage", "keys", choice.checked ? "on" : "off");
    hint.hidden = !choice.checked;
  });
  button.hidden = false;
  button.addEventListener("click", help);
  document.addEventListener("keydown", (event) => {
    const act = Object.hasOwn(SHORTCUTS, event.key) && SHORTCUTS[event.key];
    if (!act || !isShortcut(event)) return;
    event.preventDefault();
    act();
  });
};

document.addEventListener("keydown", closePanel);
if (dialog && button) start();
