/* Parts of a page that find the server busy: what only asks is asked again after Retry-After and says so in its place, and
   behind the last try there is a button. A form that changes something is not sent again by itself: it says that nothing was saved. */
const TRIES = 4;
const SAY_IT_THEMSELVES = "[role=combobox], [list], #effect-body";
const words = document.getElementById("busy-words")?.content;
const notices = new WeakMap(); // of an element that asks: what stands there now, and which kind of notice that is

const changes = ({ sourceElement, request }) => request.method !== "GET" && sourceElement.matches("form:not([data-asks])");
const polls = ({ sourceElement }) => sourceElement.getAttribute("hx-trigger")?.startsWith("every"); // asks again anyway
const pause = (seconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, seconds * 1000);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});

function copyOf(kind) {
  return words.querySelector(`[data-busy=${kind}]`).cloneNode(true);
}

function toast(notice) {
  const line = document.createElement("div");
  line.className = "toast-line";
  line.append(notice);
  document.getElementById("toasts").append(line);
  return line;
}

/* In the place of what says that something comes, or above what stood there before; beside the page where there is no such place. */
function put(notice, target) {
  if (!target?.matches("div:not(#toasts), section, p, span") || !target.checkVisibility()) return toast(notice);
  const parts = [...target.children].filter((each) => !each.matches("noscript"));
  if (target.matches("p, span") || parts.every((each) => each.matches(".note, .busy-line"))) {
    if (parts[0]?.matches(".card-fill")) notice.classList.add("card-fill");
    notice.toggleAttribute("data-comes", notice.dataset.busy === "waits" && parts.some((each) => each.matches("[data-comes]")));
    target.replaceChildren(notice);
  } else target.prepend(notice);
  return notice;
}

function forget(source) {
  notices.get(source)?.remove();
  notices.delete(source);
}

function tell(ctx, kind) {
  const { sourceElement: source, sourceEvent: event, request, target } = ctx;
  if (!words || !source.isConnected || source.matches(SAY_IT_THEMSELVES)) return;
  const before = notices.get(source), notice = copyOf(kind);
  notice.querySelector("[data-again]")?.addEventListener("click", () => htmx.ajax(request.method, request.action, { source, event }));
  const placed = put(notice, target);
  if (before !== placed) before?.remove();
  notices.set(source, placed);
}

async function patiently(ctx, fetch, address, request) {
  for (let tries = 1; ; tries++) {
    const answer = await fetch(address, request), wait = Number(answer.headers.get("Retry-After"));
    if (answer.status !== 503 || !wait || tries === TRIES) return answer;
    tell(ctx, "waits");
    await pause(wait * (1 + Math.random() / 2), request.signal); // not all of them at once
  }
}

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (polls(ctx)) return;
  if (notices.has(ctx.sourceElement)) tell(ctx, "waits"); // pressed again, or something else is asked
  if (changes(ctx)) return;
  const { fetch } = ctx;
  ctx.fetch = (address, request) => patiently(ctx, fetch, address, request);
});

function fail({ detail: { ctx, error } }) {
  if (!ctx || error?.name === "AbortError" || polls(ctx)) return;
  if (!changes(ctx)) tell(ctx, "over");
  else if (words && ctx.response?.status === 503) document.getElementById("toasts").append(copyOf("refused"));
}
document.addEventListener("htmx:error", fail);
document.addEventListener("htmx:response:error", (event) => { if (event.detail.ctx.response.status >= 500) fail(event); });
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const notice = notices.get(ctx.sourceElement);
  if (notice && (notice.dataset.busy ?? notice.firstElementChild?.dataset.busy) === "waits") forget(ctx.sourceElement);
});
