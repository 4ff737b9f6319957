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

const line = () => {
  const found = document.getElementById("announcement");
  if (found) return found;
  const added = document.createElement("p");
  added.id = "announcement";
  added.setAttribute("role", "status");
  document.body.append(added);
  return added;
};

/** Tell screen readers. */
export function announce(text) {
  line().className = "visually-hidden";
  line().textContent = text;
}

/** Show a message for some seconds. */
export function toast(text) {
  announce(text);
  line().className = "toast";
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (line().className = "visually-hidden"), 4000);
}
