/** Recsite's storefront API for shops on Node: `new Client(url, key)`. docs/clients.md shows it at work. */
export * from "./client.js";
export { MisdirectedError, ProblemError, RecsiteError, RedirectedError, RestingError, SettingError, UnreachableError, UnsendableError, } from "./errors.js";
