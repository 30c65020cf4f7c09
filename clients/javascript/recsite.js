/* Recsite's tracker: what happens on a shop's pages, in batches, each event once. docs/storefront.md says how.
   As a script or a module; either way it is window.recsite. No cookie, and nothing is kept without consent. */
"use strict";
(() => {
  const STORE = "recsite", MOST = 200, BATCH = 50, LARGEST = 2e4, SOON = 50, LONGEST = 6e4, IDLE = 18e5;
  const NO = { personalisation: false };
  const NOBODY = { user_id: undefined, anonymous_id: undefined, proof: undefined, session_id: undefined, consent: NO };
  const seen = new WeakSet(), flying = new Set();
  let at, key, names = {}, visitor, session, consent, say, queue = [], timer, tries = 0, ready = 0, eyes;

  const uuid = () => "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
    (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));

  // Shared with the shop's other tabs; a browser may refuse.
  const kept = () => {
    try { return (consent && JSON.parse(localStorage.getItem(STORE))) || {}; } catch { return {}; }
  };
  const keep = (change) => {
    try { if (consent) localStorage.setItem(STORE, JSON.stringify({ ...kept(), ...change })); } catch { /* full */ }
  };

  const who = () => {
    if (consent === false) return NOBODY;
    const { id, run, last } = kept(), now = Date.now(), { user_id, anonymous_id, proof, session_id } = names;
    if (!anonymous_id) visitor ||= id || uuid();
    if (consent) session = now - last < IDLE ? run : uuid();
    keep({ id: visitor, run: session, last: now });
    return { user_id, anonymous_id: anonymous_id || visitor, proof, session_id: session_id || session };
  };
  const track = (name, fields) => {
    const row = {
      event_id: uuid(), name, timestamp: new Date().toISOString(), ...who(), ...(say && { consent: say }),
      context: { channel: "web", page: location.pathname, locale: navigator.language }, ...fields,
    };
    say = 0;
    queue = [...queue, row].slice(-MOST);
    keep({ queue: [...(kept().queue || []), row].slice(-MOST) });
    plan(SOON);
    return row.event_id;
  };

  const plan = (wait) => { timer ||= setTimeout(send, Math.max(wait, ready - Date.now())); };
  // Browsers let 64 KB at once outlive a page.
  const part = (rows) => {
    let size = 0;
    return rows.slice(0, BATCH).filter((row, place) => (size += JSON.stringify(row).length) < LARGEST || !place);
  };

  const send = async () => {
    timer = clearTimeout(timer);
    const rows = part(queue);
    if (!at || !rows[0] || flying.size) return;
    if (Date.now() < ready) return plan(0);
    rows.forEach((row) => flying.add(row));
    let wait = 1;
    try {
      const answer = await fetch(at, {
        method: "POST", keepalive: true, credentials: "omit", body: JSON.stringify({ events: rows }),
        headers: { Authorization: `Api-Key ${key}`, "Content-Type": "application/json" },
        signal: AbortSignal.timeout(2e4),
      });
      if ([202, 400, 413].includes(answer.status)) {
        // Every row has its verdict; one that was rejected would be rejected again.
        const { results, detail } = await answer.json();
        const bad = results?.filter((row) => row.verdict === "rejected");
        if (!results || bad[0]) console.warn("recsite:", detail, bad);
        const ids = rows.map((row) => row.event_id), left = (row) => !ids.includes(row.event_id);
        queue = queue.filter(left);
        keep({ queue: kept().queue?.filter(left) });
        wait = tries = 0;
      } else wait = 1e3 * answer.headers.get("Retry-After") || 1;
    } catch { /* no network: again, with the same ids and times */ }
    flying.clear();
    if (wait) ready = Date.now() + Math.max(wait, Math.min(LONGEST, 500 * 2 ** tries++) * (0.5 + Math.random() / 2));
    if (queue[0]) plan(0);
  };

  // A beacon has no answer: where the queue is kept, the next page sends it again, and Recsite sees duplicates.
  const leave = () => {
    for (let rows; at && (rows = part(queue.filter((row) => !flying.has(row))))[0];) {
      const body = new Blob([JSON.stringify({ api_key: key, events: rows })], { type: "text/plain" });
      if (!navigator.sendBeacon(at, body)) return;
      queue = queue.filter((row) => !rows.includes(row));
    }
  };

  const tiles = (slot) => [...slot.querySelectorAll("[data-item-id]")];
  const slotOf = (tile) => tile?.closest("[data-recsite-slot]");
  const line = (tile, place) => ({ item_id: tile.dataset.itemId, index: +(tile.dataset.index || place + 1) });
  const shown = (slot, lines) => ({ recommendation_id: slot.dataset.recommendationId || undefined, items: lines });
  const watch = (root = document) => {
    // A slate was shown when its first tile was in view: a slot may be higher than the window.
    eyes ||= new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const slot = slotOf(entry.target);
        if (!entry.isIntersecting || seen.has(slot)) continue;
        seen.add(slot);
        track("view_item_list", shown(slot, tiles(slot).map(line)));
      }
    }, { threshold: 0.5 });
    root.querySelectorAll("[data-recsite-slot]").forEach((slot) => tiles(slot)[0] && eyes.observe(tiles(slot)[0]));
  };
  const clicked = ({ target, button }) => {
    const tile = target.closest("[data-item-id]"), slot = slotOf(tile);
    if (slot && button < 2 && target.closest("a"))
      track("select_item", shown(slot, [line(tile, tiles(slot).indexOf(tile))]));
  };

  const one = (name) => (item_id, line, fields) => track(name, { items: [{ item_id, ...line }], ...fields });
  globalThis.recsite = {
    init(options) {
      at = `${options.url.replace(/\/+$/, "")}/api/v1/events/`;
      ({ key, consent, ...names } = options);
      queue = [...(kept().queue || []), ...queue].slice(-MOST);
      if (!eyes) {
        addEventListener("click", clicked, true);
        addEventListener("auxclick", clicked, true);
        addEventListener("pagehide", leave);
        addEventListener("online", () => { ready = 0; send(); });
        document.addEventListener("visibilitychange", () => document.hidden && send());
      }
      watch();
      plan(SOON);
    },
    identify(id, proof) {
      Object.assign(names, { user_id: id, proof });
      if (!id) keep({ id: (names.anonymous_id = visitor = undefined), last: 0 });
    },
    consent(yes) {
      if (!yes && consent !== false) {
        queue.forEach((row) => Object.assign(row, NOBODY));
        say = NO;
        track("view_item_list"); // the objection: an event that says nothing else
        try { localStorage.removeItem(STORE); } catch { /* there is none */ }
        visitor = session = undefined;
      }
      if (yes && !consent) say = { personalisation: true };
      consent = yes;
      keep({ queue });
    },
    track, watch,
    viewHome: (fields) => track("view_homepage", fields),
    search: (search_term, fields) => track("search", { search_term, ...fields }),
    beginCheckout: (items, fields) => track("begin_checkout", { items, ...fields }),
    purchase: (transaction_id, items, fields) => track("purchase", { transaction_id, items, ...fields }),
    viewItem: one("view_item"), addToCart: one("add_to_cart"), removeFromCart: one("remove_from_cart"),
  };
})();
