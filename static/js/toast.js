/* Toasts: each is read out, and goes after ten seconds in which nobody pointed at it or had the focus in it. Without this
   module they stay until the next page. */
const LASTS = 10_000;
const toasts = document.getElementById("toasts");

function wait(line) {
  let timer = 0;
  const stop = () => clearTimeout(timer);
  const start = () => {
    stop();
    if (!line.matches(":hover, :focus-within")) timer = setTimeout(() => line.remove(), LASTS);
  };
  for (const name of ["pointerenter", "focusin"]) line.addEventListener(name, stop);
  for (const name of ["pointerleave", "focusout"]) line.addEventListener(name, () => setTimeout(start));
  start();
}

if (toasts) {
  const lines = (nodes) => [...nodes].filter((node) => node.classList?.contains("toast-line"));
  new MutationObserver((changes) => changes.forEach((change) => lines(change.addedNodes).forEach(wait))).observe(toasts, { childList: true });
  const first = lines(toasts.children);
  toasts.replaceChildren();
  if (first.length) setTimeout(() => toasts.replaceChildren(...first), 100); // what comes into a live region is read out
  toasts.addEventListener("click", ({ target }) => target.closest('[data-dismiss="toast"]')?.closest(".toast-line").remove());
}
