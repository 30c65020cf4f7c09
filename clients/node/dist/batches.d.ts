/** Recommendations for more customers than one batch may have: parts of a job, and their answers joined. */
import type { components } from "../schema.js";
type BatchUser = components["schemas"]["BatchUser"];
type BatchAnswer = components["schemas"]["BatchAnswer"];
/** A job as as many batches as it takes; one without customers is a batch, too, and is refused as such. */
export declare function partsOf(users: readonly BatchUser[], n: number | null | undefined): BatchUser[][];
/** Ask for each part; one answer, as if one batch had been asked for. Rejects with the ProblemError of a part. */
export declare function joined(placement: string, parts: readonly BatchUser[][], ask: (users: BatchUser[]) => Promise<BatchAnswer>): Promise<BatchAnswer>;
export {};
