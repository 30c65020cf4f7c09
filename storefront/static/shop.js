/* The shop's pages tell Recsite what happens on them; what the page is about stands in its attributes. */
import "/static/recsite.js";

const { recsite } = globalThis;
const page = document.body.dataset;
const choice = { yes: true, no: false }[page.consent];

recsite.init({
  url: page.recsite,
  key: page.key,
  consent: page.saysConsent ? undefined : choice,
  user_id: page.userId || undefined,
  anonymous_id: page.anonymousId || undefined,
  proof: page.proof || undefined,
  session_id: page.sessionId || undefined,
});
if (page.saysConsent) recsite.consent(page.saysConsent === "yes");
for (const { name, ...fields } of JSON.parse(page.events)) recsite.track(name, fields);

document.addEventListener("submit", ({ target }) => {
  const { add, wish, price, recommendationId, remove, checkout } = target.dataset;
  const list = { recommendation_id: recommendationId || undefined };
  if (add) recsite.addToCart(add, { quantity: 1, price }, list);
  if (wish) recsite.track("add_to_wishlist", { items: [{ item_id: wish, price }], ...list });
  if (remove) recsite.removeFromCart(remove);
  if (checkout !== undefined) recsite.beginCheckout();
});

// Tiles that the tracker makes are asked why as those of the server are.
const why = document.getElementById("why");
if (why) document.addEventListener("recsite:filled", ({ target, detail }) => {
  for (const { item_id, product, why: given } of detail.results) {
    const tile = target.querySelector(`[data-item-id="${CSS.escape(item_id)}"]`);
    if (!tile || !given) continue;
    const own = document.importNode(why.content, true).firstElementChild, last = own.querySelector("li");
    own.querySelector("span").textContent = ` ${product.title}`;
    own.querySelector("p").textContent = given.text;
    last.firstElementChild.href = given.main_parameters_url;
    for (const { url, label } of given.actions) {
      const row = last.cloneNode(true);
      Object.assign(row.firstElementChild, { href: url, textContent: label });
      last.before(row);
    }
    (tile.querySelector(".reason") || tile.querySelector("a")).after(own);
  }
});
