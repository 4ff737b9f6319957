// A button with data-copy="id id …" copies the text of those elements, a line each. A link with
// data-fetch copies the text that it leads to; with data-plain, which leads to the same in plain
// text, it is HTML and both go to the clipboard.
import { copy, say } from "./clipboard.js";

const textOf = (ids) =>
  ids.split(" ").map((id) => document.getElementById(id)?.textContent.trim()).filter(Boolean).join("\n");

const textAt = async (url) => {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.text();
};

async function copyRich(html, plain) {
  if (!navigator.clipboard?.write || !window.ClipboardItem) return copy(await textAt(plain));
  // Promises, not texts: some browsers forget the click while we wait for an answer.
  const blob = (url, type) => textAt(url).then((text) => new Blob([text], { type }));
  const flavours = { "text/html": blob(html, "text/html"), "text/plain": blob(plain, "text/plain") };
  return navigator.clipboard.write([new ClipboardItem(flavours)]);
}

const taken = (element) => {
  if (element.dataset.copy) return copy(textOf(element.dataset.copy));
  if (element.dataset.plain) return copyRich(element.href, element.dataset.plain);
  return textAt(element.href).then(copy);
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-fetch]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (button.dataset.busy) return;
  const label = button.textContent;
  button.dataset.busy = "1";
  try {
    await taken(button);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not copied";
  }
  say(button.textContent);
  setTimeout(() => {
    button.textContent = label;
    delete button.dataset.busy;
    button.closest("details.menu")?.removeAttribute("open");
  }, 1500);
});
