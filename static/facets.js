// Brings the values of the filter and their counts when its panel is opened, and not before:
// they are the costly part of it. Without script a link in the panel leads to the same form.
import { say } from "./clipboard.js";

const fill = async (panel) => {
  const link = panel.querySelector("a[data-facets]");
  if (!link) return;
  const answer = await fetch(link.href, { credentials: "same-origin", cache: "no-store" });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const slot of panel.querySelectorAll("[data-slot]")) {
    const fresh = page.querySelector(`main [data-slot="${slot.dataset.slot}"]`);
    if (fresh) slot.replaceChildren(...fresh.childNodes);
  }
  say("Values and their counts are there to choose from");
};

// A toggle does not bubble, and the panel may be another one after the page was read again.
document.addEventListener(
  "toggle",
  (event) => {
    // What could not be brought is still a link away.
    if (event.target.matches("details.filter[open]")) fill(event.target).catch(() => {});
  },
  true,
);
