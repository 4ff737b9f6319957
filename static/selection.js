// Rows selected with x, or by a click on their time with Ctrl or Shift held: their links and
// a table of them to copy, and a list of them alone.
import { announce, copy } from "./clipboard.js";
import { linkOf } from "./current-row.js";

const KEPT = ["tz", "asof", "cols"];
const MAX_IDS = 100;
const PAGE_SIZE = 50;

// Row id → link: a selected row that has left the page stays selected.
const selected = new Map();

export const selecting = () => selected.size > 0;

export const toggle = (row) => {
  const link = linkOf(row);
  if (!link) return;
  if (!selected.delete(row.id)) selected.set(row.id, link.href);
  draw();
  announce(count.textContent);
};

const create = (tag, text, act) => {
  const element = document.createElement(tag);
  element.textContent = text;
  if (tag !== "b") element.className = "button";
  if (act) element.addEventListener("click", act);
  return element;
};

/** In a path a special character of an ID is written as ~ and its bytes in hex. */
const restoreId = (href) =>
  decodeURIComponent(new URL(href).pathname.split("/").at(-2).replaceAll("~", "%"));

/** The query of the selected restores, in the time zone, as of the time and with the columns here. */
const queryOfSelected = () => {
  const ids = new Set([...selected.values()].map(restoreId));
  const query = new URLSearchParams({ ids: [...ids].sort().join(",") });
  const here = new URLSearchParams(location.search);
  for (const name of KEPT) if (here.has(name)) query.set(name, here.get(name));
  if (ids.size > PAGE_SIZE) query.set("size", MAX_IDS);
  return query;
};

const copyLinks = () =>
  copy([...selected.values()].join("\n")).then(
    () => announce(`Copied ${selected.size} ${selected.size === 1 ? "link" : "links"}`),
    () => announce("Couldn’t copy the links"),
  );

const clear = () => {
  selected.clear();
  draw();
  announce(count.textContent);
};

const count = create("b", "");
const only = create("a", "Show selected only");
const ticket = create("a", "Copy as table");
ticket.dataset.copyHref = "";
const bar = document.createElement("aside");
bar.className = "wrap selection";
bar.hidden = true;
bar.setAttribute("aria-label", "Selected rows");
bar.append(
  count,
  create("button", "Copy links", copyLinks),
  ticket,
  only,
  create("button", "Clear selection", clear),
);
document.body.append(bar);

const mark = () => {
  for (const row of document.querySelectorAll("main tr[id]")) {
    row.toggleAttribute("data-selected", selected.has(row.id));
  }
};

/** The links of the bar are as of the time of the page, which moves on while it is live. */
const draw = () => {
  mark();
  bar.hidden = !selected.size;
  count.textContent = `${selected.size} selected`;
  only.hidden = ticket.hidden = selected.size > MAX_IDS;
  if (!selected.size) return;
  only.href = `${location.pathname}?${queryOfSelected()}`;
  ticket.href = `${location.pathname.replace(/\/$/, "")}.md?${queryOfSelected()}`;
};

document.addEventListener("refreshed", draw);
document.addEventListener("click", (event) => {
  const cell = event.target.closest("main tr[id] td.t");
  if (!cell || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
  event.preventDefault();
  getSelection().removeAllRanges();
  toggle(cell.parentElement);
});
