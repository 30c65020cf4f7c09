/** What a shop writes with the types of openapi-typescript: the least that each body needs, and nothing that is wrong. */
import type { components, operations, paths } from "./schema";

type Schemas = components["schemas"];
type Body<Path extends keyof paths> = paths[Path] extends { post: { requestBody: { content: { "application/json": infer T } } } }
  ? T
  : never;

export const event: Schemas["EventForm"] = {
  event_id: "0192f0c1-2b3c-7d4e-8f90-a1b2c3d4e5f6",
  name: "view_item",
  timestamp: "2026-11-20T10:02:11Z",
  items: [{ item_id: "SKU1" }],
};
export const one: Body<"/api/v1/events/"> = event;
export const many: Body<"/api/v1/events/"> = { events: [event] };
export const wish: Body<"/api/v1/placements/{placement}/recommend/"> = { user_id: "u1" };
export const page: Body<"/api/v1/pages/{page}/recommend/"> = { slots: [{ placement: "home" }] };
export const batch: Body<"/api/v1/recommendations/batch/"> = { placement: "email", users: [{ user_id: "u1" }] };
export const item: Schemas["ItemForm"] = { title: "Tea" };
export const who: Schemas["IdentityBody"] = { user_id: "u1" };
export const merger: Schemas["MergeBody"] = { anonymous_id: "a9", user_id: "u1" };
export const query: operations["recommend_simply"]["parameters"]["query"] = { n: 3, fields: ["product"] };

export function first(answer: Schemas["Recommendations"]): string {
  const [result] = answer.results;
  return result?.product?.title ?? result?.item_id ?? answer.fallback_reason ?? "";
}

export function why(problem: Schemas["Problem"]): string {
  return problem.errors.map((flaw) => `${flaw.pointer} ${flaw.message}`).join() + (problem.instance ?? "");
}

// @ts-expect-error - a body that is required
export const none: Body<"/api/v1/events/"> = undefined;
// @ts-expect-error - a placement of a batch
export const nowhere: Body<"/api/v1/recommendations/batch/"> = { users: [] };
// @ts-expect-error - no such field
export const odd: Body<"/api/v1/placements/{placement}/recommend/"> = { colour: "red" };
