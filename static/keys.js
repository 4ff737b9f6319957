// Keyboard shortcuts, except while somebody types. ? shows them and can switch them off.
import { copy, toast } from "./clipboard.js";
import { currentRow, linkOf, move } from "./current-row.js";
import { focusInside } from "./menus.js";
import { toggle } from "./selection.js";
import { recall, store } from "./storage.js";

const dialog = document.getElementById("keys");
const button = document.querySelector("[data-keys]");
const hint = document.querySelector(".find kbd");

const search = () => document.querySelector(".find textarea")?.select();

/** Follow a link; screen readers begin at the heading of its page. */
const follow = (link) => {
  if (!link) return;
  store("sessionStorage", "focus-heading", "yes");
  link.click();
};

const focusHeading = () => {
  if (!recall("sessionStorage", "focus-heading")) return;
  store("sessionStorage", "focus-heading", "");
  const heading = document.querySelector("h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
};

const open = () => follow(linkOf(currentRow()));

const up = () => follow([...document.querySelectorAll(".crumbs a")].at(-1));

const tab = (number) => follow(document.querySelectorAll("main .states a")[number - 1]);

const SEQUENCE_MS = 1500;
let going = 0;

/** The first of two keys: g r leads to the restores. */
const beginToGo = () => {
  going = Date.now();
};

const place = (key) => {
  const begun = Date.now() - going < SEQUENCE_MS;
  going = 0;
  return begun && [...document.querySelectorAll("nav [data-go]")].find((a) => a.dataset.go === key);
};

const copyLink = () => {
  const link = linkOf(currentRow());
  if (!link) return;
  copy(link.href).then(
    () => toast("Copied the link to the row"),
    () => toast("Couldn’t copy the link"),
  );
};

const step = (name) => document.querySelector(`main [data-step="${name}"]`)?.click();

/** Only while the panel of the time range is open: t z, t a. */
const stepInPanel = (name) =>
  document.querySelector("main .time-range details[open]") && step(name);

const togglePanel = (css) => {
  const panel = document.querySelector(`main ${css} details.menu, main details.menu${css}`);
  if (!panel) return;
  panel.open = !panel.open;
  // At once, because its toggle comes later than the next key of somebody who types quickly.
  if (panel.open) focusInside(panel);
};

const help = () => {
  button.closest("details").open = false;
  dialog.showModal();
};

const SHORTCUTS = {
  "/": search,
  g: beginToGo,
  u: up,
  j: () => move(1),
  k: () => move(-1),
  o: open,
  Enter: open,
  c: copyLink,
  y: () => document.querySelector("main [data-copy-link]")?.click(),
  x: () => currentRow() && toggle(currentRow()),
  t: () => togglePanel(".time-range"),
  a: () => stepInPanel("pin"),
  z: () => stepInPanel("zoom-out"),
  f: () => togglePanel(".filter"),
  "[": () => step("previous"),
  "]": () => step("next"),
  "?": help,
};

const typing = (element) => element.closest("input:not([type=checkbox]), select, textarea, dialog, [contenteditable]");

// On many keyboards a bracket is typed with AltGr, which counts as Ctrl and Alt held.
const modified = (event) =>
  !event.getModifierState("AltGraph") && (event.ctrlKey || event.metaKey || event.altKey);

const isShortcut = (event) =>
  !(modified(event) || event.isComposing) &&
  !typing(event.target) &&
  // Enter has a meaning of its own on whatever can be pressed.
  !(event.key === "Enter" && event.target.closest("a, button, summary")) &&
  recall("localStorage", "keys") !== "off";

const actionOf = (key) => {
  const link = place(key);
  if (link) return () => follow(link);
  if (/^[1-9]$/.test(key)) return () => tab(Number(key));
  return Object.hasOwn(SHORTCUTS, key) && SHORTCUTS[key];
};

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
    if (!isShortcut(event)) return;
    const act = actionOf(event.key);
    if (!act) return;
    event.preventDefault();
    act();
  });
  focusHeading();
};

if (dialog && button) start();
