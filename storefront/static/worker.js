/* The shop's service worker. Besides what browsers' own push services bring it opens what a page of ours fetched for it:
   sealed for this browser alone (RFC 8291), whichever way it came. */
"use strict";
importScripts("/static/push-store.js", "/static/recsite-worker.js");

const text = (words) => new TextEncoder().encode(words);
const joined = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const derived = async (salt, secret, info, size) => new Uint8Array(await crypto.subtle.deriveBits(
  { name: "HKDF", hash: "SHA-256", salt, info }, await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]), 8 * size));

/* RFC 8188: salt 16, size of a record 4, length of the sender's point 1, the point; RFC 8291, section 3.4: the keys. */
const opened = async (body, { privateKey, point, auth }) => {
  const salt = body.slice(0, 16), end = 21 + body[20], sender = body.slice(21, end), sealed = body.slice(end);
  const theirs = await crypto.subtle.importKey("raw", sender, { name: "ECDH", namedCurve: "P-256" }, false, []);
  const shared = await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, privateKey, 256);
  const secret = await derived(auth, shared, joined(text("WebPush: info\0"), point, sender), 32);
  const key = await crypto.subtle.importKey(
    "raw", await derived(salt, secret, text("Content-Encoding: aes128gcm\0"), 16), "AES-GCM", false, ["decrypt"]);
  const iv = await derived(salt, secret, text("Content-Encoding: nonce\0"), 12);
  const padded = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed));
  const last = padded.lastIndexOf(2);
  if (last < 0 || padded.slice(last + 1).some(Boolean)) throw new Error("no end of a record");
  return JSON.parse(new TextDecoder().decode(padded.slice(0, last)));
};

addEventListener("message", (event) => event.waitUntil((async () => {
  const [port] = event.ports;
  try {
    const keys = await pushStore.get();
    const note = await opened(Uint8Array.from(atob(event.data.sealed), (one) => one.charCodeAt(0)), keys);
    port.postMessage({ id: note.id, shown: await recsiteShow(note) });
  } catch (error) {
    port.postMessage({ refused: String(error) });
  }
})()));
