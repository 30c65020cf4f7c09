/* Service worker of a shop that notifies: shows what Recsite sends to this browser, each message once, and opens what it
   is about when it is pressed. Put it at the root of your shop, or import it into the worker that you have. */
"use strict";
(() => {
  const MOST = 50, SHELF = "recsite", SEEN = "/recsite-seen";
  let turn = Promise.resolve();

  // A message that is sent again after a broken line has the same id.
  const isNew = (id) => (turn = turn.then(async () => {
    const shelf = await caches.open(SHELF), stored = await shelf.match(SEEN), seen = stored ? await stored.json() : [];
    if (seen.includes(id)) return false;
    await shelf.put(SEEN, new Response(JSON.stringify([...seen, id].slice(-MOST))));
    return true;
  }, () => true));

  globalThis.recsiteShow = async ({ id, title, body, icon, url }) => {
    if (!(await isNew(id))) return false;
    await registration.showNotification(title, { body, icon, tag: id, data: { url } });
    return true;
  };
  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("push", (event) => event.data && event.waitUntil(recsiteShow(event.data.json())));
  addEventListener("notificationclick", (event) => {
    const { url } = event.notification.data || {};
    event.notification.close();
    if (/^https?:/.test(url)) event.waitUntil(clients.openWindow(url));
  });
})();
