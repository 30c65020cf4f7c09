/* The review of a customer: the panel beside the list, menus of cards, toasts. Every link and form works without it. */
const drawer = document.getElementById("drawer");
const OPENERS = ["why", "why_not", "of"];
let opener = null; // what opened the panel has the focus again when it closes

const address = (change) => {
  const url = new URL(location.href);
  change(url.searchParams);
  history.replaceState(history.state, "", url);
};

function opened() {
  if (!drawer.open) drawer.showModal();
  drawer.querySelector(".drawer-close button")?.focus();
}

/* A panel that the address asked for is in the page already; a modal one keeps the keyboard to itself. */
if (drawer?.open) { drawer.removeAttribute("open"); drawer.showModal(); drawer.scrollTop = 0; }

document.addEventListener("htmx:before:request", ({ target, detail }) => {
  const link = (detail?.ctx?.sourceElement ?? target)?.closest?.("[data-drawer]");
  if (!link) return;
  opener = link;
  drawer.setAttribute("aria-busy", "true");
  const { searchParams } = new URL(link.href);
  address((here) => OPENERS.forEach((name) => (searchParams.has(name) ? here.set(name, searchParams.get(name)) : here.delete(name))));
});

/* What a swap takes the focus from gets it back, if the new content has it, too. */
let focused = "";
document.addEventListener("htmx:before:swap", () => { focused = document.activeElement?.id ?? ""; });
document.addEventListener("htmx:after:swap", () => {
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
});

/* Shown before its content is there: the chart in it needs to know how wide it is. */
document.addEventListener("htmx:before:swap", ({ detail, target }) => {
  if ((detail?.ctx?.target ?? target) === drawer && !drawer.open) drawer.showModal();
});
document.addEventListener("htmx:after:swap", ({ detail, target }) => {
  const swapped = detail?.ctx?.target ?? target;
  if (swapped === drawer) { drawer.removeAttribute("aria-busy"); drawer.scrollTop = 0; opened(); }
  if (swapped?.id === "toasts") swapped.querySelector("button, a")?.focus();
  if (swapped?.classList?.contains("change-price")) swapped.querySelector("[autofocus]")?.focus();
});

drawer?.addEventListener("close", () => {
  address((here) => OPENERS.forEach((name) => here.delete(name)));
  if (opener?.isConnected) opener.focus();
});
drawer?.addEventListener("click", (event) => {
  if (event.target === drawer) drawer.close(); // beside the panel
});

/* A card's menu closes when something of it was chosen, and gives the focus back on Escape. */
document.addEventListener("submit", ({ target }) => target.closest?.("details.card-menu")?.removeAttribute("open"));
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.card-menu");
  if (!menu) return;
  const items = [...menu.querySelectorAll("button[name=action]")], at = items.indexOf(document.activeElement);
  if (event.key === "Escape") menu.querySelector("summary").focus();
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    menu.open = true;
    const step = event.key === "ArrowDown" ? 1 : -1;
    items[(at + step + items.length + (at < 0 && step < 0 ? 1 : 0)) % items.length].focus();
  }
});
