/* Behaviour of the frame: shortcuts, dialogs, menus, the rail on small screens. Everything else works without it. */
const FIELDS = "input:not([type=range], [type=checkbox], [type=radio]), select, textarea, [contenteditable]"; // keys mean something there
const PLACES = { o: "/", c: "/customers/", w: "/weights/", q: "/quality/", x: "/experiments/", y: "/stability/", p: "/pages/", u: "/rules/", t: "/catalogue/", s: "/segments/", r: "/runs/", a: "/activity/", d: "/audiences/", m: "/campaigns/", v: "/approvals/", i: "/privacy/", e: "/setup/placements/" };
const OFF = "shortcuts-off";

const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* not kept, then */ } };

let going = false;
const open = (id) => { const dialog = document.getElementById(id); if (dialog && !dialog.open) dialog.showModal(); };

function act(event) {
  if (going) {
    going = false;
    if (PLACES[event.key]) location.assign(PLACES[event.key]);
    return;
  }
  if (event.key === "/") {
    event.preventDefault();
    document.dispatchEvent(new Event("palette:open"));
  } else if (event.key === "z") {
    document.querySelector("#toasts [data-undo]")?.click();
  } else if (event.key === "s") {
    document.querySelector("[data-saves] .btn-primary")?.focus();
  } else if (event.key === "?") {
    event.preventDefault();
    open("help");
  } else if (event.key === "g") {
    going = true;
    setTimeout(() => { going = false; }, 1500);
  }
}

/* A form is sent once, however often one clicks; a download may be asked for again after a moment. */
const sent = new WeakSet();
window.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || (submitter?.formMethod || form.method) !== "post") return;
  if (sent.has(form)) event.preventDefault();
  sent.add(form);
  setTimeout(() => sent.delete(form), 3000);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus();
  const busy = event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(FIELDS);
  if (!busy && stored(OFF) !== "1" && !document.querySelector("dialog[open]")) act(event);
});

function closeMenus(except) {
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (menu !== except) menu.removeAttribute("open");
  });
}

async function copy(button) {
  const field = document.getElementById(button.dataset.copies);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    button.querySelector("[role=status]").textContent = button.dataset.copied;
  } catch { /* it is selected: Ctrl-C copies it */ }
}

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details.menu"));
  const opener = event.target.closest("[data-opens]");
  if (opener) open(opener.dataset.opens);
  const copier = event.target.closest("[data-copies]");
  if (copier) copy(copier);
  const toggle = event.target.closest("[data-toggles]");
  if (toggle) {
    const shown = document.getElementById(toggle.dataset.toggles).classList.toggle("is-open");
    toggle.setAttribute("aria-expanded", String(shown));
  }
});

/* Where tabs do not fit beside one another, the current one is in sight. */
for (const tab of document.querySelectorAll(".switch > [aria-current]")) {
  const bar = tab.parentElement, from = tab.getBoundingClientRect().left - bar.getBoundingClientRect().left;
  bar.scrollLeft += from - (bar.clientWidth - tab.offsetWidth) / 2;
}

/* What opens to be typed into has the focus at once. */
document.addEventListener("toggle", ({ target }) => { if (target.open && target.matches("details.rename")) target.querySelector("input:not([type=hidden])")?.select(); }, true);

/* A picture that does not load gives way to the drawn one. */
const draw = (picture) => { picture.src = picture.dataset.tile; picture.removeAttribute("data-tile"); };
document.addEventListener("error", ({ target }) => { if (target.matches?.("img[data-tile]")) draw(target); }, true);
for (const picture of document.querySelectorAll("img[data-tile]")) if (picture.complete && !picture.naturalWidth) draw(picture);

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
  if (event.target.id === "shortcuts") store(OFF, event.target.checked ? "0" : "1");
});

const box = document.getElementById("shortcuts");
if (box) box.checked = stored(OFF) !== "1";
