/* Types of Recsite's tracker, recsite.js: put it beside that file, or import it where the tracker is a script. */

export interface RecsiteLine {
  item_id: string;
  quantity?: number;
  /** What was paid for one, such as "19.90". */
  price?: string | number;
  /** Place in the list that was shown, from 1, as `rank` of an answer has it. */
  index?: number;
}

/** Fields of an event beside those that the tracker fills in itself. */
export interface RecsiteFields {
  items?: readonly RecsiteLine[];
  /** Of the answer that led here. */
  recommendation_id?: string;
  value?: string | number;
  currency?: string;
  search_term?: string;
  transaction_id?: string;
  rating?: number;
  rating_scale?: number;
  progress?: number;
  target_type?: "customer" | "brand" | "category" | "creator" | "collection";
  target_id?: string;
  context?: { channel?: string; page?: string; locale?: string; source?: string };
}

/** The consent mode of tags: what is not granted is denied. Without `personalization_storage` `ad_personalization` counts. */
export interface RecsiteConsentMode {
  personalization_storage?: "granted" | "denied";
  ad_personalization?: "granted" | "denied";
  /** Denied: what the visitor does is tied to no answer. Not given: as before. */
  analytics_storage?: "granted" | "denied";
}

export interface RecsiteOptions {
  /** Address of Recsite, such as https://recsite.example. */
  url: string;
  /** A key that may stand in a page: `events:write`, with `recommendations:read` where slots are filled, for the origins of the shop. */
  key: string;
  /** What the visitor said; not given: they were not asked, and nothing is kept. */
  consent?: boolean | RecsiteConsentMode;
  /** Who is signed in; it counts with a `proof` that your server got for these two ids. */
  user_id?: string;
  /** An id of your own for the visitor; without it the tracker makes one. */
  anonymous_id?: string;
  proof?: string;
  session_id?: string;
}

/** What happens to one item; the event's id. */
export type RecsiteItemAct = (item_id: string, line?: Omit<RecsiteLine, "item_id">, fields?: RecsiteFields) => string;

export interface RecsiteTracker {
  /** Begin: send what happens to Recsite, and watch the slots of the page. */
  init(options: RecsiteOptions): void;
  /** Say who has signed in, with the proof of it; without an id: that they have signed out. */
  identify(user_id?: string, proof?: string): void;
  /** Say what the visitor answered. A no forgets all that was kept, and Recsite is told. */
  consent(said: boolean | RecsiteConsentMode): void;
  /** Send an event of any name; its id. */
  track(name: string, fields?: RecsiteFields): string;
  /** Look for slots (`data-recsite-slot`) once more, in a part of the page that has changed. */
  watch(root?: ParentNode): void;
  /** The visitor's ids; "" where nothing is kept. */
  ids(): { anonymous_id: string; session_id: string };
  /** Where the page's words go, under which key, and whose they are; for recsite-push.js. */
  here(): { at: string; key: string; user_id?: string; anonymous_id?: string; proof?: string; session_id?: string };
  /** Send the ecommerce events that the page pushes for Google, earlier and later ones, each once. */
  fromDataLayer(layer?: unknown[]): void;
  viewHome(fields?: RecsiteFields): string;
  search(search_term: string, fields?: RecsiteFields): string;
  viewItem: RecsiteItemAct;
  addToCart: RecsiteItemAct;
  removeFromCart: RecsiteItemAct;
  beginCheckout(items: readonly RecsiteLine[], fields?: RecsiteFields): string;
  /** Kept, and counts for nothing until your server sends the same transaction. */
  purchase(transaction_id: string, items: readonly RecsiteLine[], fields?: RecsiteFields): string;
}

declare global {
  var recsite: RecsiteTracker;
}
