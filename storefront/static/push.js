/* "Tell me by notification": the browser's own push service where it has one; else the demo's, whose messages this page
   fetches and the worker opens. The keys are made here and cannot be read out. */
import "/static/shop.js";
import "/static/recsite-push.js";
import "/static/push-store.js";

const { recsite, pushStore } = globalThis;
const WORKER = "/static/worker.js", EVERY = 3000;
const page = document.body.dataset, panel = document.querySelector(".notify"), service = panel.dataset.push;
const [on, off, said] = [".notify-form", ".notify-off", ".notify-said"].map((name) => panel.querySelector(name));
const whose = page.userId || page.anonymousId;
const SAYS = {
  asking: "Asking your browser…",
  on: "Notifications are on for this device.",
  off: "Notifications are off. You will get no more.",
  denied: "Your browser does not let us notify you. You can allow it in its settings for this page.",
  unsupported: "This browser cannot show notifications.",
  failed: "That did not work. Please try again in a moment.",
  unknown: "Choose “Yes, personalise” first, so that we know what to tell you about.",
};

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

const show = (state) => {
  on.hidden = state === "on" || state === "unknown";
  off.hidden = state !== "on";
  said.textContent = SAYS[state] || "";
};

/* A browser of our own making, as PushSubscription.toJSON() has it, with what opens its messages. */
const made = async () => {
  const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const auth = crypto.getRandomValues(new Uint8Array(16));
  const answer = await fetch(`${service}/subscriptions`, { method: "POST", body: base64url(await recsite.pushKey()) });
  const { endpoint } = await answer.json();
  if (!endpoint) throw new Error("the demo's push service does not take this key");
  return { endpoint, privateKey: pair.privateKey, point, auth, keys: { p256dh: base64url(point), auth: base64url(auth) }, after: "" };
};

const turnOn = async (purposes) => {
  const state = await recsite.askToPush({ purposes, worker: WORKER });
  const wish = { whose, visitor: page.anonymousId, purposes };
  if (state === "on") await pushStore.put(wish);
  if (state === "on" || state === "denied" || !service || !navigator.serviceWorker || !globalThis.Notification) return state;
  try { // no push service of its own answers, as in a browser without a window
    const own = await made();
    await recsite.pushTo(own, { purposes });
    await pushStore.put({ ...own, ...wish });
    return "on";
  } catch (error) {
    console.warn("shop:", error);
    return "failed";
  }
};

const turnOff = async () => {
  const own = await pushStore.get();
  if (own?.endpoint) await recsite.pushEnd(own).catch(() => {});
  else await recsite.stopPush({ worker: WORKER });
  await pushStore.clear();
  return "off";
};

/* Whoever turned them on and signs in since goes on getting them, as the customer that the shop knows now. */
const moveOn = async (own) => {
  const browser = own.endpoint ? own : await subscription();
  await recsite.pushTo(browser, { purposes: own.purposes });
  await pushStore.put({ ...own, whose });
};
const subscription = async () => {
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return (await registration.pushManager.getSubscription()).toJSON();
};

const opened = async (worker, sealed) => {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((done) => { port1.onmessage = ({ data }) => done(data); });
  worker.postMessage({ sealed }, [port2]);
  return answer;
};
const fetchWaiting = async () => {
  const own = await pushStore.get();
  if (!own?.endpoint || document.hidden) return;
  const { active } = await navigator.serviceWorker.register(WORKER);
  const answer = active && (await fetch(`${own.endpoint}/waiting?after=${own.after}`));
  if (!answer?.ok) return;
  for (const { key, body } of await answer.json()) {
    const { refused } = await opened(active, body);
    if (refused) console.warn("shop: a notification could not be opened:", refused);
    await pushStore.put({ ...(await pushStore.get()), after: key });
  }
};
const goOn = async () => {
  await fetchWaiting().catch(() => {}); // the post office is away
  setTimeout(goOn, EVERY);
};

on.addEventListener("submit", async (event) => {
  event.preventDefault();
  const purposes = new FormData(on).getAll("purpose");
  if (!purposes[0]) { said.textContent = "Pick at least one thing to hear about."; return; }
  said.textContent = SAYS.asking;
  show(await turnOn(purposes));
});
off.addEventListener("submit", async (event) => {
  event.preventDefault();
  show(await turnOff());
});

let stored = await pushStore.get().catch(() => undefined);
try {
  const signedIn = page.userId && stored?.visitor === page.anonymousId && stored.whose === page.anonymousId;
  if (stored && stored.whose !== whose) stored = await (signedIn ? moveOn(stored).then(() => stored) : turnOff().then(() => undefined));
} catch (error) {
  console.warn("shop:", error);
}
show(stored ? "on" : whose ? "" : "unknown");
panel.hidden = false;
goOn();
