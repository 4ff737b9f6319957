// Copies text to the clipboard, and announces to screen readers what happened.

export async function copy(text) {
  // The clipboard API exists on https and localhost only; an intranet may have neither.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("The browser blocked clipboard access");
}

export function announce(text) {
  const line = document.getElementById("announcement") ?? document.createElement("p");
  line.id = "announcement";
  line.className = "visually-hidden";
  line.setAttribute("role", "status");
  document.body.append(line);
  line.textContent = text;
}
