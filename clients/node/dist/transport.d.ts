/** Requests over connections that stay open (Node's own pool); what failed for the moment is sent again, byte for byte. */
export interface Request {
    readonly method: string;
    readonly path: string;
    readonly body?: string | undefined;
    /** Milliseconds of one try, from the connection to the last byte. */
    readonly timeout: number;
    /** Milliseconds for which the request repeats. */
    readonly patience?: number;
    /** Whether it may be done twice; otherwise it repeats only after an answer that says that nothing was done. */
    readonly repeatable?: boolean;
    /** Field by which the answer is known to be one of Recsite's; null: there is none, and it is empty. */
    readonly expects: string | null;
}
export declare class Transport {
    #private;
    constructor(url: string, headers: Readonly<Record<string, string>>);
    /** The JSON object of a good answer (2xx). Rejects with RecsiteErrors alone. */
    request(request: Request): Promise<unknown>;
}
/** JSON in UTF-8. Throws UnsendableError for what JSON cannot say, such as NaN. */
export declare function encoded(body: unknown): string;
/** A name as a part of an address. Throws UnsendableError. */
export declare function part(name: string): string;
