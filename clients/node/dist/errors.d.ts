/** Errors of the client. Whatever goes wrong is a RecsiteError, and what is none is a good answer of Recsite's. */
export declare const SHOWN = 200;
/** Any error of the client; a page that shows recommendations catches this one and goes on without. */
export declare class RecsiteError extends Error {
    constructor(message: string, options?: ErrorOptions);
}
/** The client was made with a url, a key or a time that cannot be used. */
export declare class SettingError extends RecsiteError {
}
/** What was to be sent cannot be said in JSON or in an address; nothing was sent. */
export declare class UnsendableError extends RecsiteError {
}
/** No answer: no connection, a time-out, or it broke off. `cause` says which. */
export declare class UnreachableError extends RecsiteError {
}
/** Nobody was asked: Recsite did not answer several times in a row just now. */
export declare class RestingError extends UnreachableError {
}
/** What answered is not Recsite's API: a redirect, a page of a proxy, or nothing that can be read as an answer. */
export declare class MisdirectedError extends RecsiteError {
    readonly status: number;
    constructor(message: string, status: number);
}
/** An answer that sends elsewhere (3xx). It is not followed: nothing was stored. `location` says where to. */
export declare class RedirectedError extends MisdirectedError {
    readonly location: string | null;
    constructor(status: number, location: string | null, url: string | null);
}
/** What is wrong at one place of the request; `pointer` is a JSON pointer (RFC 6901) or a parameter's name. */
export interface Flaw {
    readonly pointer: string;
    readonly message: string;
}
/**
 * An answer of 400 or more (RFC 9457). `members` holds all of its body, such as `results` of events. `requestId` is
 * what Recsite's log calls the request: tell it to whoever runs Recsite.
 */
export declare class ProblemError extends RecsiteError {
    readonly status: number;
    readonly members: Readonly<Record<string, unknown>>;
    /** Seconds. */
    readonly retryAfter: number | null;
    readonly requestId: string | null;
    readonly type: string;
    readonly title: string;
    readonly detail: string;
    readonly errors: readonly Flaw[];
    constructor(status: number, members: Readonly<Record<string, unknown>>, 
    /** Seconds. */
    retryAfter?: number | null, requestId?: string | null);
}
