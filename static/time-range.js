// The panel of the time range: a calendar, the range in words before it is applied, recent ranges.
import { recall, store } from "./storage.js";

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const RECENT = 3;

const panel = () => document.querySelector(".time-range .panel");
const field = (name) => panel().querySelector(`form.fields [name="${name}"]`);

// Days are handled as 2026-11-30; the hours are of no zone.
const iso = (date) => date.toISOString().slice(0, 10);
const shifted = (day, count) => iso(new Date(Date.parse(day) + count * 86400000));
const firstOf = (day, months = 0) =>
  iso(new Date(Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)) - 1 + months, 1)));
const written = (day) =>
  `${Number(day.slice(8))} ${MONTHS[day.slice(5, 7) - 1]} ${day.slice(0, 4)}`;

const element = (name, options = {}, ...children) => {
  const made = Object.assign(document.createElement(name), options);
  made.append(...children);
  return made;
};

/** Draw the month of a day; ``focused`` is the label of a button. */
const draw = (calendar, day, focused = "") => {
  const { days, today } = calendar.dataset;
  const [first, last] = days.split(" ");
  const month = firstOf(day);
  const monday = shifted(month, -((new Date(month).getUTCDay() + 6) % 7));
  const button = (label, text, data) => {
    const made = element("button", { type: "button", ariaLabel: label }, text);
    Object.assign(made.dataset, data);
    return made;
  };
  const dayButton = (_, number) => {
    const one = shifted(monday, number);
    const made = button(written(one), String(Number(one.slice(8))), { day: one });
    made.tabIndex = one === day ? 0 : -1;
    made.ariaPressed = String(Boolean(first) && one >= first && one <= last);
    if (one === today) made.ariaCurrent = "date";
    made.classList.toggle("off", firstOf(one) !== month);
    return made;
  };
  const title = new Date(month).toLocaleString("en", { month: "long", year: "numeric", timeZone: "UTC" });
  calendar.replaceChildren(
    element("header", {},
      button("Previous month", "‹", { month: firstOf(month, -1) }),
      element("b", { ariaLive: "polite" }, title),
      button("Next month", "›", { month: firstOf(month, 1) }),
    ),
    ...["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"].map((text) => element("span", { ariaHidden: "true" }, text)),
    ...Array.from({ length: 42 }, dayButton),
  );
  if (focused) calendar.querySelector(`[aria-label="${focused}"]`).focus();
};

/** The first click chooses a day, the second one that is not before it the end of the range. */
const choose = (calendar, day) => {
  const [first, last] = calendar.dataset.days.split(" ");
  const ends = first && first === last && calendar.dataset.begun && day >= first;
  calendar.dataset.begun = ends ? "" : "yes";
  calendar.dataset.days = ends ? `${first} ${day}` : `${day} ${day}`;
  if (!ends) field("from").value = written(day);
  field("to").value = written(day);
  draw(calendar, day, written(day));
  describe();
};

/** Say what is filled in, as the server reads it: its words and days, or what is wrong. */
const describe = async () => {
  const form = field("from").form;
  const query = new URLSearchParams();
  const around = field("around").value.trim();
  for (const name of around ? ["around", "win", "tz"] : ["from", "to", "tz"]) {
    const value = new FormData(form).get(name)?.trim();
    if (value) query.set(name, value);
  }
  const response = await fetch(new URL(`../time-range.json?${query}`, import.meta.url));
  if (!response.ok) return;
  const { words, days, wrong } = await response.json();
  const line = form.querySelector("[data-words]");
  line.textContent = words ?? wrong;
  line.classList.toggle("wrong", Boolean(wrong));
  const calendar = panel().querySelector(".calendar");
  if (!days || calendar.contains(document.activeElement)) return;
  calendar.dataset.days = days.join(" ");
  draw(calendar, days[0] || days[1] || calendar.dataset.today);
};

/** Remember a range that isn’t a quick one, and offer the last ones. */
const showRecent = (nav) => {
  let ranges = [];
  try {
    ranges = JSON.parse(recall("localStorage", "time-ranges")) ?? [];
  } catch {
    // Somebody else's entry is none of ours.
  }
  const address = new URL(location.href);
  const here = new URLSearchParams();
  for (const name of ["on", "from", "to", "tz"]) {
    if (address.searchParams.get(name)) here.set(name, address.searchParams.get(name));
  }
  const others = ranges.filter(({ query }) => query !== String(here)).slice(0, RECENT);
  if (nav.dataset.recent) {
    const kept = [{ label: nav.dataset.recent, query: String(here) }, ...others].slice(0, RECENT);
    store("localStorage", "time-ranges", JSON.stringify(kept));
  }
  if (!others.length || nav.querySelector("[data-recents]")) return;
  const links = others.map(({ label, query }) => {
    const url = new URL(address);
    for (const name of ["on", "from", "to", "tz", "page", "after", "before", "asof"]) {
      url.searchParams.delete(name);
    }
    for (const [name, value] of new URLSearchParams(query)) url.searchParams.set(name, value);
    return element("a", { className: "item", href: url.pathname + url.search }, label);
  });
  const group = element("div", {}, element("h3", {}, "Recent"), ...links);
  group.dataset.recents = "";
  nav.append(group);
};

let typing = 0;

document.addEventListener("input", ({ target }) => {
  if (!target.closest(".when form.fields") || target.name === "on") return;
  clearTimeout(typing);
  typing = setTimeout(describe, 250);
});

document.addEventListener("click", (event) => {
  const calendar = event.target.closest(".calendar");
  const { day, month } = event.target.dataset;
  if (calendar && day) choose(calendar, day);
  if (calendar && month) draw(calendar, month, event.target.ariaLabel);
  if (event.target.closest("[data-cancel]")) {
    event.target.form.reset();
    describe();
    event.target.closest("details").open = false;
  }
  const zone = event.target.closest("[data-picks] .item");
  if (!zone) return;
  // Chosen for what is being typed; only Apply leads anywhere.
  event.preventDefault();
  for (const other of zone.parentElement.children) other.removeAttribute("aria-current");
  zone.setAttribute("aria-current", "true");
  field("tz").value = zone.dataset.value ?? zone.value;
  describe();
});

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

document.addEventListener("keydown", (event) => {
  const calendar = event.target.closest(".calendar");
  if (!calendar || !event.target.dataset.day || !STEPS[event.key]) return;
  event.preventDefault();
  const day = shifted(event.target.dataset.day, STEPS[event.key]);
  draw(calendar, day, written(day));
});

const start = () => {
  const calendar = panel()?.querySelector(".calendar");
  if (!calendar || calendar.querySelector("header")) return;
  const [first, last] = calendar.dataset.days.split(" ");
  draw(calendar, last || first || calendar.dataset.today);
  showRecent(panel().querySelector(".presets"));
};

document.addEventListener("refreshed", start);
start();
