// Rows selected by their checkbox, with x, or by a click on their time with Ctrl or Shift held, and
// the bar with what can be done with them.
import { announce, copy, toast } from "./clipboard.js";
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

/** Paths have special characters of an ID as ~ and bytes in hex. */
const restoreId = (href) =>
  decodeURIComponent(new URL(href).pathname.split("/").at(-2).replaceAll("~", "%"));

/** The query of the selected restores, as they are shown here. */
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
    () => toast(`Copied ${selected.size} ${selected.size === 1 ? "link" : "links"}`),
    () => toast("Couldn’t copy the links"),
  );

const clear = () => {
  selected.clear();
  draw();
  announce(count.textContent);
};

const count = create("b", "");
const only = create("a", "Show selected only");
const downtime = create("a", "Downtime");
const bar = document.createElement("aside");
bar.className = "wrap selection";
bar.hidden = true;
bar.setAttribute("aria-label", "Selected rows");
bar.append(
  count,
  create("button", "Copy links", copyLinks),
  only,
  downtime,
  create("button", "Clear selection", clear),
);
document.body.append(bar);

/** The menu of the list with the selected restores in its links. */
const copyMenu = () => {
  const menu = document.querySelector("main .menu.copy").cloneNode(true);
  menu.open = false;
  menu.querySelector('[href*="format=handover"]')?.remove();
  for (const link of menu.querySelectorAll("a")) {
    const query = queryOfSelected();
    const format = new URL(link.href).searchParams.get("format");
    if (format) query.set("format", format);
    if (link.dataset.copyLink === "live") query.delete("asof");
    link.href = `${new URL(link.href).pathname}?${query}`;
    query.set("format", "plain");
    if (link.dataset.copyPlain) link.dataset.copyPlain = `${new URL(link.href).pathname}?${query}`;
  }
  const ids = create("button", "Restore IDs");
  ids.className = "item";
  ids.dataset.copyText = [...selected.values()].map(restoreId).join("\n");
  ids.dataset.copied = "Copied the restore IDs";
  menu.querySelector("hr").before(ids);
  return menu;
};

const mark = () => {
  for (const row of document.querySelectorAll("main tr[id]")) {
    row.toggleAttribute("data-selected", selected.has(row.id));
    const box = row.querySelector(".pick input");
    if (box) box.checked = selected.has(row.id);
  }
};

/** The server adds up the downtime: where restores overlap, it counts once. */
const drawDowntime = async () => {
  downtime.hidden = only.hidden || !document.querySelector("col.downtime");
  if (downtime.hidden) return;
  const query = queryOfSelected();
  query.delete("cols");
  query.delete("size");
  const report = new URL(`../reports/downtime/?${query}`, location.href).href;
  if (downtime.href === report) return;
  downtime.href = report;
  downtime.textContent = "Downtime …";
  const response = await fetch(report.replace("/?", ".json?")).catch(() => null);
  const totals = response?.ok && (await response.json()).totals;
  if (!totals || downtime.href !== report) return;
  const { minutes_min: least, minutes_max: most } = totals;
  const range = least === most ? most.toFixed(1) : `${least.toFixed(1)}–${most.toFixed(1)}`;
  downtime.textContent = `Downtime ${range} min`;
};

/** The links of the bar are as of the time of the page, which moves on while it is live. */
const draw = () => {
  mark();
  bar.hidden = !selected.size;
  count.textContent = `${selected.size} selected`;
  only.hidden = selected.size > MAX_IDS;
  if (selected.size) drawDowntime();
  const menu = bar.querySelector(".menu");
  if (menu?.open) return;
  menu?.remove();
  if (!selected.size || only.hidden) return;
  only.href = `${location.pathname}?${queryOfSelected()}`;
  only.before(copyMenu());
};

document.addEventListener("refreshed", draw);
document.addEventListener("change", ({ target }) => {
  if (target.matches("main .pick input")) toggle(target.closest("tr"));
});
document.addEventListener("click", (event) => {
  const cell = event.target.closest("main tr[id] td.t");
  if (!cell || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
  event.preventDefault();
  getSelection().removeAllRanges();
  toggle(cell.parentElement);
});
