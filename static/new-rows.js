// Shows what a refresh brings. New rows wait behind a button while somebody reads further down or
// works with a row; restores in progress always update; rows that changed flash once.
import { selecting } from "./selection.js";

const rowsOf = (main) => [...main.querySelectorAll("table.fixed tbody tr[id]")];
const contentOf = (row) =>
  [...row.querySelectorAll(".state, .mono, small, strong")].map((one) => one.textContent).join("|");

const line = document.createElement("p");
line.className = "new-rows";
line.setAttribute("role", "status");
const button = document.createElement("button");
button.className = "button main";
document.body.append(line);

let waiting = 0;
let released = false;
let changed = [];

const offer = (count) => {
  if (count === waiting) return;
  waiting = count;
  button.textContent = `Show ${count} new ${count === 1 ? "restore" : "restores"}`;
  line.replaceChildren(...(count ? [button] : []));
};

const onFirstPage = () => {
  const query = new URL(location.href).searchParams;
  return !["sort", "page", "after", "before"].some((name) => query.has(name));
};

const reading = (main) => {
  const table = main.querySelector("table.fixed");
  if (!table) return false;
  const above = Math.max(0, document.querySelector(".top").getBoundingClientRect().bottom);
  const scrolled = table.getBoundingClientRect().top < above - 1;
  return scrolled || table.contains(document.activeElement) || selecting();
};

/** Take the new rows out of a fresh page; those that they push off its end stay for now. */
const hold = (main, fresh) => {
  const known = new Set(rowsOf(main).map((row) => row.id));
  const all = rowsOf(fresh);
  const last = all.findLastIndex((row) => known.has(row.id));
  const held = all
    .slice(0, Math.max(0, last))
    .filter((row) => !known.has(row.id) && !row.closest(".pinned"));
  if (held.length) keepEnd(main, fresh, held.length);
  for (const row of held) {
    const body = row.parentElement;
    row.remove();
    if (!body.querySelector("tr[id]")) body.remove();
  }
  return held.length;
};

const keepEnd = (main, fresh, most) => {
  const stays = new Set(rowsOf(fresh).map((row) => row.id));
  const old = rowsOf(main);
  const end = old.slice(old.findLastIndex((row) => stays.has(row.id)) + 1);
  for (const row of end.slice(0, most)) bodyFor(row, fresh).append(row.cloneNode(true));
};

const headingOf = (body) => body.querySelector(".day")?.textContent;

const bodyFor = (row, fresh) => {
  const table = fresh.querySelector("table.fixed");
  const last = table.tBodies[table.tBodies.length - 1];
  if (headingOf(last) === headingOf(row.parentElement)) return last;
  const body = row.parentElement.cloneNode(false);
  const day = row.parentElement.querySelector(".day");
  if (day) body.append(day.cloneNode(true));
  table.append(body);
  return body;
};

document.addEventListener("refreshing", ({ detail: { main, fresh } }) => {
  const holding = !released && onFirstPage() && reading(main);
  offer(holding ? hold(main, fresh) : 0);
  const before = new Map(rowsOf(main).map((row) => [row.id, contentOf(row)]));
  changed = rowsOf(fresh)
    .filter((row) => before.get(row.id) !== contentOf(row))
    .map((row) => row.id);
});

document.addEventListener("refreshed", () => {
  for (const id of changed) document.getElementById(id)?.toggleAttribute("data-flash", true);
  changed = [];
  const main = document.querySelector("main");
  // Back at the top: the next refresh may show them, even if nothing has changed again.
  if (waiting && !reading(main)) delete main.dataset.tag;
  if (!released) return;
  released = false;
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
});

button.addEventListener("click", () => {
  released = true;
  delete document.querySelector("main").dataset.tag;
  document.dispatchEvent(new Event("refresh-now"));
});
