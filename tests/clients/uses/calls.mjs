/** Every call that the Node client can make, in the order of CALLS in test_python_schema.py: node calls.mjs CLIENT URL KEY. */
const [module, url, key] = process.argv.slice(2);
const { Client, newEvent } = await import(module);
const client = new Client(url, key, { timeout: 30_000 });
const EVENT = {
  user_id: "u3", anonymous_id: "a3", session_id: "s3", value: "2.00", currency: "USD",
  items: [{ item_id: "tea-1", quantity: 1, price: "2.00", index: 3 }], recommendation_id: "r-1",
  context: { channel: "web", page: "/tea-1", locale: "en" }, consent: { personalisation: true },
};
const FIELDS = {
  title: "Green tea", price: "4.50", categories: ["FOOD > TEA"], brand: "Brand 1", availability: "in_stock",
  available_quantity: 3, available_time: "2026-09-01T00:00:00+00:00", tags: ["green"], attributes: { origin: "Assam" },
  rating: { average: 4.5, count: 2 },
};
const STATEMENT = {
  purpose: "for_you", state: "given", channel: "email", at: "2026-09-01T00:00:00+00:00", proof: { form: "checkout" },
};
const CONTACT = {
  email: "ann@example.com", language: "en", time_zone: "Europe/Paris", confirmed: true, consents: [STATEMENT],
};
const CONTACTS = [{ user_id: "u4", language: "zh-CN" }, { user_id: "u5", email: "nobody" }];
const WISH = {
  user_id: "u3", session_id: "s3", n: 4, exclude_item_ids: ["tea-9", "tea-8"], diversity: 0.2, fallback: "popular",
  personalise: true, lang: "en", fields: ["product", "reasons"], dry_run: true, rotation: 0.5, cursor: "AQECAkQC0eA",
};
const CONTEXT = { item_ids: ["tea-1"], basket: ["tea-2"], categories: ["FOOD"], search_term: "tea" };
const FILTER = { price: { gte: 1, lte: "9" }, categories: ["FOOD"], in_stock: true };
const RICH = {
  item_ids: ["tea-1", "tea-2"], not_brand: ["Brand 2"], not_categories: ["FOOD > SOAP"], tags: ["a"],
  not_tags: ["b"], attributes: { colour: ["red"], pack: [2], vegan: [true] },
};
const BOOSTS = [{ filter: RICH, strength: 50, name: "Summer" }, { filter: FILTER, strength: -5 }];
const OF_THE_PAST = process.argv.includes("--past") ? [
  () => client.answer("r-1"),
  () => client.answerAgain("r-1", { weights: 2, rules: 0 }),
  () => client.experiment("e1"),
  () => client.pauseAgent("x"),
  () => client.privacyRequest("7b0c3f0e"),
  () => client.receipts("7b0c3f0e"),
  () => client.trigger("visit", { user_id: "u3", key: "visit-1", item_ids: ["tea-1"] }),
] : [];
const CALLS = [
  () => client.sendEvents([newEvent("view_item", EVENT)]),
  () => client.mergeUsers({ anonymous_id: "a3", user_id: "u3", undo: false }),
  () => client.prove({ user_id: "u3", anonymous_id: "a3" }),
  () => client.changeCustomer("u3", { city: "Rome", age: 40, vip: true, old: null }),
  () => client.stateTaste("u3", { categories: ["FOOD > TEA"], item_ids: ["tea-1", "gone"] }),
  () => client.taste("u3"),
  () => client.withdrawTaste("u3"),
  () => client.putContact("u3", CONTACT),
  () => client.patchContact("u3", { time_zone: null }),
  () => client.contact("u3"),
  () => client.contacts(CONTACTS),
  () => client.eraseContact("u3"),
  () => client.messages("u3", { n: 2, before: "9" }),
  () => client.recommend("home"),
  () => client.recommend("home", { context: CONTEXT, ...WISH }),
  () => client.recommend("cart", { context: CONTEXT, filter: FILTER }),
  () => client.recommend("home", { filter: RICH, boosts: BOOSTS }),
  () => client.recommend("home", { boosts: BOOSTS, ...WISH }),
  () => client.recommendPage("cart"),
  () => client.recommendPage("home", {
    user_id: "u3", context: CONTEXT, slots: [{ placement: "home", n: 3 }], boosts: BOOSTS, rotation: 1,
  }),
  () => client.similar("tea-1", WISH),
  () => client.alike("tea-1", { by: "text", n: 3, exclude_item_ids: ["tea-2"], fields: ["product"] }),
  () => client.alsoBought("tea-1"),
  () => client.recommendToMany("email", [{ user_id: "u3" }, { anonymous_id: "a9" }], { n: 3 }),
  () => client.interests("u3", { n: 2 }),
  () => client.putItem("new/1", FIELDS),
  () => client.changeItem("new/1", { price: null, title: "Tea" }),
  () => client.putItems([{ item_id: "new/1", ...FIELDS }]),
  () => client.changeItems([{ item_id: "new/1", brand: null }]),
  () => client.retireItem("new/1"),
  () => client.experiments(),
  () => client.agents(),
  () => client.exportUser({ user_id: "u8", anonymous_ids: [], lang: "zh-hans", reference: "t-1" }),
  () => client.eraseUser({ user_id: "u8", anonymous_ids: ["a8"], mode: "block" }),
  () => client.eraseUsers([{ user_id: "u8" }]),
  () => client.sayPurpose({ user_id: "u7", purpose: "measure", state: "refused", proof: { form: "x" } }),
  () => client.privacyLink({ user_id: "u8", minutes: 5, lang: "en" }),
  () => client.heldAbout("u8"),
  ...OF_THE_PAST,
];
const answers = [];
for (const call of CALLS) answers.push((await call()) ?? null);
console.log(JSON.stringify(answers));
