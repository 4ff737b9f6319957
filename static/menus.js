// A menu is a <details class="menu">. At most one is open; Escape and a click elsewhere close it.
// The focus moves into a menu that opens, and back when it closes.

/** A panel that explains an unreadable field is part of the page and stays open. */
const isMenu = (element) => element.matches("details.menu") && !element.closest(".invalid");

const closeAllBut = (kept) => {
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (isMenu(menu) && menu !== kept) menu.open = false;
};

// A focused field would bring up the keyboard of a touch screen.
const links = "a, button";
const focusable = matchMedia("(pointer: coarse)").matches ? links : `${links}, input:not([type="hidden"]), select`;

export const focusInside = (menu) =>
  [...menu.querySelectorAll(`.panel :is(${focusable})`)].find((one) => one.checkVisibility())?.focus();

// The path, because a click may have replaced its target.
document.addEventListener("click", (event) =>
  closeAllBut(event.composedPath().find((element) => element.matches?.("details.menu"))),
);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) closeAllBut(null);
});

// A toggle does not bubble.
document.addEventListener(
  "toggle",
  ({ target: menu }) => {
    if (!isMenu(menu)) return;
    const focused = document.activeElement;
    if (menu.open) {
      closeAllBut(menu);
      focusInside(menu);
    } else if (focused === document.body || menu.contains(focused)) {
      menu.querySelector("summary").focus();
    }
  },
  true,
);
