/* Stands a stop of the tour beside the element that it speaks of; on a phone, and where that element is missing, the
   style sheet has its place. The page stays usable: the focus goes into the stop, and back to the element at the end. */
const GAP = 10; // pixels

const stop = document.getElementById("tour");
const anchor = stop && [...document.querySelectorAll(stop.dataset.anchor)].find((each) => each.getClientRects().length);

function place() {
  if (!anchor || matchMedia("(max-width: 767px)").matches) return;
  const at = anchor.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = stop;
  const beside = at.right + GAP + width < document.documentElement.clientWidth;
  const below = at.bottom + GAP + height < innerHeight;
  const left = beside ? at.right + GAP : Math.min(Math.max(at.left, GAP), document.documentElement.clientWidth - width - GAP);
  const top = beside ? at.top : below ? at.bottom + GAP : Math.max(at.top - height - GAP, GAP);
  Object.assign(stop.style, { position: "absolute", inset: "auto", left: `${left + scrollX}px`, top: `${top + scrollY}px` });
}

function leave() {
  const form = stop.querySelector("form");
  fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" }, keepalive: true });
  stop.hidePopover();
  history.replaceState(null, "", stop.dataset.here);
  anchor?.classList.remove("tour-anchor");
  const back = anchor ?? document.getElementById("main");
  if (!back.matches("a, button, input, select, [tabindex]")) back.tabIndex = -1;
  back.focus({ preventScroll: true });
}

if (stop) {
  anchor?.classList.add("tour-anchor");
  anchor?.scrollIntoView({ block: matchMedia("(max-width: 767px)").matches || anchor.offsetHeight > innerHeight / 2 ? "start" : "center" });
  stop.showPopover();
  place();
  stop.focus({ preventScroll: true });
  addEventListener("resize", place);
  addEventListener("load", place); // charts have their height by then
  stop.addEventListener("submit", (event) => { event.preventDefault(); leave(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && stop.matches(":popover-open") && !document.querySelector("dialog[open]")) leave();
  });
}
