/** `Client`: one method for each thing that the API does, named as in the Python client. */
import type { components, operations } from "../schema.js";
type Schemas = components["schemas"];
type Query<Name extends keyof operations> = NonNullable<operations[Name]["parameters"]["query"]>;
export type Event = Schemas["EventForm"];
export type EventFields = Partial<Event>;
export type Wish = Schemas["RecommendBody"];
export type BesideWish = Omit<Query<"also_bought_items">, "exclude_item_id"> & {
    exclude_item_ids?: string[];
};
export type AlikeWish = Pick<Query<"similar_items">, "n" | "fields"> & {
    by?: Schemas["LikenessBy"];
    exclude_item_ids?: string[];
};
export type PageWish = Schemas["PageBody"];
export type BatchUser = Schemas["BatchUser"];
export type BatchWish = Omit<Schemas["BatchBody"], "placement" | "users">;
export type ItemFields = Schemas["ItemForm"];
export type ItemChanges = Schemas["ItemChanges"];
export type Item = Schemas["ItemRowForm"];
export type ItemChangesRow = Schemas["ItemChangesRowForm"];
export type ContactFields = Schemas["ContactChanges"];
export type ContactEntry = Schemas["ContactRowForm"];
export type Property = string | number | boolean | null;
export interface Options {
    /** Milliseconds that a page waits for recommendations, from the connection to the last byte: 500. */
    timeout?: number;
    /** Milliseconds for which events and changes are sent again while Recsite is unreachable or busy: 30,000. */
    patience?: number;
}
/**
 * Recsite behind `url`. Questions (`recommend` …) wait `timeout` and are asked once; after five failures in a row the
 * next ones fail at once for two seconds, then one of them is asked, and the others as soon as it has an answer.
 * Messages (events, items …) are sent again for `patience`, with the same bytes; what came before is a duplicate.
 *
 * Every method resolves to what Recsite answered with 2xx, or rejects with a RecsiteError: ProblemError where Recsite
 * says no, UnreachableError where it does not answer, MisdirectedError where something else does, UnsendableError
 * where what was to be sent cannot be. The client itself throws SettingError for a url, a key or a time that is none.
 */
export declare class Client {
    #private;
    constructor(url: string, key: string, options?: Options);
    /**
     * Send 1 to 1000 events (`newEvent` makes one). ProblemError where every one was rejected. They are sent again only
     * where each has an `event_id` and a `timestamp`, by which Recsite knows it again.
     */
    sendEvents(events: Iterable<Event>): Promise<Schemas["EventsAnswer"]>;
    /** Get the proof that lets a page say who is signed in; it holds for these two ids, twelve hours or `seconds`. */
    prove(who: Schemas["IdentityBody"]): Promise<Schemas["IdentityAnswer"]>;
    /** Merge two ids: what the visitor did counts for the customer from now on, and with `undo` no more. */
    mergeUsers(who: Schemas["MergeBody"]): Promise<Schemas["MergeAnswer"]>;
    /** Say what a customer is like, for audiences. null deletes a property. */
    changeCustomer(userId: string, properties: Record<string, Property>): Promise<Schemas["CustomerVerdict"]>;
    /**
     * Say what a customer told you that they like, in the place of what they said before. Their next recommendations are
     * made of it. `unknown` names what the catalogue does not know; ProblemError 400 where it knows nothing of all that.
     */
    stateTaste(userId: string, taste: Schemas["TasteBody"]): Promise<Schemas["TasteStated"]>;
    /** What a customer said they like, as it is kept. */
    taste(userId: string): Promise<Schemas["TasteGiven"]>;
    /** Forget what a customer said they like. */
    withdrawTaste(userId: string): Promise<Schemas["TasteWithdrawn"]>;
    /** Addresses of a customer, with stars, and what they said yes to. ProblemError 404 where nothing is known. */
    contact(userId: string): Promise<Schemas["ContactAnswer"]>;
    /** Set the whole contact: an address that is not given is taken away. Statements of consent are only added. */
    putContact(userId: string, contact: ContactFields): Promise<Schemas["ContactStored"]>;
    /** Change some fields of a contact, or add statements of consent. */
    patchContact(userId: string, contact: ContactFields): Promise<Schemas["ContactStored"]>;
    /** Send changes of 1 to 1000 contacts. ProblemError where every one was rejected. */
    contacts(contacts: Iterable<ContactEntry>): Promise<Schemas["ContactsAnswer"]>;
    /** Erase addresses and consents of a customer. It is not sent again after an answer that was lost. */
    eraseContact(userId: string): Promise<Schemas["ErasureReceipt"]>;
    /** Say that something happened to a customer which a live campaign (by its short name) is for. */
    trigger(campaign: string, occasion: Schemas["TriggerBody"]): Promise<Schemas["TriggerAnswer"]>;
    /** What a customer was sent, the newest first; `before` is `next` of the page before. */
    messages(userId: string, page?: Query<"customer_messages">): Promise<Schemas["MessagesAnswer"]>;
    /** What to show at a placement. `index` of a later event is the `rank` of the answer. */
    recommend(placement: string, wish?: Wish): Promise<Schemas["Recommendations"]>;
    /** What to show in every place of a page: one answer for each, and no item in two of them. */
    recommendPage(page: string, wish?: PageWish): Promise<Schemas["PageAnswer"]>;
    /** Items like this one. */
    similar(itemId: string, wish?: BesideWish): Promise<Schemas["Recommendations"]>;
    /**
     * How alike other items are to this one, by what is said of them (`text`), by who bought both (`behaviour`) or by all
     * that is known; the same for everybody, and nothing of it is written down.
     */
    alike(itemId: string, wish?: AlikeWish): Promise<Schemas["AlikeItems"]>;
    /** Items that are often bought with this one. */
    alsoBought(itemId: string, wish?: BesideWish): Promise<Schemas["Recommendations"]>;
    /**
     * What to show each of many customers, for e-mail and exports. Nobody waits for it, so it is patient. What is too
     * much for one batch goes as several, one after the other. ProblemError where nobody is named rightly.
     */
    recommendToMany(placement: string, users: Iterable<BatchUser>, wish?: BatchWish): Promise<Schemas["BatchAnswer"]>;
    /** What a customer likes, and why we think so. */
    interests(userId: string, page?: Query<"interests">): Promise<Schemas["InterestsBody"]>;
    /** Set the whole item: what is not given is unknown from now on. An item that was retired comes back. */
    putItem(itemId: string, item: ItemFields): Promise<Schemas["ItemVerdict"]>;
    /** Change some fields of an item that exists. */
    changeItem(itemId: string, changes: ItemChanges): Promise<Schemas["ItemVerdict"]>;
    /** Retire an item: it is in no answer any more; its history is kept. */
    retireItem(itemId: string): Promise<void>;
    /** Set 1 to 1000 whole items. ProblemError where every one was rejected. */
    putItems(items: Iterable<Item>): Promise<Schemas["ItemsAnswer"]>;
    /** Change some fields of 1 to 1000 items, such as prices and stock. */
    changeItems(items: Iterable<ItemChangesRow>): Promise<Schemas["ItemsAnswer"]>;
    /** An answer as it was served. */
    answer(recommendationId: string): Promise<Schemas["AnswerServed"]>;
    /** An answer made again, or under other weights of its blend or another book of rules, by their numbers. */
    answerAgain(recommendationId: string, instead?: {
        weights?: number;
        rules?: number;
    }): Promise<Schemas["AnswerAgain"]>;
    /** The experiments of the shop, the newest first. */
    experiments(): Promise<Schemas["ExperimentList"]>;
    /** An experiment, named as answers name it (e7), and what came of it. */
    experiment(experimentId: string): Promise<Schemas["ExperimentDetail"]>;
    /** The push agent: how far it may go, whose people there are, and what it learned. */
    agents(): Promise<Schemas["AgentList"]>;
    /** Let the rule decide for everybody, with a key that may trigger campaigns; 409 where it is off or paused already. */
    pauseAgent(reason?: string): Promise<Schemas["AgentPaused"]>;
    /** Ask for a file of all that is held about somebody; it is downloaded from `…/download/` once it is done. */
    exportUser(who: Schemas["ExportBody"]): Promise<Schemas["RequestTaken"]>;
    /** Ask for the erasure of one person. With a `reference` it may be sent again: the same one is the same request. */
    eraseUser(who: Schemas["EraseBody"]): Promise<Schemas["RequestTaken"]>;
    /** Ask for the erasure of 1 to 1000 people; all are taken, or none is. */
    eraseUsers(erasures: Iterable<Schemas["EraseBody"]>): Promise<Schemas["RequestsTaken"]>;
    /** A link to *My data* of a customer who is signed in with you: lead them there, and keep it nowhere. */
    privacyLink(who: Schemas["PrivacyLinkBody"]): Promise<Schemas["PrivacyLinkGiven"]>;
    /** Say what a customer allows or not; what holds now. */
    sayPurpose(said: Schemas["PurposeBody"]): Promise<Schemas["PurposesHeld"]>;
    /** How much is held about a customer, in numbers, and what they allow. */
    heldAbout(userId: string): Promise<Schemas["HeldAbout"]>;
    /** How far a request got. */
    privacyRequest(requestId: string): Promise<Schemas["PrivacyStatus"]>;
    /** The receipts of an erasure; ProblemError 409 until the first is there. */
    receipts(requestId: string): Promise<Schemas["ReceiptsGiven"]>;
}
/** An event that has an id and a time of its own: sent twice, it counts once. */
export declare function newEvent(name: string, fields?: Omit<EventFields, "name">): Event;
export {};
