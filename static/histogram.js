// Loads the histogram above the list after the list itself, and again now and then while the page
// is live. The Display menu switches it off for this browser: the server reads that cookie.
// Dragging with the mouse from one bar to another chooses their time range.

const EVERY = 60_000;
const YEAR = 365 * 24 * 3600;

let loadedAt = 0;
let outdated = true;

const load = async () => {
  const place = document.querySelector("[data-histogram]");
  if (!place || place.querySelector("[open]")) return;
  const recent = performance.now() - loadedAt < EVERY;
  if (place.querySelector(".drawn") && (recent || !outdated)) return;
  loadedAt = performance.now();
  outdated = false;
  const response = await fetch(place.dataset.histogram, { credentials: "same-origin" });
  if (!response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const drawn = page.querySelector("main .drawn");
  if (drawn) place.replaceChildren(drawn);
};

// If it can't be loaded, the link still leads to it.
const draw = () => {
  const label = document.querySelector("[data-histogram-switch]");
  if (label) label.hidden = false;
  load().catch(() => {});
};

document.addEventListener("change", ({ target }) => {
  if (!target.closest("[data-histogram-switch]")) return;
  document.cookie = `histogram=off;path=/;samesite=lax;max-age=${target.checked ? 0 : YEAR}`;
  delete document.querySelector("main").dataset.tag;
  document.dispatchEvent(new Event("refresh-now"));
});
let from = null;

const barOf = ({ target }) => target.closest?.("[data-histogram] .bars a");

/** The bars between that where the mouse was pressed and another one, both included. */
const barsTo = (bar) => {
  const bars = [...bar.parentElement.querySelectorAll("a")];
  const ends = [bars.indexOf(from), bars.indexOf(bar)].sort((a, b) => a - b);
  return bars.slice(ends[0], ends[1] + 1);
};

document.addEventListener("pointerdown", (event) => {
  from = event.pointerType === "mouse" && event.button === 0 ? barOf(event) : null;
});
document.addEventListener("dragstart", (event) => from && event.preventDefault());
document.addEventListener("pointerover", (event) => {
  const bar = from && barOf(event);
  if (!bar) return;
  const dragged = barsTo(bar);
  for (const one of bar.parentElement.querySelectorAll("a")) {
    one.classList.toggle("dragged", dragged.includes(one));
  }
});
document.addEventListener("pointerup", (event) => {
  const bar = from && barOf(event);
  const dragged = bar ? barsTo(bar) : [];
  from = null;
  for (const one of document.querySelectorAll(".bars .dragged")) one.classList.remove("dragged");
  if (dragged.length < 2) return;
  const [first, last] = [dragged[0], dragged.at(-1)].map(
    (one) => new URL(one.getAttribute("href"), location.href),
  );
  first.searchParams.set("to", last.searchParams.get("to"));
  location.assign(first);
});
document.addEventListener("refreshing", () => (outdated = true));
document.addEventListener("refreshed", draw);
draw();
