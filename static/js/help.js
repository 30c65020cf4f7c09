/* Stands an explanation beside the question mark that opens it, above or below, wherever there is room. Opening and
   closing, by key, mouse or touch, is the browser's own: popover and popovertarget. */
const GAP = 8, ROOM = 220; // pixels

document.addEventListener("beforetoggle", ({ target, newState }) => {
  if (newState !== "open" || !target.matches?.(".help-text")) return;
  const button = document.querySelector(`[popovertarget="${target.id}"]`).getBoundingClientRect();
  const width = parseFloat(getComputedStyle(target).getPropertyValue("--width"));
  const left = Math.max(GAP, Math.min(button.left, document.documentElement.clientWidth - width - GAP));
  const below = innerHeight - button.bottom > ROOM || button.top < ROOM;
  target.style.left = `${left + scrollX}px`;
  target.style.top = below ? `${button.bottom + GAP + scrollY}px` : "auto";
  target.style.bottom = below ? "auto" : `${document.documentElement.clientHeight - button.top + GAP - scrollY}px`;
}, true);
