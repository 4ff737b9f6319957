// Submits a form of a list to the canonical URL of what is filled in, so that the server need not
// redirect. Without script the browser sends every field, and the server redirects.

/** Encode like Python's urlencode(safe=":/,"). */
const encode = (text) =>
  encodeURIComponent(text).replace(/%20/g, "+").replace(/%(?:3A|2F|2C)/g, decodeURIComponent);

/** The query string of the fields that are filled in, in the order of data-order. */
const queryOf = (form) => {
  const order = (form.dataset.order ?? "").split(" ");
  const pairs = [...new FormData(form)]
    .map(([name, value]) => [name, value.trim()])
    .filter(([, value]) => value)
    .sort(([a, one], [b, other]) => order.indexOf(a) - order.indexOf(b) || (one < other ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return [...new Set(pairs)].join("&");
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "get") return;
  event.preventDefault();
  const url = new URL(form.action);
  url.search = "";
  const query = queryOf(form);
  location.assign(query ? `${url.href}?${query}` : url.href);
});
