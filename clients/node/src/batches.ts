/** Recommendations for more customers than one batch may have: parts of a job, and their answers joined. */

import { type Flaw, ProblemError } from "./errors.js";
import type { components } from "../schema.js";

type BatchUser = components["schemas"]["BatchUser"];
type BatchAnswer = components["schemas"]["BatchAnswer"];
type BatchResult = components["schemas"]["BatchResult"];

const MOST_USERS = 1_000;
const MOST_SLOTS = 10_000; // customers × items of a batch
const MOST_ITEMS = 100; // of an answer: as many as there may be where nobody says how many
const PLACE = "/users/";

/** A job as as many batches as it takes; one without customers is a batch, too, and is refused as such. */
export function partsOf(users: readonly BatchUser[], n: number | null | undefined): BatchUser[][] {
  const items = Math.min(Math.max(n || MOST_ITEMS, 1), MOST_ITEMS);
  const size = Math.max(1, Math.min(MOST_USERS, Math.floor(MOST_SLOTS / items)));
  const parts: BatchUser[][] = [];
  for (let first = 0; first < Math.max(users.length, 1); first += size) parts.push(users.slice(first, first + size));
  return parts;
}

/** Ask for each part; one answer, as if one batch had been asked for. Rejects with the ProblemError of a part. */
export async function joined(
  placement: string,
  parts: readonly BatchUser[][],
  ask: (users: BatchUser[]) => Promise<BatchAnswer>,
): Promise<BatchAnswer> {
  const [only] = parts;
  if (parts.length === 1 && only) return ask(only);
  const whole: BatchAnswer = { placement, answered: 0, rejected: 0, results: [] };
  let last: ProblemError | null = null;
  for (const part of parts) {
    const first = whole.results.length;
    let answer: BatchAnswer;
    try {
      answer = await ask(part);
    } catch (error) {
      if (!(error instanceof ProblemError) || !isOfCustomers(error, part)) throw error;
      last = error;
      answer = { placement, answered: 0, rejected: part.length, results: error.errors.map(refused) };
    }
    whole.answered += answer.answered;
    whole.rejected += answer.rejected;
    whole.results.push(...answer.results.map((result) => moved(result, first)));
  }
  if (last && !whole.answered) throw last;
  return whole;
}

/** Whether the part was refused for no other reason than that each of its customers is named wrongly. */
function isOfCustomers(error: ProblemError, part: readonly BatchUser[]): boolean {
  const named = error.errors.filter((flaw) => flaw.pointer.startsWith(PLACE));
  return error.status === 400 && named.length === error.errors.length && named.length === part.length;
}

function refused(flaw: Flaw): BatchResult {
  return { user_id: null, anonymous_id: null, errors: [{ ...flaw }] };
}

/** The result with pointers into the whole job. */
function moved(result: BatchResult, by: number): BatchResult {
  if (!by || !result.errors) return result;
  return { ...result, errors: result.errors.map((flaw) => ({ ...flaw, pointer: further(flaw.pointer, by) })) };
}

function further(pointer: string, by: number): string {
  const [place, ...rest] = pointer.slice(PLACE.length).split("/");
  return PLACE + [String(Number(place) + by), ...rest].join("/");
}
