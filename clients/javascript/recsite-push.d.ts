/* Types of recsite-push.js, which adds browser notifications to the tracker. */

export type RecsitePurpose = "for_you" | "reminders" | "news";

/** What became of it: `denied` by the visitor or the browser, `unsupported` by the browser. */
export type RecsitePushState = "on" | "denied" | "unsupported" | "failed";

export interface RecsitePushWish {
  /** What the visitor said yes to. */
  purposes: readonly RecsitePurpose[];
  /** That the visitor is the signed-in customer; without it the tracker's own. */
  proof?: string;
}

/** A browser as `PushSubscription.toJSON()` has it. */
export interface RecsiteBrowser {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

declare module "./recsite.js" {
  interface RecsiteTracker {
    /** Ask for permission, and subscribe this browser; `worker` is the address of your service worker. */
    askToPush(wish: RecsitePushWish & { worker?: string }): Promise<RecsitePushState>;
    /** Let this browser go. */
    stopPush(options?: { worker?: string }): Promise<"off">;
    /** Tell Recsite of a browser that your page subscribed by itself. */
    pushTo(browser: RecsiteBrowser, wish: RecsitePushWish): Promise<unknown>;
    /** Tell Recsite that a browser wants no more. */
    pushEnd(browser: RecsiteBrowser): Promise<unknown>;
    /** The key to subscribe under. */
    pushKey(): Promise<Uint8Array>;
  }
}
