// The search box of the header: Enter looks up what was typed or pasted. A short text becomes part
// of the address, a long one is sent as a form; without script the button does the same.

const SHORT = 200;

const form = document.querySelector("form.find");

form?.elements.text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

form?.addEventListener("submit", (event) => {
  const text = form.elements.text.value.trim();
  if (text.length > SHORT) return;
  event.preventDefault();
  if (text) location.assign(`${form.action}?${new URLSearchParams({ q: text })}`);
});
