/* Recsite's tracker: tells what happens on a shop's pages, each event once, and fills slots there (docs/storefront.md).
   As a script or a module it is window.recsite. No cookie, and nothing is kept without consent. */
"use strict";
(() => {
  const STORE = "recsite", MOST = 200, BATCH = 50, LARGEST = 2e4, SOON = 50, LONGEST = 6e4, IDLE = 18e5, PATIENCE = 2e3;
  const NO = { personalisation: false };
  const NOBODY = { user_id: undefined, anonymous_id: undefined, proof: undefined, session_id: undefined };
  const seen = new WeakSet(), asked = new WeakSet();
  let at, key, patience, names = {}, visitor, session, consent, say, eyes, later;
  let queue = [], flying = [], timer, tries = 0, ready = 0;

  const uuid = () => "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
    (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));

  const agreed = (said) => (said === Object(said)
    ? (said.personalization_storage || said.ad_personalization) === "granted" : said);
  const allow = (said) => {
    consent = agreed(said);
    if (consent && said.analytics_storage) say = { ...say, measure: said.analytics_storage === "granted" };
  };

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
    // A thank-you page that is loaded again tells of the same order.
    const order = name === "purchase" && fields?.transaction_id;
    const row = {
      event_id: order ? `purchase:${order}`.slice(0, 128) : uuid(),
      name, timestamp: new Date().toISOString(), ...who(), consent: consent === false ? NO : say,
      context: { channel: "web", page: location.pathname, locale: navigator.language }, ...fields,
    };
    say = undefined;
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

  const post = (where, body, within, keepalive) => fetch(where, {
    method: "POST", credentials: "omit", keepalive, body: JSON.stringify(body), signal: AbortSignal.timeout(within),
    headers: { Authorization: `Api-Key ${key}`, "Content-Type": "application/json" },
  });

  const send = async () => {
    timer = clearTimeout(timer);
    const rows = part(queue);
    if (!at || !rows[0] || flying[0]) return;
    if (Date.now() < ready) return plan(0);
    flying = rows;
    let wait = 1;
    try {
      const answer = await post(at, { events: rows }, 2e4, true);
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
    flying = [];
    if (wait) ready = Date.now() + Math.max(wait, Math.min(LONGEST, 500 * 2 ** tries++) * (0.5 + Math.random() / 2));
    if (queue[0]) plan(0);
  };

  // A beacon has no answer: where the queue is kept, the next page sends it again, and Recsite sees duplicates.
  const leave = () => {
    for (let rows; at && (rows = part(queue.filter((row) => !flying.includes(row))))[0];) {
      const body = new Blob([JSON.stringify({ api_key: key, events: rows })], { type: "text/plain" });
      if (!navigator.sendBeacon(at, body)) return;
      queue = queue.filter((row) => !rows.includes(row));
    }
  };

  const tell = (target, name, detail) =>
    target.dispatchEvent(new CustomEvent(`recsite:${name}`, { bubbles: true, detail }));
  // Ids that may be kept, for the shop's own cookie.
  const ids = () => {
    const { anonymous_id = "", session_id = "" } = consent ? who() : {};
    return { anonymous_id, session_id };
  };

  // What a page is about stands in attributes: ids with commas between them, or as JSON.
  const about = (name) => document.querySelector(`[data-recsite-${name}]`)?.getAttribute(`data-recsite-${name}`);
  const list = (text) =>
    (text?.[0] === "[" ? JSON.parse(text) : text?.split(",").map((one) => one.trim()).filter(Boolean));
  const language = () => document.documentElement.lang || undefined;
  const money = ({ price, currency }) => {
    try { return price && new Intl.NumberFormat(language(), { style: "currency", currency }).format(price); } catch {
      return `${price} ${currency}`;
    }
  };
  // The page's own pattern before the catalogue's address; rid says there which answer it was.
  const address = (item_id, url, rid) => {
    const path = about("href")?.replace("{id}", encodeURIComponent(item_id)) || url;
    try {
      const to = path && new URL(path, document.baseURI);
      to.search += `${to.search && "&"}rid=${rid}`;
      return /^https?:/.test(to) && to.href;
    } catch { /* without an address there is no tile */ }
  };

  const piece = (tag, name, ...inside) => {
    const node = document.createElement(tag);
    node.className = `recsite-${name}`;
    node.dataset.recsitePart = name;
    node.append(...inside);
    return node;
  };
  // Picture and title are one link, which is read aloud once: by its title.
  const plain = () => {
    const image = piece("img", "image");
    Object.assign(image, { alt: "", loading: "lazy" });
    const link = piece("a", "link", image, piece("span", "title"));
    return piece("li", "tile", link, piece("span", "price"), piece("span", "reason"));
  };
  const tileOf = (slot, { item_id, rank, product, reasons }, rid) => {
    const link = address(item_id, product.url, rid);
    if (!link) return;
    const own = [slot, document].map((root) => root.querySelector("template[data-recsite-tile]")).find(Boolean);
    const tile = (own && document.importNode(own.content, true).firstElementChild) || plain();
    const { title, brand, image_url: image } = product;
    const values = { link, image, title, brand, price: money(product), reason: reasons[0]?.text };
    for (const node of [tile, ...tile.querySelectorAll("[data-recsite-part]")]) {
      const name = node.dataset.recsitePart, value = values[name];
      if (!(name in values)) continue;
      if (!value) node.remove();
      else if (name === "link") node.href = value;
      else if (name !== "image") node.textContent = value;
      else {
        node.src = value;
        if (!node.hasAttribute("alt")) node.alt = title;
      }
    }
    Object.assign(tile.dataset, { itemId: item_id, index: rank });
    return tile.matches("li") ? tile : piece("li", "item", tile);
  };

  const show = (slot, answer) => {
    const rows = answer?.results.map((result) => tileOf(slot, result, answer.recommendation_id)).filter(Boolean) || [];
    slot.ariaBusy = null;
    slot.hidden = !rows[0];
    if (!rows[0]) return;
    let head = slot.querySelector("h1,h2,h3,h4,h5,h6");
    if (!head && slot.dataset.recsiteTitle) slot.append((head = piece("h2", "heading", slot.dataset.recsiteTitle)));
    if (head && !slot.ariaLabel && !slot.hasAttribute("aria-labelledby"))
      slot.setAttribute("aria-labelledby", (head.id ||= `recsite-${slot.dataset.recsiteSlot}`));
    const shelf = piece("ul", "list", ...rows);
    shelf.role = "list"; // without bullets Safari takes it for none
    slot.append(shelf);
    slot.dataset.recommendationId = answer.recommendation_id;
    tell(slot, "filled", answer);
  };
  const question = (slots) => {
    const items = list(about("items")), basket = list(about("basket")), path = about("category");
    const categories = path?.[0] === "[" ? list(path) : path && [path], term = about("search");
    const page = about("page") || (term ? "search" : path ? "category" : items ? "item" : basket ? "cart" : "home");
    const wanted = new Map(slots.map(({ dataset }) => [dataset.recsiteSlot, +dataset.recsiteN || undefined]));
    return [`${at.slice(0, -7)}pages/${encodeURIComponent(page)}/recommend/`, {
      ...who(), personalise: consent !== false, lang: language(), only: true,
      context: { item_ids: items, basket, categories, search_term: term },
      slots: [...wanted].map(([placement, n]) => ({ placement, n })),
      fields: ["product", "reasons", ...(list(about("fields")) || [])],
    }];
  };
  const fill = async (slots) => {
    let answers = [];
    try {
      const answer = await post(...question(slots), patience);
      const { slots: given, detail, errors } = await answer.json();
      if (given) answers = given;
      else console.warn("recsite:", detail, errors);
    } catch (error) { // too late, or away: nothing is shown
      // Of an answer without CORS a browser says no more than of none.
      console.warn("recsite:", error, error.name === "TypeError" ? "Recsite is away, or the page key does not allow " +
        "this: see its origins and scopes (recommendations:read) in Setup, API keys" : "");
    }
    for (const slot of slots) show(slot, answers.find(({ placement }) => placement === slot.dataset.recsiteSlot));
    watch();
  };

  const tiles = (slot) => [...slot.querySelectorAll("[data-item-id]")];
  const slotOf = (tile) => tile?.closest("[data-recsite-slot]");
  const line = ({ dataset }, place) => ({ item_id: dataset.itemId, index: +(dataset.index || place + 1) });
  const shown = ({ dataset }, items) => ({ recommendation_id: dataset.recommendationId || undefined, items });
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
    const empty = [];
    for (const slot of root.querySelectorAll("[data-recsite-slot]")) {
      if (tiles(slot)[0]) eyes.observe(tiles(slot)[0]);
      else if (at && !asked.has(slot)) {
        asked.add(slot);
        slot.ariaBusy = true;
        empty.push(slot);
      }
    }
    if (empty[0]) fill(empty);
  };
  const clicked = ({ target, button }) => {
    const tile = target.closest("[data-item-id]"), slot = slotOf(tile);
    if (slot && button < 2 && target.closest("a") && !target.closest("[data-recsite-why]"))
      track("select_item", shown(slot, [line(tile, tiles(slot).indexOf(tile))]));
  };

  // Google's ecommerce events: gtag pushes arguments, Tag Manager an object.
  const ALONE = ["view_cart", "begin_checkout"];
  const ABOUT_ITEMS = [
    "view_item_list", "select_item", "view_item", "add_to_cart", "remove_from_cart", "add_to_wishlist", "purchase",
  ];
  const number = (value) => (value == null || value === "" || isNaN(value) ? undefined : +value);
  const lineOf = ({ item_id, item_name, price, quantity, index }) => ({
    item_id: `${item_id ?? item_name ?? ""}`, price: number(price), quantity: number(quantity),
    index: Number.isInteger(index) ? index + 1 : undefined, // Google counts from 0
  });
  const fromDataLayer = (layer = (globalThis.dataLayer ||= [])) => {
    let held;
    const take = (row) => {
      if (!row || typeof row !== "object") return;
      const gtag = row[0] === "event";
      if (!gtag && "ecommerce" in row) held = row.ecommerce;
      const name = gtag ? row[1] : row.event, data = (gtag ? row[2] : { ...row, ...held }) || {};
      const items = [data.items || []].flat().map(lineOf).filter(({ item_id }) => item_id);
      const { transaction_id, currency, search_term } = data;
      if (["search", "view_search_results"].includes(name) && search_term) track("search", { search_term });
      else if (ALONE.includes(name) || (ABOUT_ITEMS.includes(name) && items[0]))
        track(name, { items, currency, ...(transaction_id && { transaction_id: `${transaction_id}` }) });
    };
    if (asked.has(layer)) return;
    asked.add(layer);
    const listen = () => {
      layer.forEach(take);
      const { push } = layer;
      layer.push = (...rows) => {
        const length = push.apply(layer, rows);
        rows.forEach(take);
        return length;
      };
    };
    // Before init nobody has said whose events they are.
    if (at) listen();
    else later = listen;
  };

  const one = (name) => (item_id, line, fields) => track(name, { items: [{ item_id, ...line }], ...fields });
  globalThis.recsite = {
    init(options) {
      at = `${options.url.replace(/\/+$/, "")}/api/v1/events/`;
      ({ key, consent, timeout: patience = PATIENCE, ...names } = options);
      allow(consent);
      queue = [...(kept().queue || []), ...queue].slice(-MOST);
      if (!eyes) {
        addEventListener("click", clicked, true);
        addEventListener("auxclick", clicked, true);
        addEventListener("pagehide", leave);
        addEventListener("online", () => { ready = 0; send(); });
        document.addEventListener("visibilitychange", () => document.hidden && send());
      }
      if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => watch());
      else watch();
      tell(document, "ids", ids());
      later = later?.();
      plan(SOON);
    },
    identify(id, proof) {
      Object.assign(names, { user_id: id, proof });
      if (!id) {
        keep({ id: (names.anonymous_id = visitor = undefined), last: 0 });
        tell(document, "ids", ids());
      }
    },
    consent(said) {
      const yes = agreed(said);
      if (!yes && consent !== false) {
        queue.forEach((row) => Object.assign(row, NOBODY, { consent: NO }));
        say = NO;
        track("view_item_list"); // the objection: an event that says nothing else
        try { localStorage.removeItem(STORE); } catch { /* there is none */ }
        visitor = session = undefined;
      }
      if (yes && !consent) say = { personalisation: true };
      allow(said);
      keep({ queue });
      tell(document, "ids", ids());
    },
    track, watch, ids, fromDataLayer, here: () => ({ at, key, ...who() }),
    viewHome: (fields) => track("view_homepage", fields),
    search: (search_term, fields) => track("search", { search_term, ...fields }),
    beginCheckout: (items, fields) => track("begin_checkout", { items, ...fields }),
    purchase: (transaction_id, items, fields) => track("purchase", { transaction_id, items, ...fields }),
    viewItem: one("view_item"), addToCart: one("add_to_cart"), removeFromCart: one("remove_from_cart"),
  };
})();
