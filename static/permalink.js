// Keeps links permanent: a live page shows the present, but whatever is copied from it, the address
// bar included, shows later what the page shows now. A snapshot stays as it is.

const main = document.querySelector("main[data-permalink]");

const ASOF = /([?&]asof=)[^&#\s]*/;

/** Write the time of the data into the address bar and every link that carries one. */
const update = (asof) => {
  const updated = (url) => url.replace(ASOF, `$1${asof}`);
  history.replaceState({ live: true }, "", updated(main.dataset.permalink) + location.hash);
  for (const link of main.querySelectorAll("a[href*='asof=']")) {
    const [old, fresh] = [link.getAttribute("href"), updated(link.getAttribute("href"))];
    if (old !== fresh) link.setAttribute("href", fresh);
  }
};

/** The second after the response was sent: what it shows was known by then. */
const nextSecond = (date) => `${new Date(Date.parse(date) + 1000).toISOString().slice(0, 19)}Z`;

if (main?.dataset.live) {
  update(new URLSearchParams(main.dataset.permalink.split("?")[1]).get("asof"));
  document.addEventListener("refreshed", (event) => {
    const date = event.detail.headers.get("Date");
    if (date) update(nextSecond(date));
  });
} else if (main && history.state?.live) {
  // It was live in this tab: after a reload, or Back, it still is.
  const link = document.querySelector("a[data-go-live]");
  if (link) location.replace(link.href);
}

// A printed link needs its host.
if (main) addEventListener("beforeprint", () => (main.dataset.permalink = location.href));
