// Loads the values of the filters and their counts when the panel is opened, not before: they are
// the costly part of it. Without script a link in the panel leads to the same form.
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
  }
  announce("Values with counts have been loaded");
};

// A toggle does not bubble, and the panel may be another one after a refresh.
document.addEventListener(
  "toggle",
  (event) => {
    // If they can't be loaded, the link still leads to them.
    if (event.target.matches("details.filter[open]")) fill(event.target).catch(() => {});
  },
  true,
);
