// Offers the reader's own time zone next to the others; only the browser knows it.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const offer = () => {
  const link = document.querySelector("a[data-my-zone]");
  if (!link || !zone) return;
  const url = new URL(link.href);
  url.searchParams.set("tz", zone);
  link.href = url.pathname + url.search;
  link.title = zone;
  link.hidden = false;
  if (inAnotherZone()) offerNextToRange(link.href);
};

/** Whether the URL names a time zone whose clock shows another time than the reader's. */
const inAnotherZone = () => {
  const timeZone = new URL(location.href).searchParams.get("tz");
  if (!timeZone) return false;
  const now = new Date();
  return now.toLocaleString("en", { timeZone }) !== now.toLocaleString("en");
};

/** Whoever is sent times in another zone is one click from their own. */
const offerNextToRange = (href) => {
  const range = document.querySelector("main .exact");
  if (!range || range.querySelector("a")) return;
  const link = document.createElement("a");
  Object.assign(link, { href, textContent: "Show in my time zone" });
  range.append(" · ", link);
};

document.addEventListener("refreshed", offer);
offer();
