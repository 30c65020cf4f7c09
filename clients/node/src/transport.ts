/** Requests over connections that stay open (Node's own pool); what failed for the moment is sent again, byte for byte. */

import {
  MisdirectedError,
  ProblemError,
  RecsiteError,
  RedirectedError,
  SettingError,
  SHOWN,
  UnreachableError,
  UnsendableError,
} from "./errors.js";

/** Statuses that, with Retry-After, say that nothing was done, so that anything may be sent again. */
const REFUSED = new Set([429, 503]);
/** Statuses after which the same request may succeed; whether it was done meanwhile is not known. */
const BUSY = new Set([...REFUSED, 502, 504]);
/** Codes of a kept connection that the server had closed meanwhile, which is no failure of the server. */
const CLOSED = new Set(["UND_ERR_SOCKET", "ECONNRESET", "EPIPE"]);
const FIRST_PAUSE = 100; // milliseconds; doubled by every try
const LONGEST_PAUSE = 10_000;

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

export class Transport {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#url = checked(url);
    this.#headers = headers;
  }

  /** The JSON object of a good answer (2xx). Rejects with RecsiteErrors alone. */
  async request(request: Request): Promise<unknown> {
    const { patience = 0, repeatable = true } = request;
    const end = performance.now() + patience;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      let wait = pause * (0.5 + Math.random() / 2); // so that many clients do not come back at once
      try {
        return await this.#answer(request, repeatable);
      } catch (error) {
        if (error instanceof ProblemError) {
          wait = Math.max(wait, 1_000 * (error.retryAfter ?? 0));
          const refused = REFUSED.has(error.status) && error.retryAfter !== null;
          if (!(refused || (repeatable && BUSY.has(error.status)))) throw error;
        } else if (!(error instanceof UnreachableError) || !repeatable) {
          throw error;
        }
        if (performance.now() + wait > end) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async #answer(request: Request, repeatable: boolean): Promise<unknown> {
    const end = performance.now() + request.timeout;
    try {
      return await this.#ask(request, request.timeout);
    } catch (error) {
      const left = end - performance.now();
      if (!repeatable || !(error instanceof UnreachableError) || !CLOSED.has(codeOf(error)) || left <= 0) throw error;
      return this.#ask(request, left);
    }
  }

  async #ask(request: Request, timeout: number): Promise<unknown> {
    const { method, path, body, expects } = request;
    const headers = body === undefined ? this.#headers : { ...this.#headers, "Content-Type": "application/json" };
    let answer: Response;
    let content: Uint8Array;
    try {
      const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeout)));
      answer = await fetch(this.#url + path, { method, headers, body: body ?? null, redirect: "manual", signal });
      content = new Uint8Array(await answer.arrayBuffer());
    } catch (error) {
      throw new UnreachableError(`${new URL(this.#url).hostname}: ${described(error)}`, { cause: error });
    }
    if (answer.status >= 400) throw problemOf(answer, content);
    if (answer.status < 200 || answer.status >= 300) throw this.#redirected(answer, path);
    if (expects === null && content.length === 0) return null;
    const result = parsed(content);
    if (!isObject(result) || (expects !== null && !(expects in result))) {
      const start = JSON.stringify(new TextDecoder().decode(content.subarray(0, SHOWN)));
      throw new MisdirectedError(`${answer.status}, but no answer of Recsite's API: ${start}`, answer.status);
    }
    return result;
  }

  #redirected(answer: Response, path: string): RedirectedError {
    let location = answer.headers.get("Location");
    let url: string | null = null;
    if (location !== null && URL.canParse(location, this.#url + path)) {
      location = new URL(location, this.#url + path).href;
      const base = location.endsWith(path) ? location.slice(0, -path.length) : location;
      url = base === location || base === this.#url ? null : base;
    }
    return new RedirectedError(answer.status, location, url);
  }
}

/** JSON in UTF-8. Throws UnsendableError for what JSON cannot say, such as NaN. */
export function encoded(body: unknown): string {
  try {
    return JSON.stringify(body, function (this: unknown, name: string, value: unknown) {
      const given = (this as Record<string, unknown>)[name];
      const wrong =
        (typeof value === "number" && !Number.isFinite(value)) ||
        (given instanceof Date && Number.isNaN(given.getTime())) ||
        typeof value === "function" ||
        typeof value === "symbol" ||
        value instanceof Map ||
        value instanceof Set;
      if (wrong) throw new UnsendableError(`${name}: ${String(given)} cannot be sent`);
      return value;
    });
  } catch (error) {
    throw error instanceof RecsiteError ? error : unsendable(error);
  }
}

/** A name as a part of an address. Throws UnsendableError. */
export function part(name: string): string {
  if (typeof name !== "string") throw new UnsendableError(`${String(name)} cannot be a part of an address`);
  try {
    return encodeURIComponent(name);
  } catch (error) {
    throw unsendable(error);
  }
}

function unsendable(error: unknown): UnsendableError {
  return new UnsendableError(`This cannot be sent: ${described(error)}`, { cause: error });
}

function problemOf(answer: Response, content: Uint8Array): ProblemError {
  const body = parsed(content);
  const members = isObject(body) ? body : { detail: new TextDecoder().decode(content.subarray(0, SHOWN)) };
  const retryAfter = secondsOf(answer.headers.get("Retry-After"));
  return new ProblemError(answer.status, members, retryAfter, answer.headers.get("X-Request-ID"));
}

function parsed(content: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Seconds to wait, from a header that holds seconds or a date (RFC 9110); null where there are none. */
function secondsOf(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header);
  const then = /\d/.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(then) ? null : Math.max(0, (then - Date.now()) / 1_000);
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message || error.cause.name})` : "";
  return `${error.name} ${error.message}${cause}`;
}

function codeOf(error: UnreachableError): string {
  const causes = [error.cause, error.cause instanceof Error ? error.cause.cause : undefined];
  return causes.map((cause) => (cause as { code?: unknown } | undefined)?.code).find((code) => typeof code === "string") ?? "";
}

/** The url without a slash at its end. Throws SettingError. */
function checked(url: string): string {
  const wrong = `${JSON.stringify(url)} is no address such as https://recsite.example`;
  if (typeof url !== "string" || !/^https?:\/\/[^\s/]/i.test(url) || !URL.canParse(url)) throw new SettingError(wrong);
  const parts = new URL(url);
  if (parts.username || parts.password || url.includes("?") || url.includes("#") || /[^\x21-\x7e]/.test(url)) {
    throw new SettingError(`${wrong}: leave out user names, queries and odd characters`);
  }
  return (parts.origin + parts.pathname).replace(/\/+$/, "");
}
