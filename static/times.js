// Updates what only the clock changes: the age of a time, how long a restore has run, and the times
// that the response headers of an unchanged page bring.

import { clockIn } from "./time-zone.js";

const skew = { milliseconds: 0 };

const now = () => Date.now() + skew.milliseconds;

/** A duration as the largest unit that fits: as the server prints it. */
const inOneUnit = (milliseconds) => {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return hours < 72 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
};

const ago = (milliseconds) => `${inOneUnit(milliseconds)} ago`;

const clock = (milliseconds) => {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const [hours, minutes, rest] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  if (hours >= 100) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** A tooltip gives a time in UTC, in the reader's own time zone, and how long ago it was. */
const addTooltip = (event) => {
  const time = event.target.closest?.("time[datetime]");
  const at = time ? new Date(time.dateTime) : null;
  if (!at || Number.isNaN(at.valueOf())) return;
  const utc = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const mine = at.toLocaleString([], { timeZoneName: "short" });
  time.title = [utc, mine, at <= now() ? ago(now() - at) : ""].filter(Boolean).join(" · ");
};

const draw = () => {
  for (const time of document.querySelectorAll("time[data-age]")) {
    time.dataset.ago = ago(now() - Date.parse(time.dateTime));
  }
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const left = Date.parse(time.dateTime) - now();
    if (time.dataset.relative === "ago") write(time, ago(-left));
    else write(time, left < 1000 ? "now" : `in ${inOneUnit(left)}`);
  }
  for (const age of document.querySelectorAll("[data-ago-of]")) {
    write(age, ago(now() - Date.parse(age.parentElement.querySelector("time").dateTime)));
  }
  for (const time of document.querySelectorAll("time[data-since]")) {
    write(time, clock(now() - Date.parse(time.dateTime)));
  }
};

/** Print the times of the headers as the server would. */
const updateTimes = (headers) => {
  const date = headers.get("Date");
  if (date) skew.milliseconds = Date.parse(date) - Date.now();
  for (const time of document.querySelectorAll("time[data-header]")) {
    const instant = headers.get(time.dataset.header);
    if (!instant || instant === time.dateTime) continue;
    if (time.dataset.relative) {
      time.dateTime = instant;
      continue;
    }
    const { zone } = document.documentElement.dataset;
    const local = clockIn(zone, instant);
    if (!local || local.slice(0, 10) !== clockIn(zone, now()).slice(0, 10)) continue;
    time.dateTime = instant;
    write(time, local.slice(11, 11 + time.textContent.trim().split(" ").at(-1).length));
  }
};

document.addEventListener("refreshed", (event) => {
  updateTimes(event.detail.headers);
  draw();
});
document.addEventListener("pointerover", addTooltip);
setInterval(() => document.hidden || draw(), 1000);
draw();
