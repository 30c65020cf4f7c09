/* Starts Recsite's tracker with what {% recsite_tracker %} wrote beside it: it counts who saw and clicked slots.
   All else of a visitor the shop's server tells. */
"use strict";
(() => {
  const { url, key, consent, anonymousId } = document.currentScript.dataset;
  window.recsite.init({
    url, key, consent: { yes: true, no: false }[consent], anonymous_id: anonymousId || undefined,
  });
})();
