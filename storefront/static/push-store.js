/* What this browser keeps about its notifications; the pages and the worker share it. Keys in it cannot be read out. */
"use strict";
(() => {
  const SHELF = "browser", OWN = "own";
  const opened = () => new Promise((done, failed) => {
    const asked = indexedDB.open("corner-shop", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(SHELF);
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const run = async (mode, work) => {
    const base = await opened();
    try {
      return await new Promise((done, failed) => {
        const asked = work(base.transaction(SHELF, mode).objectStore(SHELF));
        asked.onsuccess = () => done(asked.result);
        asked.onerror = () => failed(asked.error);
      });
    } finally { base.close(); }
  };
  globalThis.pushStore = {
    get: () => run("readonly", (shelf) => shelf.get(OWN)),
    put: (value) => run("readwrite", (shelf) => shelf.put(value, OWN)),
    clear: () => run("readwrite", (shelf) => shelf.delete(OWN)),
  };
})();
