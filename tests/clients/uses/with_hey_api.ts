/** What a shop writes with the client of @hey-api/openapi-ts; it is run against a real Recsite, too. */
import { client } from "./generated/client.gen.js";
import { events, metrics, recommend, recommendSimply } from "./generated/index.js";

declare const process: { argv: string[] };
const [url, key] = process.argv.slice(2) as [string, string];
client.setConfig({ baseUrl: url, auth: () => `Api-Key ${key}` });

const sent = await events({
  body: {
    event_id: crypto.randomUUID(),
    name: "view_item",
    timestamp: new Date().toISOString(),
    user_id: "u1",
    items: [{ item_id: "tea-1" }],
  },
});
const simply = await recommendSimply({ path: { placement: "home" }, query: { user_id: "u1", n: 3 } });
const wished = await recommend({ path: { placement: "cart" }, body: { context: { basket: ["tea-1"] }, n: 2 } });
const refused = await recommendSimply({ path: { placement: "nowhere" } });
const figures = await metrics();
console.log(
  JSON.stringify({
    accepted: sent.data?.accepted,
    simply: simply.data?.results.length,
    wished: wished.data?.results.map((result) => result.product?.title),
    refused: refused.error?.status,
    figures: typeof figures.data,
  }),
);

// @ts-expect-error - a body is needed
events({});
