/** Errors of the client. Whatever goes wrong is a RecsiteError, and what is none is a good answer of Recsite's. */
export const SHOWN = 200; // characters of an answer that an error shows
/** Any error of the client; a page that shows recommendations catches this one and goes on without. */
export class RecsiteError extends Error {
    constructor(message, options) {
        super(message, options);
        this.name = new.target.name;
    }
}
/** The client was made with a url, a key or a time that cannot be used. */
export class SettingError extends RecsiteError {
}
/** What was to be sent cannot be said in JSON or in an address; nothing was sent. */
export class UnsendableError extends RecsiteError {
}
/** No answer: no connection, a time-out, or it broke off. `cause` says which. */
export class UnreachableError extends RecsiteError {
}
/** Nobody was asked: Recsite did not answer several times in a row just now. */
export class RestingError extends UnreachableError {
}
/** What answered is not Recsite's API: a redirect, a page of a proxy, or nothing that can be read as an answer. */
export class MisdirectedError extends RecsiteError {
    status;
    constructor(message, status) {
        super(message);
        this.status = status;
    }
}
/** An answer that sends elsewhere (3xx). It is not followed: nothing was stored. `location` says where to. */
export class RedirectedError extends MisdirectedError {
    location;
    constructor(status, location, url) {
        const where = `${status} redirected to ${location || "nowhere"}`;
        super(url ? `${where}: use the url ${url}` : `${where}; an API of Recsite's does not redirect`, status);
        this.location = location;
    }
}
/**
 * An answer of 400 or more (RFC 9457). `members` holds all of its body, such as `results` of events. `requestId` is
 * what Recsite's log calls the request: tell it to whoever runs Recsite.
 */
export class ProblemError extends RecsiteError {
    status;
    members;
    retryAfter;
    requestId;
    type;
    title;
    detail;
    errors;
    constructor(status, members, 
    /** Seconds. */
    retryAfter = null, requestId = null) {
        const errors = flawsOf(members.errors);
        const title = text(members.title);
        const detail = text(members.detail);
        const places = errors.slice(0, 3).map((flaw) => `; ${flaw.pointer}: ${flaw.message}`);
        super(`${status} ${title}: ${detail}${places.join("")}`);
        this.status = status;
        this.members = members;
        this.retryAfter = retryAfter;
        this.requestId = requestId;
        this.type = text(members.type) || "about:blank";
        this.title = title;
        this.detail = detail;
        this.errors = errors;
    }
}
function flawsOf(errors) {
    if (!Array.isArray(errors))
        return [];
    return errors
        .filter((error) => typeof error === "object" && error !== null)
        .map((error) => ({ pointer: text(error.pointer), message: text(error.message) }));
}
function text(value) {
    return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}
