// A button with data-copy="id id …" copies the text of those elements, a line each. A link with
// data-copy-href copies the text that it leads to; if that is HTML, data-copy-plain leads to the
// same as plain text, and both go to the clipboard.
import { announce, copy } from "./clipboard.js";

const textOf = (ids) =>
  ids.split(" ").map((id) => document.getElementById(id)?.textContent.trim()).filter(Boolean).join("\n");

const textAt = async (url) => {
  const response = await fetch(url, { credentials: "same-origin" });
  if (!response.ok) throw new Error(`The server returned an error (${response.status})`);
  return response.text();
};

async function copyRich(html, plain) {
  if (!navigator.clipboard?.write || !window.ClipboardItem) return copy(await textAt(plain));
  // Promises, not texts: some browsers forget the click while we wait for a response.
  const blob = (url, type) => textAt(url).then((text) => new Blob([text], { type }));
  const formats = { "text/html": blob(html, "text/html"), "text/plain": blob(plain, "text/plain") };
  return navigator.clipboard.write([new ClipboardItem(formats)]);
}

const copyFrom = (element) => {
  if (element.dataset.copy) return copy(textOf(element.dataset.copy));
  if (element.dataset.copyPlain) return copyRich(element.href, element.dataset.copyPlain);
  return textAt(element.href).then(copy);
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-href]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (button.dataset.busy) return;
  const label = button.textContent;
  button.dataset.busy = "1";
  try {
    await copyFrom(button);
    button.textContent = "Copied to clipboard";
  } catch {
    button.textContent = button.dataset.copy
      ? "Couldn’t copy – select the text and press Ctrl+C"
      : "Couldn’t copy – open the link and copy the text";
  }
  announce(button.textContent);
  setTimeout(() => {
    button.textContent = label;
    delete button.dataset.busy;
    button.closest("details.menu")?.removeAttribute("open");
  }, 1500);
});
