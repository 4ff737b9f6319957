// Offers the reader's own time zone beside the others; only the browser knows it.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const offer = () => {
  const link = document.querySelector("a[data-mine]");
  if (!link || !zone) return;
  const url = new URL(link.href);
  url.searchParams.set("tz", zone);
  link.href = url.pathname + url.search;
  link.title = zone;
  link.hidden = false;
  if (byAnotherClock()) addLink(link.href);
};

/** Whether the address names a zone whose clock shows another time than the reader's. */
const byAnotherClock = () => {
  const timeZone = new URL(location.href).searchParams.get("tz");
  if (!timeZone) return false;
  const now = new Date();
  return now.toLocaleString("en", { timeZone }) !== now.toLocaleString("en");
};

/** Who is sent times by another clock is one click from his own. */
const addLink = (href) => {
  const line = document.querySelector("main .exact");
  if (!line || line.querySelector("a")) return;
  const way = document.createElement("a");
  Object.assign(way, { href, textContent: "switch to my clock" });
  line.append(" · ", way);
};

document.addEventListener("reread", offer);
offer();
