// A click anywhere in a row opens what the row is about, unless it is on something else to press or
// selects text.
import { linkOf } from "./current-row.js";

const linkAt = ({ target }) =>
  !target.closest("a, button, input, label, select, summary, .pick") &&
  getSelection().isCollapsed &&
  linkOf(target.closest("main tbody tr"));

document.addEventListener("click", (event) => {
  const link = linkAt(event);
  if (link && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) link.click();
});

document.addEventListener("auxclick", (event) => {
  const link = event.button === 1 && linkAt(event);
  if (link) window.open(link.href);
});
