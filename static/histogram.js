// Loads the histogram above the list after the list itself, and again now and then while the page
// is live. The Display menu switches it off for this browser: the server reads that cookie.

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
document.addEventListener("refreshing", () => (outdated = true));
document.addEventListener("refreshed", draw);
draw();
