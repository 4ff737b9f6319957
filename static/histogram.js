// Loads the histogram after the list, and again now and then while the page is live. The Display
// menu switches it off by a cookie. Dragging from one bar to another chooses their time range.

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

const barOf = ({ target }) => target.closest("[data-histogram] .bars a");

document.addEventListener("pointerdown", (event) => {
  from = event.pointerType === "mouse" && barOf(event);
});
document.addEventListener("dragstart", (event) => from && event.preventDefault());
document.addEventListener("pointerover", (event) => {
  const bar = from && barOf(event);
  if (!bar) return;
  const bars = [...bar.parentElement.querySelectorAll("a")];
  const [first, last] = [bars.indexOf(from), bars.indexOf(bar)].sort((a, b) => a - b);
  bars.forEach((one, at) => one.classList.toggle("dragged", first <= at && at <= last));
});
document.addEventListener("pointerup", () => {
  const [first, ...others] = document.querySelectorAll(".bars .dragged");
  from = null;
  for (const one of [first, ...others]) one?.classList.remove("dragged");
  if (!others.length) return;
  const [begin, end] = [first, others.at(-1)].map((bar) => bar.getAttribute("href"));
  location.assign(begin.replace(/&to=[^&]*/, /&to=[^&]*/.exec(end) ?? ""));
});
document.addEventListener("refreshing", () => (outdated = true));
document.addEventListener("refreshed", draw);
draw();
