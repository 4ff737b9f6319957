// Keeps the moment in every link of a live page: the page shows what is now, and whatever is copied
// from it, address bar included, shows later what it shows now. A page of the past stays as it is.

const main = document.querySelector("main[data-anchored]");

const ASOF = /([?&]asof=)[^&#\s]*/;

/** Write the moment into the address bar, the links and the texts that are copied. */
const anchor = (moment) => {
  const moved = (text) => text.replace(ASOF, `$1${moment}`);
  history.replaceState({ live: true }, "", moved(main.dataset.anchored) + location.hash);
  for (const link of main.querySelectorAll("a[href*='asof=']")) {
    const [old, fresh] = [link.getAttribute("href"), moved(link.getAttribute("href"))];
    if (old !== fresh) link.setAttribute("href", fresh);
  }
  for (const text of main.querySelectorAll("[data-moved]")) text.textContent = moved(text.textContent);
};

/** The second after the one in which the answer was sent: what it shows was known by then. */
const seconds = (date) => `${new Date(Date.parse(date) + 1000).toISOString().slice(0, 19)}Z`;

if (main?.dataset.live) {
  anchor(new URLSearchParams(main.dataset.anchored.split("?")[1]).get("asof"));
  document.addEventListener("reread", (event) => {
    const date = event.detail.headers.get("Date");
    if (date) anchor(seconds(date));
  });
} else if (main && history.state?.live) {
  // It was live in this window: read again, or come back to, it is so still.
  const way = document.querySelector("a[data-golive]");
  if (way) location.replace(way.href);
}
