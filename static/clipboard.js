// Puts text on the clipboard, and tells those who do not see the page what became of it.

export async function copy(text) {
  // The clipboard API exists on https and localhost only; an intranet may have neither.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("the browser refused");
}

export function say(text) {
  const line = document.getElementById("said") ?? document.createElement("p");
  line.id = "said";
  line.className = "unseen";
  line.setAttribute("role", "status");
  document.body.append(line);
  line.textContent = text;
}
