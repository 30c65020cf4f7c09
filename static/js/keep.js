/* What is typed into <form data-keep="name"> outlives a session that ends meanwhile: it waits in this window's storage
   until the form was taken, and is put back after the login. Passwords and tokens are never kept.
   A page that builds rows of its own listens to "keep:restore" on the form (detail: [[name, value], …]) and may take
   over with preventDefault(). */
const PREFIX = "keep:";
const SECRET = /csrf|password|token/i;
const here = () => location.pathname + location.search;
const read = (key) => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } };
const write = (key, entry) => { try { sessionStorage.setItem(key, JSON.stringify(entry)); } catch { /* not kept, then */ } };
const keys = () => { try { return Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)); } catch { return []; } };
const values = (form) => [...new FormData(form)].filter(([name, value]) => !SECRET.test(name) && typeof value === "string");
const keyOf = (form) => PREFIX + form.dataset.keep;

function keep(form, more) {
  write(keyOf(form), { ...read(keyOf(form)), path: here(), values: values(form), ...more });
}

function fill(form, kept) {
  const left = kept.map((pair) => [...pair]);
  for (const field of form.elements) {
    if (!field.name || SECRET.test(field.name) || field.type === "submit") continue;
    const choice = field.type === "checkbox" || field.type === "radio";
    const at = left.findIndex(([name, value]) => name === field.name && (!choice || value === field.value));
    if (choice) field.checked = at >= 0;
    else if (at >= 0) field.value = left[at][1];
    if (at >= 0) left.splice(at, 1);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/* What is back is seen: whatever folds the form away opens. */
function uncover(form) {
  for (let around = form.parentElement; around; around = around.parentElement) {
    if (around instanceof HTMLDetailsElement) around.open = true;
    else if (around.popover) around.showPopover();
  }
}

const typed = (form) => JSON.stringify([...form.elements].map(({ type, checked, value }) => type === "hidden" || [checked, value]));

function restore(form, entry) {
  const mine = form.dispatchEvent(new CustomEvent("keep:restore", { detail: entry.values, cancelable: true }));
  write(keyOf(form), { ...entry, lost: false });
  if (!mine) return;  // who took over says it when it is so
  const before = typed(form);
  fill(form, entry.values);
  if (typed(form) === before) return;  // nothing had been typed
  uncover(form);
  const notice = document.getElementById("kept-notice");
  if (notice) notice.hidden = false;
}

const lose = () => keys().map((key) => {
  const entry = { ...read(key), lost: true };
  write(key, entry);
  return entry;
});

const login = document.getElementById("login");
if (login) {
  for (const { path } of lose()) {
    login.elements.next.value = path;
    document.getElementById("kept").hidden = false;
  }
} else if (document.body.hasAttribute("data-failed")) {
  lose();
} else {
  // Whoever logs in before the script of that page has come: what its form did not take is lost all the same.
  if (/\/login\//.test(document.referrer)) lose();
  document.addEventListener("DOMContentLoaded", () => {  // the page's own module listens by then
    const forms = new Map([...document.querySelectorAll("form[data-keep]")].map((form) => [keyOf(form), form]));
    for (const key of keys()) {
      const entry = read(key), form = forms.get(key);
      if (form && entry.lost) restore(form, entry);
      else if (!entry.lost) sessionStorage.removeItem(key);
    }
  });
}

for (const type of ["input", "change"]) {
  document.addEventListener(type, (event) => {
    const form = event.target.form ?? event.target.closest?.("form");
    if (form?.dataset.keep && event.isTrusted) keep(form, {});
  });
}
document.addEventListener("submit", (event) => {
  if (event.target.dataset.keep) keep(event.target, { lost: false });
  if ("again" in event.target.dataset) for (const key of keys()) write(key, { ...read(key), lost: false });  // the busy page sends it
});
