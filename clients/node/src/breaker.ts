/** Breaker: after several failures in a row nobody waits for Recsite for a short time, and then one asks for all. */

import { ProblemError, RestingError, UnreachableError } from "./errors.js";

const FAILURES = 5; // in a row
const WINDOW = 10_000; // milliseconds within which they come
const REST = 2_000; // milliseconds until one may ask again
/** Statuses by which a proxy says that Recsite gave it no answer; any other answer shows that it is there. */
const AWAY = new Set([502, 504]);

/** Closed, open (everybody fails at once), or with one probe under way. */
export class CircuitBreaker {
  #failures: number[] = [];
  #openUntil: number | null = null;
  #probing = false;

  constructor(private readonly rest: number = REST) {}

  /** Ask, and watch what comes of it. Rejects with RestingError where nobody may ask now. */
  async watched<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const probe = this.#enter();
    try {
      const answer = await ask();
      this.#note(true, probe);
      return answer;
    } catch (error) {
      this.#note(!isFailure(error), probe);
      throw error;
    }
  }

  #enter(): boolean {
    if (this.#openUntil === null) return false;
    if (this.#probing || performance.now() < this.#openUntil) {
      throw new RestingError("Recsite did not answer a moment ago");
    }
    this.#probing = true;
    return true;
  }

  #note(answers: boolean, probe: boolean): void {
    if (probe) this.#probing = false;
    if (answers) {
      this.#failures = [];
      this.#openUntil = null;
    } else if (probe || this.#openUntil === null) {
      // Others were under way when it opened, and say nothing new.
      const now = performance.now();
      this.#failures = [...this.#failures, now].slice(-FAILURES);
      const full = this.#failures.length === FAILURES && now - (this.#failures[0] ?? now) <= WINDOW;
      if (probe || full) this.#openUntil = now + this.rest;
    }
  }
}

function isFailure(error: unknown): boolean {
  return error instanceof UnreachableError || (error instanceof ProblemError && AWAY.has(error.status));
}
