// The time zone of the page, the reader's own among those of the header, and suggestions of others.

const page = document.documentElement.dataset;

/** Browsers call UTC+5:30 +05:30. */
const browserName = (zone) =>
  zone.replace(/^UTC([+-])(\d+):?(\d*)$/, (_, sign, hours, minutes) =>
    `${sign}${hours.padStart(2, "0")}:${minutes || "00"}`);

/** What the clock of a zone shows, as 2026-11-30 09:12:33; null for a zone that can't be read. */
export const clockIn = (zone, at) => {
  try {
    return new Date(at).toLocaleString("sv", { timeZone: browserName(zone) });
  } catch {
    return null;
  }
};

/** The time of day on the page's clock, with the zone. */
export const timeOfDay = (at) => {
  const local = page.zone && clockIn(page.zone, at);
  return local ? `${local.slice(11)} ${page.zoneName}` : `${at.toISOString().slice(11, 19)} UTC`;
};

const item = ({ value, city, offset, clock }) => {
  const button = document.createElement("button");
  Object.assign(button, { className: "item", name: "zone", value, formNoValidate: true });
  const hint = document.createElement("small");
  hint.textContent = [offset, clock].filter(Boolean).join(" · ");
  button.append(city, " ", hint);
  return button;
};

const usual = new WeakMap();

/** Show the zones that a text may mean in place of the usual ones. */
const suggest = async (field) => {
  const list = document.getElementById(field.dataset.suggest);
  const text = field.value.trim();
  if (!usual.has(list)) usual.set(list, [...list.children]);
  if (!text) return list.replaceChildren(...usual.get(list));
  const response = await fetch(new URL(`../time-zones.json?q=${encodeURIComponent(text)}`, import.meta.url));
  if (!response.ok || field.value.trim() !== text) return;
  const { time_zones: zones } = await response.json();
  list.replaceChildren(...zones.map(item));
};

document.addEventListener("input", ({ target }) => {
  if (target.dataset.suggest) suggest(target);
});

// Only the browser knows the reader's own zone.
const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
const clock = mine && clockIn(mine, Date.now());
for (const button of clock ? document.querySelectorAll("[data-my-zone]") : []) {
  button.value = mine;
  button.querySelector("small").textContent = `${mine} · ${clock.slice(11, 16)}`;
  button.hidden = false;
}
