/** `Client`: one method for each thing that the API does, named as in the Python client. */
import { joined, partsOf } from "./batches.js";
import { CircuitBreaker } from "./breaker.js";
import { SettingError, UnsendableError } from "./errors.js";
import { encoded, part, Transport } from "./transport.js";
const API = "/api/v1";
const AGENT = "recsite-client-node/0.3";
const TIMEOUT = 500; // milliseconds
const SHORTEST = 10; // seconds, given by mistake, are less
const PATIENCE = 30_000;
const WRITE_TIMEOUT = 10_000; // of one try
const BATCH_TIMEOUT = 60_000; // the same of a batch of recommendations, which waits for others
const LONGEST_QUERY = 4_000; // characters; a longer question goes as a body
const IN_QUERY = {
    item_ids: "item_id",
    categories: "category",
    exclude_item_ids: "exclude_item_id",
};
/**
 * Recsite behind `url`. Questions (`recommend` …) wait `timeout` and are asked once; after five failures in a row the
 * next ones fail at once for two seconds, then one of them is asked, and the others as soon as it has an answer.
 * Messages (events, items …) are sent again for `patience`, with the same bytes; what came before is a duplicate.
 *
 * Every method resolves to what Recsite answered with 2xx, or rejects with a RecsiteError: ProblemError where Recsite
 * says no, UnreachableError where it does not answer, MisdirectedError where something else does, UnsendableError
 * where what was to be sent cannot be. The client itself throws SettingError for a url, a key or a time that is none.
 */
export class Client {
    #timeout;
    #patience;
    #transport;
    #breaker = new CircuitBreaker();
    constructor(url, key, options = {}) {
        const { timeout = TIMEOUT, patience = PATIENCE } = options;
        if (key == null || (typeof key === "string" && !key.trim())) {
            throw new SettingError("The key is empty: what holds it, such as RECSITE_KEY, is not set.");
        }
        if (typeof key !== "string" || !/^[\x20-\x7e]*$/.test(key)) {
            throw new SettingError("The key has characters that no key has; is there a line end in it?");
        }
        if (!(Number.isFinite(timeout) && timeout > 0 && Number.isFinite(patience) && patience >= 0)) {
            throw new SettingError("timeout and patience are milliseconds, and timeout is more than 0");
        }
        if (timeout < SHORTEST) {
            throw new SettingError(`timeout is ${timeout} ms, in which nothing answers: 500 is half a second`);
        }
        this.#timeout = timeout;
        this.#patience = patience;
        const headers = { Authorization: `Api-Key ${key}`, Accept: "application/json", "User-Agent": AGENT };
        this.#transport = new Transport(url, headers);
    }
    // --- events in
    /**
     * Send 1 to 1000 events (`newEvent` makes one). ProblemError where every one was rejected. They are sent again only
     * where each has an `event_id` and a `timestamp`, by which Recsite knows it again.
     */
    sendEvents(events) {
        const rows = [...events];
        const repeatable = rows.every((row) => "event_id" in row && "timestamp" in row);
        return this.#send("results", "POST", "/events/", { events: rows }, { repeatable });
    }
    /** Get the proof that lets a page say who is signed in; it holds for these two ids, twelve hours or `seconds`. */
    prove(who) {
        return this.#send("proof", "POST", "/identity/", who);
    }
    /** Merge two ids: what the visitor did counts for the customer from now on, and with `undo` no more. */
    mergeUsers(who) {
        return this.#send("verdict", "POST", "/users/merge/", who);
    }
    /** Say what a customer is like, for audiences. null deletes a property. */
    async changeCustomer(userId, properties) {
        return this.#send("verdict", "PATCH", `/users/${part(userId)}/`, { properties });
    }
    /**
     * Say what a customer told you that they like, in the place of what they said before. Their next recommendations are
     * made of it. `unknown` names what the catalogue does not know; ProblemError 400 where it knows nothing of all that.
     */
    async stateTaste(userId, taste) {
        return this.#send("categories", "POST", `/users/${part(userId)}/taste/`, taste);
    }
    /** What a customer said they like, as it is kept. */
    async taste(userId) {
        return this.#ask("categories", `/users/${part(userId)}/taste/`, {});
    }
    /** Forget what a customer said they like. */
    async withdrawTaste(userId) {
        return this.#send("verdict", "DELETE", `/users/${part(userId)}/taste/`);
    }
    // --- how customers may be reached, with a key that may send or read contacts
    /** Addresses of a customer, with stars, and what they said yes to. ProblemError 404 where nothing is known. */
    async contact(userId) {
        return this.#send("addresses", "GET", `/contacts/${part(userId)}/`);
    }
    /** Set the whole contact: an address that is not given is taken away. Statements of consent are only added. */
    async putContact(userId, contact) {
        return this.#send("verdict", "PUT", `/contacts/${part(userId)}/`, contact);
    }
    /** Change some fields of a contact, or add statements of consent. */
    async patchContact(userId, contact) {
        return this.#send("verdict", "PATCH", `/contacts/${part(userId)}/`, contact);
    }
    /** Send changes of 1 to 1000 contacts. ProblemError where every one was rejected. */
    contacts(contacts) {
        return this.#send("results", "POST", "/contacts/batch/", { contacts: [...contacts] });
    }
    /** Erase addresses and consents of a customer. It is not sent again after an answer that was lost. */
    async eraseContact(userId) {
        return this.#send("statements", "DELETE", `/contacts/${part(userId)}/`, undefined, { repeatable: false });
    }
    // --- messages of campaigns
    /** Say that something happened to a customer which a live campaign (by its short name) is for. */
    async trigger(campaign, occasion) {
        return this.#send("verdict", "POST", `/campaigns/${part(campaign)}/trigger/`, occasion);
    }
    /** What a customer was sent, the newest first; `before` is `next` of the page before. */
    async messages(userId, page = {}) {
        return this.#ask("messages", `/users/${part(userId)}/messages/`, { query: queryOf(page) });
    }
    // --- recommendations out
    /** What to show at a placement. `index` of a later event is the `rank` of the answer. */
    async recommend(placement, wish = {}) {
        const address = `/placements/${part(placement)}/recommend/`;
        const whole = wish.filter || wish.boosts || wish.experiment || wish.fields?.length === 0;
        const query = whole ? "" : queryOf(wish);
        return this.#ask("recommendation_id", address, whole || query.length > LONGEST_QUERY ? { body: wish } : { query });
    }
    /** What to show in every place of a page: one answer for each, and no item in two of them. */
    async recommendPage(page, wish = {}) {
        return this.#ask("slots", `/pages/${part(page)}/recommend/`, { body: wish });
    }
    /** Items like this one. */
    async similar(itemId, wish = {}) {
        return this.#ask("recommendation_id", `/items/${part(itemId)}/similar/`, { query: queryOf(wish) });
    }
    /**
     * How alike other items are to this one, by what is said of them (`text`), by who bought both (`behaviour`) or by all
     * that is known; the same for everybody, and nothing of it is written down.
     */
    async alike(itemId, wish = {}) {
        const query = queryOf({ by: "all", ...wish });
        return this.#ask("results", `/items/${part(itemId)}/similar/`, { query });
    }
    /** Items that are often bought with this one. */
    async alsoBought(itemId, wish = {}) {
        return this.#ask("recommendation_id", `/items/${part(itemId)}/also-bought/`, { query: queryOf(wish) });
    }
    /**
     * What to show each of many customers, for e-mail and exports. Nobody waits for it, so it is patient. What is too
     * much for one batch goes as several, one after the other. ProblemError where nobody is named rightly.
     */
    recommendToMany(placement, users, wish = {}) {
        const ask = (some) => {
            const body = { ...wish, placement, users: some };
            return this.#send("results", "POST", "/recommendations/batch/", body, { timeout: BATCH_TIMEOUT });
        };
        return joined(placement, partsOf([...users], wish.n), ask);
    }
    /** What a customer likes, and why we think so. */
    async interests(userId, page = {}) {
        return this.#ask("categories", `/users/${part(userId)}/interests/`, { query: queryOf(page) });
    }
    // --- catalogue in
    /** Set the whole item: what is not given is unknown from now on. An item that was retired comes back. */
    async putItem(itemId, item) {
        return this.#send("verdict", "PUT", `/items/${part(itemId)}/`, item);
    }
    /** Change some fields of an item that exists. */
    async changeItem(itemId, changes) {
        return this.#send("verdict", "PATCH", `/items/${part(itemId)}/`, changes);
    }
    /** Retire an item: it is in no answer any more; its history is kept. */
    async retireItem(itemId) {
        await this.#send(null, "DELETE", `/items/${part(itemId)}/`);
    }
    /** Set 1 to 1000 whole items. ProblemError where every one was rejected. */
    putItems(items) {
        return this.#send("results", "POST", "/items/batch/", { items: [...items] });
    }
    /** Change some fields of 1 to 1000 items, such as prices and stock. */
    changeItems(items) {
        return this.#send("results", "PATCH", "/items/batch/", { items: [...items] });
    }
    // --- looking back, with a key that may read metrics
    /** An answer as it was served. */
    async answer(recommendationId) {
        return this.#send("results", "GET", `/answers/${part(recommendationId)}/`);
    }
    /** An answer made again, or under other weights of its blend or another book of rules, by their numbers. */
    async answerAgain(recommendationId, instead = {}) {
        return this.#send("sameness", "POST", `/answers/${part(recommendationId)}/again/`, { instead });
    }
    /** The experiments of the shop, the newest first. */
    experiments() {
        return this.#send("experiments", "GET", "/experiments/");
    }
    /** An experiment, named as answers name it (e7), and what came of it. */
    async experiment(experimentId) {
        return this.#send("arms", "GET", `/experiments/${part(experimentId)}/`);
    }
    /** The push agent: how far it may go, whose people there are, and what it learned. */
    agents() {
        return this.#send("agents", "GET", "/agents/");
    }
    /** Let the rule decide for everybody, with a key that may trigger campaigns; 409 where it is off or paused already. */
    async pauseAgent(reason = "") {
        return this.#send("was", "POST", "/agents/pause/", { reason }, { repeatable: false });
    }
    // --- what people may ask of the shop; the key needs privacy:write
    /** Ask for a file of all that is held about somebody; it is downloaded from `…/download/` once it is done. */
    exportUser(who) {
        return this.#send("request_id", "POST", "/users/export/", who, { repeatable: Boolean(who.reference) });
    }
    /** Ask for the erasure of one person. With a `reference` it may be sent again: the same one is the same request. */
    eraseUser(who) {
        return this.#send("request_id", "POST", "/users/erase/", who, { repeatable: Boolean(who.reference) });
    }
    /** Ask for the erasure of 1 to 1000 people; all are taken, or none is. */
    eraseUsers(erasures) {
        const wishes = [...erasures];
        const repeatable = wishes.every((wish) => Boolean(wish.reference));
        return this.#send("requests", "POST", "/users/erase/batch/", { erasures: wishes }, { repeatable });
    }
    /** A link to *My data* of a customer who is signed in with you: lead them there, and keep it nowhere. */
    privacyLink(who) {
        return this.#send("url", "POST", "/users/privacy-link/", who, { repeatable: true });
    }
    /** Say what a customer allows or not; what holds now. */
    sayPurpose(said) {
        return this.#send("purposes", "POST", "/users/purposes/", said);
    }
    /** How much is held about a customer, in numbers, and what they allow. */
    async heldAbout(userId) {
        return this.#send("holders", "GET", `/users/${part(userId)}/privacy/`);
    }
    /** How far a request got. */
    async privacyRequest(requestId) {
        return this.#send("request_id", "GET", `/privacy/requests/${part(requestId)}/`);
    }
    /** The receipts of an erasure; ProblemError 409 until the first is there. */
    async receipts(requestId) {
        return this.#send("receipts", "GET", `/privacy/requests/${part(requestId)}/receipt/`);
    }
    // --- how
    async #send(expects, method, address, body, { timeout = WRITE_TIMEOUT, repeatable = true } = {}) {
        const request = { method, path: API + address, body: body && encoded(body), timeout, repeatable, expects };
        return (await this.#transport.request({ ...request, patience: this.#patience }));
    }
    async #ask(expects, address, { query, body }) {
        const path = API + address + (query ? `?${query}` : "");
        const content = body && encoded(body);
        const request = { method: content ? "POST" : "GET", path, body: content, timeout: this.#timeout, expects };
        return this.#breaker.watched(() => this.#transport.request(request));
    }
}
/** An event that has an id and a time of its own: sent twice, it counts once. */
export function newEvent(name, fields = {}) {
    return { event_id: crypto.randomUUID(), timestamp: new Date().toISOString(), ...fields, name };
}
/** A request as the query of a GET, which is answered fastest. Throws UnsendableError. */
function queryOf(wish) {
    const { context, ...rest } = wish;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...rest, ...context })) {
        if (value === undefined || value === null)
            continue;
        const values = name === "fields" && Array.isArray(value) ? [value.join(",")] : Array.isArray(value) ? value : [value];
        for (const each of values) {
            if (!["string", "number", "boolean"].includes(typeof each) || Number.isNaN(each)) {
                throw new UnsendableError(`${name}: ${String(each)} cannot be asked`);
            }
            query.append(IN_QUERY[name] ?? name, String(each));
        }
    }
    return query.toString();
}
