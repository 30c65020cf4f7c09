/** The Node client against servers that misbehave, as test_python_transport.py has it: CLIENT=… node --test client.test.mjs */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

const recsite = await import(process.env.CLIENT);
const { Client, newEvent } = recsite;
const FIELDS = { results: [], recommendation_id: "r-1", statements: 1, proof: "p", slots: [], sameness: "exact" };
const GOOD = { status: 202, body: JSON.stringify({ accepted: 1, duplicates: 0, rejected: 0, ...FIELDS }) };

/** A server that answers with `replies` in order, then with the last for ever; null hangs up. */
async function serving(work) {
  const state = { replies: [GOOD], got: [], delay: 0, sockets: 0 };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    state.got.push({ line: `${request.method} ${request.url}`, body, headers: request.headers });
    const reply = state.replies.length > 1 ? state.replies.shift() : state.replies[0];
    await new Promise((resolve) => setTimeout(resolve, state.delay));
    if (reply === null) return request.socket.destroy();
    response.writeHead(reply.status, reply.headers).end(reply.body ?? "");
  });
  server.on("connection", () => state.sockets++);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${server.address().port}`;
  state.client = new Client(`${state.url}/`, "a.b", { timeout: 300, patience: 5_000 });
  try {
    await work(state);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const send = (client) => client.sendEvents([newEvent("view_item", { user_id: "u1" })]);
const ask = (client) => client.recommend("home", { user_id: "u1" });
const fails = (work, name, words = /./) => assert.rejects(work, (error) => {
  assert.ok(error instanceof recsite.RecsiteError, String(error));
  assert.equal(error.name, name);
  assert.match(error.message, words);
  return true;
});

test("a busy server gets the same bytes after Retry-After", () => serving(async (server) => {
  const soon = () => new Date(Date.now() + 2_000).toUTCString();
  for (const status of [429, 503]) {
    for (const told of [() => "1", soon]) {
      server.replies = [{ status, headers: { "Retry-After": told() }, body: "{}" }, GOOD];
      server.got.length = 0;
      const begin = performance.now();
      await send(server.client);
      assert.ok(performance.now() - begin >= 950);
      assert.equal(server.got.length, 2);
      assert.equal(server.got[0].body, server.got[1].body);
    }
  }
}));

test("patience ends, and a refusal is not repeated", () => serving(async (server) => {
  server.replies = [{ status: 503, headers: { "Retry-After": "60" }, body: '{"detail": "later"}' }];
  await fails(send(server.client), "ProblemError", /later/);
  const body = JSON.stringify({ title: "Bad Request", errors: [{ pointer: "/events/0/name", message: "no" }, 3, null] });
  server.replies = [{ status: 400, headers: { "X-Request-ID": "r-77" }, body }];
  const error = await send(server.client).catch((caught) => caught);
  assert.deepEqual([error.status, error.requestId, error.errors], [400, "r-77", [{ pointer: "/events/0/name", message: "no" }]]);
  assert.equal(server.got.length, 2);
}));

test("connections stay open", () => serving(async (server) => {
  for (let nth = 0; nth < 20; nth++) await send(server.client);
  assert.ok(server.sockets <= 2, `${server.sockets} connections`);
}));

test("a kept connection that was closed is no failure, not even of a question", () => serving(async (server) => {
  await send(server.client);
  server.replies = [null, GOOD];
  assert.equal((await ask(server.client)).recommendation_id, "r-1");
}));

test("one slow answer takes away no other", () => serving(async (server) => {
  for (let nth = 0; nth < 3; nth++) {
    server.delay = 600;
    for (let failure = 0; failure < 4; failure++) await fails(ask(server.client), "UnreachableError");
    server.delay = 0;
    await ask(server.client);
  }
}));

test("after five failures in a row questions rest, and one probe asks for all", () => serving(async (server) => {
  server.delay = 600;
  for (let failure = 0; failure < 5; failure++) await fails(ask(server.client), "UnreachableError");
  for (let nth = 0; nth < 50; nth++) await fails(ask(server.client), "RestingError", /a moment ago/);
  await send(server.client); // events are sent all the same
  const asked = server.got.length;
  await new Promise((resolve) => setTimeout(resolve, 2_050));
  const probes = await Promise.allSettled(Array.from({ length: 40 }, () => ask(server.client)));
  assert.deepEqual(probes.map(({ reason }) => reason.name).sort().slice(-2), ["RestingError", "UnreachableError"]);
  assert.equal(server.got.length, asked + 1);
  server.delay = 0;
  await new Promise((resolve) => setTimeout(resolve, 2_050));
  await ask(server.client);
  await Promise.all(Array.from({ length: 40 }, () => ask(server.client)));
}));

test("a redirect is no success and says which url to use", () => serving(async (server) => {
  for (const status of [301, 302, 307, 308]) {
    for (const body of ["", "<html>Moved</html>"]) {
      server.replies = [{ status, headers: { Location: "https://shop.example/recsite/api/v1/events/" }, body }];
      await fails(send(server.client), "RedirectedError", /use the url https:\/\/shop\.example\/recsite$/);
      server.replies = [{ status, headers: { Location: "/login/" }, body }];
      await fails(ask(server.client), "RedirectedError", /redirected to http:\/\/127\.0\.0\.1:\d+\/login\/; an API/);
    }
  }
}));

test("a good status with anything else is an error", () => serving(async (server) => {
  for (const body of ["", "<html>", "[]", "null", '{"status": "ok"}', Buffer.from([0xff]), "{", "[".repeat(99_999)]) {
    server.replies = [{ status: 200, body }];
    for (const call of [send, ask]) await fails(call(server.client), "MisdirectedError", /no answer of Recsite's API/);
  }
}));

test("only what may be sent twice is sent again", () => serving(async (server) => {
  for (const first of [null, { status: 502, body: "{}" }, { status: 503, body: "{}" }]) {
    for (const call of [() => server.client.eraseContact("u1"), () => server.client.sendEvents([{ name: "view_item" }])]) {
      server.replies = [first, GOOD];
      server.got.length = 0;
      await assert.rejects(call(), recsite.RecsiteError);
      assert.equal(server.got.length, 1);
    }
  }
  server.replies = [{ status: 429, headers: { "Retry-After": "0" }, body: "{}" }, GOOD];
  await server.client.eraseContact("u1");
}));

test("what cannot be sent is refused before sending", () => serving(async (server) => {
  const endless = [];
  endless.push(endless);
  for (const price of [NaN, Infinity, new Date(NaN), 10n, () => 1, Symbol("a"), new Map(), new Set(), endless]) {
    await fails(server.client.putItem("SKU1", { price }), "UnsendableError");
    await fails(server.client.recommend("home", { filter: { price: { lte: price } } }), "UnsendableError");
  }
  for (const name of ["\ud800", 5, null, undefined]) await fails(server.client.similar(name), "UnsendableError");
  await fails(server.client.recommend("home", { n: NaN }), "UnsendableError");
  assert.equal(server.got.length, 0);
}));

test("a client that cannot work is not made", () => {
  const wrongs = ["recsite.example", "ftp://a.example", "https://", "http://a:99999", "https://a?b=c", "https://ann:b@a", "", null, "http://a b", "http://a\n"];
  for (const url of wrongs) assert.throws(() => new Client(url, "a.b"), recsite.SettingError, String(url));
  for (const key of ["a.b\n", "ключ", 5]) assert.throws(() => new Client("http://a", key), recsite.SettingError);
  for (const key of [null, undefined, "", " "]) {
    assert.throws(() => new Client("http://a", key), { name: "SettingError", message: /^The key is empty/ });
  }
  const seconds = { name: "SettingError", message: /timeout is 0\.5 ms.* 500 is half a second/ };
  assert.throws(() => new Client("http://a", "a.b", { timeout: 0.5 }), seconds);
  assert.ok(new Client("http://a", "a.b", { timeout: 10 }));
  for (const options of [{ timeout: 0 }, { timeout: NaN }, { patience: -1 }, { timeout: "1" }]) {
    assert.throws(() => new Client("http://a", "a.b", options), recsite.SettingError);
  }
});

test("a closed port is unreachable", async () => {
  const client = new Client("http://127.0.0.1:9", "a.b", { patience: 300 });
  await fails(send(client), "UnreachableError", /127\.0\.0\.1/);
  await fails(ask(client), "UnreachableError");
});

test("a job of any size goes as batches and comes back as one", () => serving(async (server) => {
  const reply = (status, members) => ({ status, body: JSON.stringify(members) });
  const answered = { user_id: "u", anonymous_id: null, recommendation: {} };
  const flawed = { user_id: null, anonymous_id: null, errors: [{ pointer: "/users/1", message: "no" }] };
  const all = Array.from({ length: 100 }, (_, place) => ({ pointer: `/users/${place}/user_id`, message: "no" }));
  server.replies = [
    reply(200, { placement: "home", answered: 100, rejected: 0, results: Array(100).fill(answered) }),
    { status: 503, headers: { "Retry-After": "0" }, body: "{}" },
    reply(400, { errors: all }),
    reply(200, { placement: "home", answered: 1, rejected: 1, results: [answered, flawed] }),
  ];
  const users = Array.from({ length: 202 }, (_, number) => ({ user_id: `u${number}` }));
  const whole = await server.client.recommendToMany("home", users, { n: 100 });
  assert.deepEqual(server.got.map(({ body }) => JSON.parse(body).users.length), [100, 100, 100, 2]);
  assert.deepEqual([whole.answered, whole.rejected, whole.results.length], [101, 101, 202]);
  const pointers = whole.results.flatMap(({ errors }) => errors ?? []).map(({ pointer }) => pointer);
  assert.deepEqual([pointers[0], pointers[99], pointers[100]], ["/users/100/user_id", "/users/199/user_id", "/users/201"]);
  server.replies = [reply(400, { errors: all })];
  await fails(server.client.recommendToMany("home", users.slice(2), { n: 100 }), "ProblemError", /\/users\/0/);
}));
