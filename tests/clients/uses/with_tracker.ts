/** What a shop writes with the tracker, checked by tsc against its types and, as JavaScript, run with it. */
import "./recsite.js";
import "./recsite-push.js";
import type { RecsiteFields, RecsiteTracker } from "./recsite.js";

recsite.init({ url: "https://recsite.example", key: "a.b", consent: true, user_id: "u1", anonymous_id: "a9", proof: "p" });
window.recsite.identify("u1", "proof");
recsite.identify();
recsite.consent(false);
const fields: RecsiteFields = { recommendation_id: "r-1" };
const id: string = recsite.viewItem("SKU1", {}, fields);
recsite.addToCart("SKU1", { quantity: 2, price: "19.90", index: 3 });
recsite.removeFromCart("SKU1");
recsite.viewHome();
recsite.search("tea", { items: [{ item_id: "SKU1" }] });
recsite.beginCheckout([{ item_id: "SKU1" }], { value: 19.9, currency: "EUR" });
recsite.purchase("order-1", [{ item_id: "SKU1", quantity: 1, price: 19.9 }]);
recsite.track("add_to_wishlist", { items: [{ item_id: "SKU1" }] });
recsite.watch(document.body);
const state: "on" | "denied" | "unsupported" | "failed" = await recsite.askToPush({ purposes: ["for_you"], proof: "p" });
await recsite.stopPush({ worker: "/worker.js" });
await recsite.pushTo({ endpoint: "https://push.example.com/1", keys: { p256dh: "B", auth: "A" } }, { purposes: ["news"] });
export const used: [string, string, RecsiteTracker] = [id, state, recsite];

// @ts-expect-error - no such purpose
recsite.askToPush({ purposes: ["ads"] });
// @ts-expect-error - an address is needed
recsite.init({ key: "a.b" });
// @ts-expect-error - an item by its id
recsite.viewItem({ item_id: "SKU1" });
// @ts-expect-error - no such field
recsite.track("search", { query: "tea" });
// @ts-expect-error - no such act
recsite.buy("SKU1");
