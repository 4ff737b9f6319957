// Loads the values of the filters and their counts, which cost most, when the panel is opened.
// Without script a link in the panel leads to the same form.
import { announce } from "./clipboard.js";

const fill = async (panel) => {
  const link = panel.querySelector("a[data-facets]");
  if (!link) return;
  const response = await fetch(link.href, { credentials: "same-origin", cache: "no-store" });
  if (!response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const place of panel.querySelectorAll("[data-facet]")) {
    const fresh = page.querySelector(`main [data-facet="${place.dataset.facet}"]`);
    if (fresh) place.replaceChildren(...fresh.childNodes);
    // The list below the field is all there is to suggest.
    place.closest(".values")?.querySelector("input[list]")?.removeAttribute("list");
  }
  // Somebody may have typed before the values came.
  [...panel.querySelectorAll(".values input")].filter(isTypeAhead).forEach(narrow);
  announce("Values with counts have been loaded");
};

const labelsNextTo = (field) => [...field.closest(".values").querySelectorAll(".facet label")];

/** Show the values that contain what is typed. */
const narrow = (field) => {
  const typed = field.value.trim().toLowerCase();
  for (const label of labelsNextTo(field)) label.hidden = !label.textContent.toLowerCase().includes(typed);
};

const isTypeAhead = (field) => field.matches('.values input:not([type="checkbox"], [type="radio"])');

document.addEventListener("input", ({ target }) => isTypeAhead(target) && narrow(target));

const clear = (field) => {
  field.value = "";
  narrow(field);
};

// What was typed has found its value; as a value of its own it would find nothing.
document.addEventListener("change", ({ target: box }) => {
  const values = box.closest(".facet")?.closest(".values");
  if (values && box.checked) [...values.querySelectorAll("input")].filter(isTypeAhead).forEach(clear);
});

// Enter takes the first value that contains what is typed; with nothing typed it applies the filters.
document.addEventListener("keydown", (event) => {
  const { target: field, key } = event;
  if (key !== "Enter" || event.isComposing || !isTypeAhead(field) || !field.value.trim()) return;
  const label = labelsNextTo(field).find((one) => !one.hidden);
  if (!label) return;
  event.preventDefault();
  label.querySelector("input").checked = true;
  clear(field);
});

// A toggle does not bubble, and the panel may be another one after a refresh.
document.addEventListener(
  "toggle",
  (event) => {
    // If they can't be loaded, the link still leads to them.
    if (event.target.matches("details.filter[open]")) fill(event.target).catch(() => {});
  },
  true,
);
