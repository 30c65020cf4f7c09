/* Browser notifications for a shop's pages, beside Recsite's tracker: docs/storefront.md says how. Nothing is asked of a
   visitor before askToPush is called, which a press of a button should do. */
"use strict";
(() => {
  const PATIENCE = 8e3, TRIES = 3, WORKER = "/recsite-worker.js";
  const { recsite } = globalThis;

  const call = async (method, path, body) => {
    const { at, key } = recsite.here();
    const answer = await fetch(at.replace(/events\/$/, `push/${path}/`), {
      method, credentials: "omit", body: body && JSON.stringify(body),
      headers: { Authorization: `Api-Key ${key}`, ...(body && { "Content-Type": "application/json" }) },
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(`${told.detail} ${told.errors[0]?.message || ""}`);
    return told;
  };
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

  const activated = async (address) => {
    const registration = await navigator.serviceWorker.register(address);
    const worker = registration.installing || registration.waiting;
    if (!registration.active)
      await new Promise((done) => {
        worker.onstatechange = () => /activated|redundant/.test(worker.state) && done();
      });
    return registration;
  };
  // Asked before its push service is up, a browser may never answer; one under another key has to be let go first.
  const subscribed = async (manager, options) => {
    for (let left = TRIES; left--;) {
      try {
        const late = new Promise((done) => { setTimeout(done, PATIENCE); });
        const answer = await Promise.race([manager.subscribe(options), late]);
        if (answer) return answer;
      } catch (error) {
        const old = error.name === "InvalidStateError" && (await manager.getSubscription());
        if (!old) throw error;
        await old.unsubscribe();
      }
    }
    throw new Error("the browser's push service does not answer");
  };

  Object.assign(recsite, {
    async pushTo({ endpoint, keys: { p256dh, auth } }, { purposes, proof }) {
      const { user_id, anonymous_id, proof: own } = recsite.here(), proven = proof || own;
      return call("POST", "subscriptions", {
        endpoint, keys: { p256dh, auth }, purposes, anonymous_id,
        ...(user_id && proven && { user_id, proof: proven }),
        language: document.documentElement.lang || navigator.language,
        time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      });
    },
    pushKey: async () => bytes((await call("GET", "key")).key),
    pushEnd: ({ endpoint, keys: { auth } }) => call("DELETE", "subscriptions", { endpoint, auth }),
    async askToPush({ worker = WORKER, ...wish }) {
      if (!globalThis.Notification || !globalThis.PushManager || !navigator.serviceWorker) return "unsupported";
      if ((await Notification.requestPermission()) !== "granted") return "denied";
      try {
        const applicationServerKey = await recsite.pushKey(), { pushManager } = await activated(worker);
        const browser = await subscribed(pushManager, { userVisibleOnly: true, applicationServerKey });
        await recsite.pushTo(browser.toJSON(), wish);
        return "on";
      } catch (error) {
        console.warn("recsite:", error);
        return "failed";
      }
    },
    async stopPush({ worker = WORKER } = {}) {
      const registration = await navigator.serviceWorker?.getRegistration(worker);
      const browser = await registration?.pushManager.getSubscription();
      if (browser) {
        await recsite.pushEnd(browser.toJSON()).catch((error) => console.warn("recsite:", error));
        await browser.unsubscribe();
      }
      return "off";
    },
  });
})();
