/* The rules: the slider beside its number, ready periods beside their two fields, dialogs that are open when the page comes, rows that can be dragged, and rows
   of conditions that come back after a session ended. Everything else works without it. */

/* --- Strength: a slider beside the number, and what it means. */
const slider = document.querySelector("[data-slides]");
if (slider) {
  const box = document.getElementById(slider.dataset.slides), told = document.querySelector("[data-strength-words]");
  const tell = () => {
    const value = Number(box.value) || 0, words = told.dataset[value > 0 ? "boost" : "bury"].split("|");
    const step = Math.abs(value) <= 30 ? 0 : Math.abs(value) <= 65 ? 1 : 2;
    told.textContent = value ? words[step] : told.dataset.none;
  };
  slider.hidden = false;
  slider.value = box.value;
  slider.addEventListener("input", () => { box.value = slider.value; tell(); });
  slider.addEventListener("change", () => box.dispatchEvent(new Event("change", { bubbles: true })));
  box.addEventListener("input", () => { slider.value = box.value; tell(); });
  tell();
}

/* --- A ready period fills the two fields; who types into them has a period of their own. */
const times = ["starts_at", "ends_at"].map((id) => document.getElementById(id));
for (const choice of document.querySelectorAll("input[name=period]")) {
  choice.addEventListener("change", () => {
    if (choice.value === "custom") times[0].focus();
    else [times[0].value, times[1].value] = [choice.dataset.starts, choice.dataset.ends];
  });
}
for (const field of times) field?.addEventListener("input", () => { document.querySelector("input[name=period][value=custom]").checked = true; });

/* --- Measured in its place; without this module the button sends the whole form. */
document.querySelector("[data-measures]")?.addEventListener("click", (event) => event.preventDefault());
const failed = document.getElementById("effect-failed"), effect = document.getElementById("effect");
const measures = (event) => failed && (event.detail?.ctx?.sourceElement ?? event.target)?.id === "effect-body";

/* --- What was measured goes as soon as the form says something else; an answer to an older form brings nothing back. */
let asked = true;  // what stands in the form is what was asked for last
const line = document.getElementById("effect-line"), customers = document.getElementById("effect-customers");
function outdate() {
  for (const part of [effect, customers]) part.classList.add("is-outdated");
  effect.classList.add("is-due");
  failed.hidden = true;
  line.textContent = line.dataset.measuring;
}
function change(event) {
  if (!effect || event.target.name === "name" || !document.querySelector("#effect-body[hx-post]")) return;
  asked = false;
  outdate();
}
document.getElementById("rule-form")?.addEventListener("change", change);
document.body.addEventListener("rule-changed", change);
document.addEventListener("htmx:before:request", (event) => {
  if (!measures(event)) return;
  failed.hidden = asked = true;
});
document.addEventListener("htmx:after:swap", (event) => {
  if (!measures(event)) return;
  if (!asked) { outdate(); return; }
  for (const part of [effect, customers]) part.classList.remove("is-outdated", "is-due");
});
for (const name of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(name, (event) => {
    if (!measures(event) || event.detail?.error?.name === "AbortError") return;
    effect.classList.remove("is-due");
    if (effect.classList.contains("is-outdated")) line.textContent = failed.textContent;
    failed.hidden = false;
    document.getElementById("effect-told").textContent = failed.textContent;
  });
}

/* --- A dialog that the address opened keeps the page behind it out of reach. Escape leaves it as its way back does: with that address, and where it was opened. */
const dialog = document.querySelector("dialog[data-modal]");
if (dialog) {
  dialog.close();
  dialog.showModal();
  dialog.querySelector("textarea")?.focus();
  dialog.addEventListener("cancel", () => {
    const back = dialog.querySelector(".actions a.btn"), opener = document.querySelector(`a[href$="${CSS.escape(location.search)}"]`);
    if (back) history.replaceState(history.state, "", back.href);
    if (opener) dialog.addEventListener("close", () => opener.focus(), { once: true });
  });
}

/* --- Rows that can be dragged; the buttons beside them do the same. */
const table = document.querySelector("[data-sortable]");
if (table && matchMedia("(pointer: fine)").matches) {
  table.classList.add("can-drag");
  let dragged = null;
  const row = (event) => event.target.closest?.("tbody tr[data-key]");
  const clear = () => table.querySelectorAll(".is-over").forEach((each) => each.classList.remove("is-over"));
  table.querySelectorAll(".grip").forEach((grip) => { grip.draggable = true; });
  table.addEventListener("dragstart", (event) => {
    if (!event.target.closest(".grip")) return;
    dragged = row(event);
    dragged.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setDragImage(dragged, 20, 20);
  });
  table.addEventListener("dragover", (event) => {
    const over = row(event);
    if (!dragged || !over || over.querySelector(".movers") === null) return;
    event.preventDefault();
    clear();
    over.classList.add("is-over");
  });
  table.addEventListener("dragend", () => { dragged?.classList.remove("is-dragged"); dragged = null; clear(); });
  table.addEventListener("drop", (event) => {
    const over = row(event);
    if (!dragged || !over) return;
    event.preventDefault();
    const down = dragged.compareDocumentPosition(over) & Node.DOCUMENT_POSITION_FOLLOWING;
    down ? over.after(dragged) : over.before(dragged);
    post(table.dataset.sortable, [...table.querySelectorAll("tr[data-key]:has(.movers)")].map((each) => ["key", each.dataset.key]));
  });
}

function post(address, values) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = address;
  form.hidden = true;
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  for (const [name, value] of [["csrfmiddlewaretoken", token], ...values]) {
    const field = document.createElement("input");
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}

/* --- What was typed before the session ended: the server builds the rows of conditions again. */
document.getElementById("rule-form")?.addEventListener("keep:restore", (event) => {
  event.preventDefault();
  post(event.target.getAttribute("action"), [...event.detail, ["edit", "restored"]]);
});
