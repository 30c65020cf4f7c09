/* The reference of the API: send a request with the reader's own key, or copy it for a shell. */
const key = document.getElementById("key");

/* An event of the past would be refused one day, and one that came before is a duplicate. */
function fresh(text) {
  const now = new Date().toISOString();
  return text
    .replace(/"event_id": "[0-9a-f-]{36}"/g, () => `"event_id": "${crypto.randomUUID()}"`)
    .replace(/"timestamp": "[^"]*"/g, `"timestamp": "${now}"`);
}

function requestOf(form) {
  const query = new URLSearchParams();
  let path = form.dataset.path;
  for (const field of form.querySelectorAll("[data-place]")) {
    const value = field.value.trim();
    if (field.dataset.place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    else if (value) for (const part of "many" in field.dataset ? value.split(",") : [value]) query.append(field.name, part.trim());
  }
  const body = form.querySelector("[data-body]");
  const headers = {};
  if (key.value.trim()) headers.Authorization = `Api-Key ${key.value.trim()}`;
  if (body) headers["Content-Type"] = body.dataset.body;
  const address = new URL(query.size ? `${path}?${query}` : path, location.href);
  return { address, options: { method: form.dataset.method, headers, body: body?.value, credentials: "omit", cache: "no-store" } };
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

function show(form, line, text) {
  const box = form.querySelector(".try-answer");
  box.hidden = false;
  box.querySelector(".try-line").textContent = line;
  box.querySelector("pre").textContent = text;
}

async function send(form) {
  const { address, options } = requestOf(form);
  const started = performance.now();
  show(form, "…", "");
  try {
    const answer = await fetch(address, options);
    const text = await answer.text();
    const wait = answer.headers.get("Retry-After");
    const took = Math.round(performance.now() - started);
    show(form, `${answer.status} ${answer.statusText} · ${took} ms${wait ? ` · Retry-After: ${wait}` : ""}`, pretty(text));
  } catch (error) {
    show(form, "No answer", String(error));
  }
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(form) {
  const { address, options } = requestOf(form);
  const headers = { Authorization: "Api-Key $KEY", ...options.headers };
  const parts = [`curl -X ${options.method} ${quoted(address.href)}`];
  for (const [name, value] of Object.entries(headers)) {
    parts.push(name === "Authorization" ? '-H "Authorization: Api-Key $KEY"' : `-H ${quoted(`${name}: ${value}`)}`);
  }
  if (options.body !== undefined) parts.push(`-d ${quoted(options.body)}`);
  return parts.join(" \\\n  ");
}

document.querySelectorAll("[data-body]").forEach((body) => { body.value = fresh(body.value); });
document.getElementById("key-form").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-try]");
  if (!form) return;
  event.preventDefault();
  send(form);
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = curl(button.form);
  try {
    await navigator.clipboard.writeText(text);
    show(button.form, "Copied. Put your key into KEY.", text);
  } catch {
    show(button.form, "For a shell; put your key into KEY.", text);
  }
});
