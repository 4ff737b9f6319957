// What copies to the clipboard: data-copy="id id …" the text of those elements, a line each;
// data-copy-text that text; a link with data-copy-link its address; a link with data-copy-href the
// text that it leads to. If that is HTML, data-copy-plain leads to the same as plain text, and both
// go to the clipboard.
import { copy, toast } from "./clipboard.js";
import { recall, store } from "./storage.js";

const textOf = (ids) =>
  ids.split(" ").map((id) => document.getElementById(id)?.textContent.trim()).filter(Boolean).join("\n");

const textAt = async (url) => {
  const response = await fetch(url, { credentials: "same-origin" });
  const text = await response.text();
  // Refused for a reason that the reader can do something about: "format: customer: …".
  if (response.status === 400) throw new Error(text.split(": ").at(-1).trim());
  if (!response.ok) throw new Error("open the link and copy the text");
  return text;
};

async function copyRich(html, plain) {
  if (!navigator.clipboard?.write || !window.ClipboardItem) return copy(await textAt(plain));
  // Promises, not texts: some browsers forget the click while we wait for a response.
  const blob = (url, type) => textAt(url).then((text) => new Blob([text], { type }));
  const formats = { "text/html": blob(html, "text/html"), "text/plain": blob(plain, "text/plain") };
  return navigator.clipboard.write([new ClipboardItem(formats)]);
}

const copyFrom = (element) => {
  const { dataset, href } = element;
  if ("copy" in dataset) return copy(textOf(dataset.copy));
  if ("copyText" in dataset) return copy(dataset.copyText);
  if ("copyLink" in dataset) return copy(href);
  if (dataset.copyPlain) return copyRich(href, dataset.copyPlain);
  return textAt(href).then(copy);
};

const failure = (element, error) => {
  if (element.href) return `Couldn’t copy – ${error.message}`;
  return "Couldn’t copy – select the text and press Ctrl+C";
};

document.addEventListener("click", async (event) => {
  const element = event.target.closest("[data-copy], [data-copy-text], [data-copy-link], [data-copy-href]");
  if (!element || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (element.dataset.format) {
    store("localStorage", "ticket-format", element.dataset.format);
    useLastFormat();
  }
  const menu = element.closest("details.menu");
  try {
    await copyFrom(element);
    toast(element.dataset.copied ?? "Copied to clipboard");
    if (menu) menu.open = false;
  } catch (error) {
    toast(failure(element, error));
  }
});

/** The entry for the ticket copies in the format that this browser copied last. */
const useLastFormat = () => {
  const format = recall("localStorage", "ticket-format");
  for (const entry of document.querySelectorAll("[data-ticket]")) {
    const last = [...entry.closest(".menu").querySelectorAll("[data-format]")].find(
      (link) => link.dataset.format === format,
    );
    if (!last) continue;
    entry.href = last.href;
    entry.dataset.copied = last.dataset.copied;
    if (last.dataset.copyPlain) entry.dataset.copyPlain = last.dataset.copyPlain;
    else delete entry.dataset.copyPlain;
    entry.querySelector("small").textContent = `${last.textContent} · last used`;
  }
};

document.addEventListener("refreshed", useLastFormat);
useLastFormat();
