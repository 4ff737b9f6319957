// The row that the keys act on, kept after a refresh and after a visit to its page.
import { recall, store } from "./storage.js";

const RESTORE_PAGE = /\/restores\/[^/]+\/$/;

let id = "";

const rows = () => [...document.querySelectorAll("main tr[id]")];
const mark = () => {
  for (const row of rows()) row.toggleAttribute("data-current", row.id === id);
};

export const currentRow = () => rows().find((row) => row.id === id);

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
  store("sessionStorage", "row", `${id} ${row.getBoundingClientRect().top}`);
  mark();
};

const withoutAsof = (url) => {
  const address = new URL(url);
  address.searchParams.delete("asof");
  return address.href;
};

/** Whether a plain link led back here, or the same view went live (after a late Back, too). */
const cameBack = () =>
  document.referrer &&
  (RESTORE_PAGE.test(new URL(document.referrer).pathname) ||
    withoutAsof(document.referrer) === withoutAsof(location.href));

/** After a link the row is put where it was; after Back the browser scrolls. */
const restorePosition = () => {
  const type = performance.getEntriesByType("navigation")[0]?.type;
  if (type === "navigate" && !cameBack()) return;
  const [row, top] = (recall("sessionStorage", "row") ?? "").split(" ");
  id = row;
  mark();
  if (type === "navigate" && currentRow()) {
    window.scrollBy(0, currentRow().getBoundingClientRect().top - Number(top));
  }
};

for (const kind of ["focusin", "click"]) {
  document.addEventListener(kind, (event) => {
    const row = event.target.closest("main tr[id]");
    if (row) set(row);
  });
}
document.addEventListener("refreshed", mark);
restorePosition();
