// Submits a form of a list to the canonical URL of what is filled in. Without script the browser
// sends every field, and the server redirects.

/** Encode like Python's urlencode(safe=":/,"). */
const encode = (text) =>
  encodeURIComponent(text).replace(/%20/g, "+").replace(/%(?:3A|2F|2C)/g, decodeURIComponent);

/** The names of fields that another one replaces: it is filled in, and they were not touched. */
const replaced = (form) =>
  [...form.querySelectorAll("[data-replaces]")]
    .filter((field) => field.value.trim())
    .map((field) => field.dataset.replaces.split(" "))
    .filter((names) => names.every((name) => form[name].value === form[name].defaultValue))
    .flat();

/** The query string of the fields that are filled in, in the order of data-order. */
const queryOf = (form) => {
  const order = (form.dataset.order ?? "").split(" ");
  const data = new FormData(form);
  for (const name of replaced(form)) data.delete(name);
  const pairs = [...data]
    .map(([name, value]) => [name, value.trim()])
    .filter(([, value]) => value)
    .sort(([a, one], [b, other]) => order.indexOf(a) - order.indexOf(b) || (one < other ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return [...new Set(pairs)].join("&");
};

// The server refuses longer addresses.
const LONGEST_URL = 8100;

/** Show a message at the longest field: the address would be too long. */
const refuse = (form) => {
  const fields = [...form.elements].filter((field) => field.willValidate && field.value);
  const longest = fields.reduce((a, b) => (b.value.length > a.value.length ? b : a));
  longest.setCustomValidity("Too long for a link. Search for at most 100 IDs at a time.");
  longest.addEventListener("input", () => longest.setCustomValidity(""), { once: true });
  longest.reportValidity();
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "get") return;
  event.preventDefault();
  const url = new URL(form.action);
  url.search = queryOf(form);
  if (url.href.length > LONGEST_URL) refuse(form);
  else location.assign(url);
});

// After Back, browsers restore what was ticked or typed before; the address says what is shown.
window.addEventListener("pageshow", (event) => {
  const [{ type } = {}] = performance.getEntriesByType("navigation");
  if (!event.persisted && type !== "back_forward") return;
  for (const form of document.forms) if (form.method === "get") form.reset();
});
