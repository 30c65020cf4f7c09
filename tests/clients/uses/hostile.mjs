/** Calls of the Node client: node hostile.mjs CLIENT URL CALLS AT_ONCE TIMEOUT; prints what came of each. */
const [module, url, calls, atOnce, timeout] = process.argv.slice(2);
const { Client, RecsiteError, newEvent } = await import(module);
const client = new Client(url, "a.b", { timeout: Number(timeout), patience: 300 });
const outcomes = new Array(Number(calls));

async function call(number) {
  const name = `${number % 2 ? "u" : "e"}${number}`;
  try {
    if (number % 2) {
      const answer = await client.recommend("home", { user_id: name });
      return answer.recommendation_id === `r-${name}` ? "right" : `wrong: ${JSON.stringify(answer)}`;
    }
    const { results } = await client.sendEvents([newEvent("view_item", { event_id: name })]);
    return results.length === 1 && results[0].event_id === name ? "right" : `wrong: ${JSON.stringify(results)}`;
  } catch (error) {
    if (!(error instanceof RecsiteError) || !error.message) return `leaked: ${error?.stack ?? error}`;
    if (error.name !== "RestingError") return error.name;
    await new Promise((resolve) => setTimeout(resolve, 100)); // as a shop whose next page comes later
    return call(number);
  }
}

let next = 0;
async function worker() {
  while (next < outcomes.length) {
    const number = next++;
    outcomes[number] = await call(number);
  }
}
await Promise.all(Array.from({ length: Number(atOnce) }, worker));
// Connections of a server that never answers are left; they would keep the process.
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
