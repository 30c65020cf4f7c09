/* Fields that offer what can be chosen, by keyboard as WAI-ARIA's combobox pattern says: the focus stays in the field,
   arrows walk the list, Enter takes the option that is active, Escape closes the list and then empties the field.
   htmx brings the options while one types. What is typed and is nothing is said at the field before it is sent.

   <div data-combobox="…"> holds the field (role=combobox) and its .combobox-popup. Of what is typed, and not chosen,
   "choice" sends nothing, "text" is a value of the form that has to be one of the options, "free" searches for it: its list is always open, and an
   Enter that had to wait opens what is called exactly so, and nothing else. */

const boxOf = (element) => element?.closest?.("[data-combobox]");
const fieldOf = (box) => box.querySelector("[role=combobox]");
const popupOf = (box) => box.querySelector(".combobox-popup");
const optionsOf = (box) => [...popupOf(box).querySelectorAll("[role=option]")];
const activeOf = (box) => popupOf(box).querySelector("[aria-selected=true]");
const isOpen = (box) => !popupOf(box).hidden && popupOf(box).childElementCount > 0;
const textOf = (box) => fieldOf(box).value.trim();

/* What is typed is looked up a moment later: until the options of this text are there, Enter waits for them. */
const states = new WeakMap();
const stateOf = (box) => states.get(box) ?? states.set(box, { shown: "", sent: "", enter: false, broken: false }).get(box);
const isAsking = (box) => stateOf(box).shown !== textOf(box) && !stateOf(box).broken;

function activate(box, option) {
  for (const each of optionsOf(box)) each.setAttribute("aria-selected", String(each === option));
  if (!option) return fieldOf(box).removeAttribute("aria-activedescendant");
  fieldOf(box).setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function open(box) {
  popupOf(box).hidden = false;
  fieldOf(box).setAttribute("aria-expanded", String(optionsOf(box).length > 0));
}

function close(box) {
  popupOf(box).hidden = box.dataset.combobox !== "free";
  fieldOf(box).setAttribute("aria-expanded", "false");
  activate(box, null);
}

/* --- What is nothing: said beside the field, and not sent. */
const isOne = (box) => optionsOf(box).some((each) => each.dataset.code === textOf(box));
const isNothing = (box) => box.dataset.combobox !== "free" && textOf(box) !== "" && !isAsking(box) && !stateOf(box).broken && !isOne(box);

function complain(box, yes) {
  const field = fieldOf(box), name = `${field.id}-nothing`, told = document.getElementById(name);
  if (yes === Boolean(told)) return;
  const others = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((each) => each && each !== name);
  if (yes) {
    const words = Object.assign(document.createElement("p"), { id: name, className: "field-error", textContent: box.dataset.nothing });
    words.setAttribute("role", "alert");
    box.append(words);
    others.push(name);
  } else told.remove();
  if (others.length) { field.setAttribute("aria-describedby", others.join(" ")); field.setAttribute("aria-invalid", "true"); }
  else { field.removeAttribute("aria-describedby"); field.removeAttribute("aria-invalid"); }
}

/* --- Options that came in. */
function offer(box) {
  const field = fieldOf(box), state = stateOf(box), list = popupOf(box).querySelector("[role=listbox]"), wanted = state.enter;
  Object.assign(state, { shown: state.sent, enter: false, broken: false });
  if (list) {
    list.id = `${field.id}-options`;
    field.setAttribute("aria-controls", list.id);
    optionsOf(box).forEach((option, at) => { option.id = `${list.id}-${at}`; option.tabIndex = -1; });
  }
  const told = box.querySelector("[data-told]");
  if (told) told.textContent = popupOf(box).querySelector("[data-tells]")?.dataset.tells ?? "";
  if (document.activeElement !== field) {
    const [first] = optionsOf(box);
    if (wanted && first) return first.click();
    close(box);
    if (box.dataset.combobox === "text") complain(box, isNothing(box));
    return;
  }
  open(box);
  activate(box, optionsOf(box)[0]);
  if (wanted && (box.dataset.combobox !== "free" || optionsOf(box)[0]?.dataset.exact !== undefined)) enter(box);
}

function enter(box) {
  const active = activeOf(box);
  if (active && isOpen(box)) choose(active);
  else if (isNothing(box)) { close(box); complain(box, true); }
}

function choose(option) {
  const box = boxOf(option), field = fieldOf(box);
  option.click();
  field.focus();
}

/* A choice brings a new part of the page, and htmx goes to its field with autofocus right after it has settled: whoever
   has gone on to another field meanwhile stays there. */
let chosen = false;
document.addEventListener("htmx:after:settle", (event) => {
  const place = document.activeElement, leads = (part) => part.matches?.("[autofocus]") || part.querySelector?.("[autofocus]");
  if (!chosen || !event.detail?.newContent?.some(leads)) return;
  chosen = false;
  if (place !== document.body) queueMicrotask(() => place.focus());
});

/* Between the click and what it starts, the option has to stay in its form. */
document.addEventListener("click", (event) => {
  const option = event.target.closest?.(".combobox-popup [role=option]"), box = boxOf(option ?? event.target);
  if (!box) return;
  if (!option) { if (event.target === fieldOf(box) && !isOpen(box)) ask(box); return; }
  if (option.dataset.value !== undefined) {
    event.preventDefault();
    fieldOf(box).value = option.dataset.value;
    Object.assign(stateOf(box), { shown: option.dataset.value });
    fieldOf(box).dispatchEvent(new Event("change", { bubbles: true }));
  } else chosen = true;
  complain(box, false);
  close(box);
});
document.addEventListener("mousedown", (event) => { if (event.target.closest?.(".combobox-popup")) event.preventDefault(); });

/* --- Keys. */
const ask = (box) => {
  if (stateOf(box).shown === textOf(box) && optionsOf(box).length) { open(box); return true; }
  fieldOf(box).dispatchEvent(new Event("ask"));
  return false;
};

function walk(box, key) {
  if (!isOpen(box) && !ask(box)) return;
  const options = optionsOf(box), at = options.indexOf(activeOf(box)), last = options.length - 1;
  const to = { ArrowDown: at < last ? at + 1 : 0, ArrowUp: at > 0 ? at - 1 : last, Home: 0, End: last }[key];
  activate(box, options[to]);
}

document.addEventListener("keydown", (event) => {
  const box = boxOf(event.target);
  if (!box || event.target !== fieldOf(box) || event.isComposing) return;
  const { key } = event, plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (plain && (key === "ArrowDown" || key === "ArrowUp" || ((key === "Home" || key === "End") && activeOf(box)))) {
    event.preventDefault();
    if (event.altKey && key === "ArrowUp") close(box);
    else walk(box, key);
  } else if (key === "Enter" && !event.altKey) {
    const waits = textOf(box) && isAsking(box);
    if (!waits && !(isOpen(box) && activeOf(box)) && !isNothing(box)) return;
    event.preventDefault();
    if (waits) { stateOf(box).enter = true; ask(box); } else enter(box);
  } else if (key === "Escape" && (isOpen(box) || textOf(box)) && box.dataset.combobox !== "free") {
    event.preventDefault(); // the dialog around it stays
    event.stopPropagation();
    stateOf(box).enter = false;
    if (isOpen(box)) close(box);
    else { fieldOf(box).value = ""; complain(box, false); }
  }
}, true);

document.addEventListener("input", (event) => {
  const box = boxOf(event.target);
  if (!box) return;
  stateOf(box).enter = false;
  complain(box, false);
  activate(box, null);
});
document.addEventListener("focusout", (event) => {
  const box = boxOf(event.target);
  if (!box || box.contains(event.relatedTarget)) return;
  if (box.dataset.combobox === "free") stateOf(box).enter = false;
  close(box);
  if (box.dataset.combobox === "text") complain(box, isNothing(box));
});
document.addEventListener("submit", (event) => {
  if (event.submitter?.formNoValidate) return;
  const box = [...event.target.querySelectorAll('[data-combobox="text"]')].find(isNothing);
  if (!box) return;
  event.preventDefault();
  complain(box, true);
  fieldOf(box).focus();
}, true);

/* --- What htmx reports of the field. */
const asked = (event) => { const field = event.detail?.ctx?.sourceElement ?? event.target; return field?.matches?.("[role=combobox]") ? boxOf(field) : null; };
document.addEventListener("htmx:before:request", (event) => { const box = asked(event); if (box) stateOf(box).sent = textOf(box); });
document.addEventListener("htmx:after:swap", (event) => { const box = asked(event); if (box) offer(box); });
for (const name of ["htmx:error", "htmx:response:error"]) {
  document.addEventListener(name, (event) => {
    const box = asked(event);
    if (box && event.detail?.error?.name !== "AbortError") stateOf(box).broken = true;
  });
}
