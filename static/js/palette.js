/* The search over every page: "/" or Ctrl K opens it. Of what was opened last the browser keeps kind and id, for each
   person on the staff; the names come from the server, for those only who may see them. Without this module the box in the
   frame leads to the page of the search. */
const dialog = document.getElementById("palette");
const PAGES = [
  ["customer", /^\/customers\/(C-[0-9A-Z]+)\/$/], ["item", /^\/catalogue\/(\d+)\/$/], ["rule", /^\/rules\/(\d+)\/$/],
  ["segment", /^\/segments\/(\d+)\/$/], ["audience", /^\/audiences\/(\d+)\/$/], ["campaign", /^\/campaigns\/(\d+)\/(?:edit\/)?$/], ["run", /^\/runs\/([0-9a-f-]{36})\/$/],
];
const MOST = 8;
const key = `recent:${dialog?.dataset.of}`;
const read = () => { try { return JSON.parse(localStorage.getItem(key)) ?? []; } catch { return []; } };
const write = (entries) => { try { localStorage.setItem(key, JSON.stringify(entries)); } catch { /* not kept, then */ } };

function openPalette(text = "") {
  if (document.querySelector("dialog[open]")) return;
  const field = dialog.querySelector("[role=combobox]");
  field.value = text;
  document.getElementById("palette-recent").value = read().join(",");
  dialog.showModal();
  field.focus();
  field.dispatchEvent(new Event("ask"));
}

if (dialog) {
  for (const [kind, pattern] of PAGES) {
    const id = location.pathname.match(pattern)?.[1], entry = `${kind}:${id}`;
    if (id) write([entry, ...read().filter((each) => each !== entry)].slice(0, MOST));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else openPalette();
  });
  document.addEventListener("palette:open", () => openPalette());
  document.getElementById("q")?.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    openPalette(event.target.value);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // beside it
}
