// The row that the keys act on: marked, in sight, and the same one after the page was re-read
// or after a visit to the restore behind it.
import { keep, recall } from "./memory.js";

const FROM_A_RESTORE = /^\/restores\/[^/]+\/$/;

let id = "";

const rows = () => [...document.querySelectorAll("main tr[id]")];
const mark = () => {
  for (const row of rows()) row.toggleAttribute("data-cursor", row.id === id);
};

export const current = () => rows().find((row) => row.id === id);

export const linkOf = (row) => row?.querySelector("a.go") ?? null;

export const move = (step) => {
  const all = rows();
  const at = all.findIndex((row) => row.id === id);
  const next = at < 0 ? all.find(inSight) : all[at + step];
  if (!next) return;
  linkOf(next)?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  set(next);
};

const inSight = (row) => {
  const above = document.querySelector("main thead")?.getBoundingClientRect().bottom ?? 0;
  return row.getBoundingClientRect().top >= Math.max(0, above);
};

const set = (row) => {
  id = row.id;
  keep("sessionStorage", "cursor", `${id} ${row.getBoundingClientRect().top}`);
  mark();
};

const view = (url) => {
  const address = new URL(url);
  address.searchParams.delete("asof");
  return address.href;
};

/** Whether a plain link led back here, or the same view went live (after a late Back, too). */
const ledBack = () =>
  document.referrer &&
  (FROM_A_RESTORE.test(new URL(document.referrer).pathname) ||
    view(document.referrer) === view(location.href));

/** After Back the browser itself scrolls; after a link the row is put where it stood. */
const comeBack = () => {
  const way = performance.getEntriesByType("navigation")[0]?.type;
  if (way === "navigate" && !ledBack()) return;
  const [row, top] = (recall("sessionStorage", "cursor") ?? "").split(" ");
  id = row;
  mark();
  if (way === "navigate" && current()) {
    window.scrollBy(0, current().getBoundingClientRect().top - Number(top));
  }
};

for (const kind of ["focusin", "click"]) {
  document.addEventListener(kind, (event) => {
    const row = event.target.closest("main tr[id]");
    if (row) set(row);
  });
}
document.addEventListener("reread", mark);
comeBack();
