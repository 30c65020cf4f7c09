/* The weights page: a slider that moves asks the server at once what that does, one question at a time, and the newest
   values win. Answers bring parts of the page and the chart's figure; what needs longer follows when the hand rests. */
const form = document.getElementById("weights-form");
const bar = document.getElementById("dirty");
const told = document.getElementById("effect-told");
const points = JSON.parse(document.getElementById("points")?.textContent ?? "{}");
const REST = 350; // milliseconds without a move after which a hand rests

const settings = [...(form?.querySelectorAll("[data-setting]") ?? [])].map((row) => ({
  row, field: row.dataset.setting, live: Number(row.dataset.live), saved: Number(row.dataset.saved),
  grain: Number(row.dataset.grain), box: row.querySelector("input[type=number]"),
  slider: row.querySelector("input[type=range]"), share: row.querySelector("[data-share]"),
  lock: row.querySelector("input[name=lock]"), error: row.querySelector(".field-error"),
}));
const near = (one, other) => Math.abs(one - other) < 1e-9;
const unsaved = () => settings.some(({ box, saved }) => box.value.trim() === "" || !near(Number(box.value), saved));
const tidy = (value) => String(Math.round(value * 1e4) / 1e4);

/* --- What stands on the page follows what stands in the boxes. */
function show() {
  const whole = settings.reduce((sum, { box, share }) => sum + (share ? Math.max(0, Number(box.value) || 0) : 0), 0);
  let moved = 0;
  for (const { row, box, slider, share, lock, live } of settings) {
    const value = Number(box.value);
    if (document.activeElement !== slider || !near(Math.round(slider.value), value)) slider.value = value || 0;
    const changed = box.value.trim() === "" || !near(value, live);
    moved += changed;
    row.classList.toggle("is-changed", changed);
    if (share) share.textContent = whole > 0 ? `${Math.round(100 * Math.max(0, value || 0) / whole)}%` : "–";
    if (lock && !box.disabled) { slider.disabled = lock.checked; box.readOnly = lock.checked; }
  }
  if (!bar) return;
  const open = unsaved();
  bar.hidden = !moved && !open && !bar.hasAttribute("data-draft");
  document.documentElement.classList.toggle("has-dirty", !bar.hidden);
  const words = document.getElementById("dirty-words");
  words.textContent = (moved === 1 ? words.dataset.one : words.dataset.many).replace("{n}", moved);
  document.getElementById("dirty-state").hidden = !open;
  document.getElementById("draft-state")?.toggleAttribute("hidden", open);
  document.getElementById("save")?.toggleAttribute("disabled", !open && bar.hasAttribute("data-draft"));
}

/* A folded part with something that is not as live is opened. */
function unfold() {
  for (const { row, box, live } of settings) if (!near(Number(box.value), live)) row.closest("details")?.setAttribute("open", "");
}

function wrong(errors) {
  for (const { row, box, field, error } of settings) {
    const text = errors[field.replace(/^w\./, "")] ?? "";
    error.textContent = text;
    row.classList.toggle("is-wrong", text !== "");
    if (text) box.setAttribute("aria-invalid", "true"); else box.removeAttribute("aria-invalid");
    if (text) row.closest("details")?.setAttribute("open", "");
  }
  document.getElementById("error-weights").textContent = errors.weights ?? "";
  document.getElementById("effect-old").hidden = Object.keys(errors).length === 0;
}

/* --- Asking. */
let flying = false, waiting = null, resting = 0, rests = 0;

/* Where everything is as live, live itself is asked for: its weights may have more digits than the boxes show. */
const asked = () => {
  const sent = new URLSearchParams({ blend: form.elements.blend.value, group: form.elements.group.value });
  if (settings.every(({ box, live }) => box.value.trim() !== "" && near(Number(box.value), live))) sent.set("load", "live");
  else for (const { field, box } of settings) sent.set(field, box.validity.badInput ? "?" : box.value);
  return sent;
};

/* What the server says to the values as they stand; nothing, after telling the reader, where it does not say anything. */
async function answered(address) {
  let end = "failed";
  try {
    const response = await fetch(`${address}?${asked()}`, { headers: { Accept: "application/json" } });
    if (response.headers.get("Content-Type") === "application/json") {
      for (const id of ["ended", "failed"]) document.getElementById(id).hidden = true;
      return { ...await response.json(), timing: response.headers.get("Server-Timing") };
    }
    if (response.redirected) end = "ended";
  } catch { /* no answer came */ }
  document.getElementById(end).hidden = false;
  return null;
}

async function ask(at) {
  if (flying) { waiting = at; return; }
  flying = true;
  const answer = await answered(form.dataset.effect);
  if (answer) {
    wrong(answer.errors ?? {});
    if (!answer.errors) {
      await fill(answer);
      painted(() => {
        performance.measure("weights", { start: at, end: performance.now(), detail: answer.timing });
        place("movers", answer.lists); // in the next frame: the chart and the table do not wait for their pictures
      });
    }
  }
  flying = false;
  if (waiting !== null) { const next = waiting; waiting = null; ask(next); }
}

async function fill({ html, figures, points: more, told: next }) {
  Object.assign(points, more);
  for (const [id, text] of Object.entries(html)) place(id, text);
  if (next) told.dataset.next = next;
  await Promise.all(Object.entries(figures).map(([id, figure]) => new Promise((done) => {
    document.dispatchEvent(new CustomEvent("figure", { detail: { id, figure, done } }));
  })));
}

/* After the frame in which everything so far is seen: a message that is posted within a frame arrives after its paint. */
function painted(then) {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(0);
  });
}

function place(id, html) {
  const here = document.getElementById(id);
  if (!here) return;
  replace(here, html);
  if (html.includes("hx-")) window.htmx.process(here);
}

/* Lists that are as they were stay, so that their pictures are not loaded and decoded again. */
function replace(here, html) {
  const next = document.createElement("template");
  next.innerHTML = html;
  const old = here.querySelectorAll("[data-list]"), lists = next.content.querySelectorAll("[data-list]");
  if (!lists.length || old.length !== lists.length) { here.replaceChildren(next.content); return; }
  lists.forEach((list, at) => { if (list.outerHTML !== old[at].outerHTML) old[at].replaceWith(list); });
}

function moved(event) {
  show();
  ask(event?.timeStamp || performance.now());
  clearTimeout(resting);
  resting = setTimeout(rest, REST);
}

/* --- When the hand rests: what screen readers hear, and the pictures that take longer. */
async function rest() {
  if (flying) { resting = setTimeout(rest, REST); return; }
  if (told.dataset.next) told.textContent = told.dataset.next;
  const mine = ++rests;
  const answer = await answered(form.dataset.rest);
  if (!answer || answer.errors || mine !== rests) return;
  await fill(answer);
  const scatter = document.getElementById("past-chart");
  if (!scatter?.on || scatter.dataset.loads) return;
  scatter.dataset.loads = "yes";
  scatter.on("plotly_click", (event) => load(event.points[0].customdata));
}

/* --- Moving. */
function put(fields) {
  for (const { field, box, lock } of settings) if (!lock?.checked) box.value = tidy(fields[field] ?? 0);
  unfold();
  moved();
}

function load(key) {
  const point = points[key];
  if (!point) return;
  put(point.fields);
  const tag = document.getElementById("loaded");
  tag.textContent = point.words;
  const address = new URL(location);
  address.searchParams.set("load", key);
  history.replaceState(null, "", address);
  form.scrollIntoView({ block: "nearest" });
}

const fieldsOf = (name) => Object.fromEntries(settings.map((setting) => [setting.field, setting[name]]));

form?.addEventListener("input", (event) => {
  const setting = settings.find(({ row }) => row.contains(event.target));
  if (!setting) return;
  if (event.target === setting.slider) {
    const value = Number(setting.slider.value);
    setting.box.value = tidy(Math.round(value / setting.grain) * setting.grain);
  } else if (event.target === setting.lock) { show(); return; }
  moved(event);
});

form?.addEventListener("click", (event) => {
  const button = event.target.closest(".reset");
  const setting = button && settings.find(({ row }) => row.contains(button));
  if (setting) { setting.box.value = tidy(setting.live); setting.box.focus(); moved(event); }
  if (event.target.closest("#reset-all")) { put(fieldsOf("live")); document.getElementById("loaded").textContent = points.live.words; }
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-load]");
  if (opener && points[opener.dataset.load] && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    opener.closest("details.menu")?.removeAttribute("open");
    load(opener.dataset.load);
  }
  if (event.target.closest("[data-load], [data-closes]")) event.target.closest("dialog")?.close();
  if (event.target.closest("#publish-button") && !unsaved() && document.getElementById("publish")) {
    event.preventDefault();
    document.getElementById("publish").showModal();
  }
  if (event.target.closest("#discard") && unsaved()) { event.stopImmediatePropagation(); put(fieldsOf("saved")); }
}, true);

/* --- Leaving: what is neither saved nor published is asked about. */
let leaving = false;
form?.addEventListener("submit", () => { leaving = true; });
document.addEventListener("submit", (event) => { if (event.target.hasAttribute("data-leaves")) leaving = true; });
addEventListener("beforeunload", (event) => { if (!leaving && bar?.hasAttribute("data-warns") && unsaved()) event.preventDefault(); });

/* --- Suggestions come as a part of the page with the values in it. */
document.addEventListener("htmx:after:swap", () => {
  const back = document.getElementById("roll-back");
  if (back && !back.open && back.querySelector("form")) back.showModal();
  const found = document.getElementById("suggested");
  if (!found) return;
  points.suggested = JSON.parse(found.textContent);
  found.remove();
  if (points.suggested.at_once) {
    document.getElementById("suggest").close();
    load("suggested");
    const told = document.getElementById("suggested-told");
    told.textContent = points.suggested.told;
    told.hidden = false;
  }
});

document.getElementById("roll-back")?.addEventListener("close", ({ target }) => { target.firstElementChild.replaceChildren(); });
for (const type of ["scroll", "input"]) addEventListener(type, () => bar?.classList.add("is-stuck"), { once: true, passive: true });
document.querySelectorAll("dialog[data-open]").forEach((dialog) => dialog.showModal());
if (form) { unfold(); show(); rest(); form.querySelector("[aria-invalid=true]")?.focus(); }
