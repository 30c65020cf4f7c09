/** Breaker: after several failures in a row nobody waits for Recsite for a short time, and then one asks for all. */
/** Closed, open (everybody fails at once), or with one probe under way. */
export declare class CircuitBreaker {
    #private;
    private readonly rest;
    constructor(rest?: number);
    /** Ask, and watch what comes of it. Rejects with RestingError where nobody may ask now. */
    watched<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
}
