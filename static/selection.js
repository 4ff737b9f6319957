// Rows picked with x, or by a click on their time with ctrl or shift held: their links and
// a table of them to copy, and a list of them alone.
import { copy, say } from "./clipboard.js";
import { linkOf } from "./cursor.js";

const KEPT = ["tz", "asof", "cols"];
// So many ids an address takes, and so many rows a page has if nothing is said.
const MOST = 100;
const USUAL = 50;

// Row id → link: a picked row that has left the page stays picked.
const picked = new Map();

export const picking = () => picked.size > 0;

export const toggle = (row) => {
  const link = linkOf(row);
  if (!link) return;
  if (!picked.delete(row.id)) picked.set(row.id, link.href);
  draw();
  say(count.textContent);
};

const made = (tag, text, act) => {
  const element = document.createElement(tag);
  element.textContent = text;
  if (tag !== "b") element.className = "button";
  if (act) element.addEventListener("click", act);
  return element;
};

/** In a path an odd character of an id is written as ~ and its bytes in hex. */
const restoreOf = (href) =>
  decodeURIComponent(new URL(href).pathname.split("/").at(-2).replaceAll("~", "%"));

/** What asks for the picked ones, by the clock, as of the moment, in the columns of this page. */
const alone = () => {
  const ids = new Set([...picked.values()].map(restoreOf));
  const query = new URLSearchParams({ ids: [...ids].sort().join(",") });
  const here = new URLSearchParams(location.search);
  for (const name of KEPT) if (here.has(name)) query.set(name, here.get(name));
  if (ids.size > USUAL) query.set("size", MOST);
  return query;
};

const copyAll = () =>
  copy([...picked.values()].join("\n")).then(
    () => say(`${picked.size} links copied`),
    () => say("Not copied"),
  );

const clear = () => {
  picked.clear();
  draw();
  say(count.textContent);
};

const count = made("b", "");
const only = made("a", "Show only these");
const ticket = made("a", "Copy as table");
ticket.dataset.fetch = "";
const bar = document.createElement("aside");
bar.className = "wrap picked";
bar.hidden = true;
bar.setAttribute("aria-label", "Selected rows");
bar.append(count, made("button", "Copy links", copyAll), ticket, only, made("button", "Clear", clear));
document.body.append(bar);

const mark = () => {
  for (const row of document.querySelectorAll("main tr[id]")) {
    row.toggleAttribute("data-picked", picked.has(row.id));
  }
};

/** The links of the bar are as of the page's own moment, which moves on while it is live. */
const draw = () => {
  mark();
  bar.hidden = !picked.size;
  count.textContent = `${picked.size} selected`;
  only.hidden = ticket.hidden = picked.size > MOST;
  if (!picked.size) return;
  only.href = `${location.pathname}?${alone()}`;
  ticket.href = `${location.pathname.replace(/\/$/, "")}.md?${alone()}`;
};

document.addEventListener("reread", draw);
document.addEventListener("click", (event) => {
  const cell = event.target.closest("main tr[id] td.t");
  if (!cell || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
  event.preventDefault();
  getSelection().removeAllRanges();
  toggle(cell.parentElement);
});
