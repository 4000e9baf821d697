"use strict";

const byId = id => document.getElementById(id);
const element = (name, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
};
const grouped = number => number.toLocaleString("en");
const counted = (number, one, many = `${one}s`) => `${grouped(number)} ${number === 1 ? one : many}`;
const time = us => us >= 1000 ? `${(us / 1000).toFixed(us >= 100000 ? 0 : 1)} ms` : us >= 10 ? `${Math.round(us)} µs`
  : us >= 1 ? `${us.toFixed(1)} µs` : `${Math.round(us * 1000)} ns`;

// Asks the server. Returns the answer, the microseconds that the server took for it, and what its cache did (RFC 9211).
async function ask(path, method = "GET", body) {
  const headers = body ? { "content-type": "application/json" } : {};
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : null;
  if (!response.ok) throw new Error(answer?.error ?? `status ${response.status}`);
  return { answer, micros: Number(response.headers.get("x-elapsed-us")), cacheStatus: response.headers.get("cache-status") ?? "" };
}

// Runs an experiment: its button waits, and what goes wrong is said in its output.
async function experiment(button, output, run) {
  button.disabled = true;
  byId(output).className = "";
  try {
    await run(text => byId(output).replaceChildren(...[text].flat()));
  } catch (error) {
    byId(output).className = "bad";
    byId(output).textContent = error.message;
  }
  button.disabled = false;
  await refresh();
}

// ---- A write, and what it invalidates ----

const reads = ["/api/users/42", "/api/products/4711", "/api/search?q=4711", "/api/search?q=piano",
  "/api/top/garden?by=revenue", "/api/report/2025"];
const names = ["Ada Lovelace", "Grace Hopper", "Hedy Lamarr", "Emmy Noether", "Mary Somerville"];
let renamed = 0;
const writes = [
  { name: "Rename user 42", event: "UserChanged { id: 42 }",
    run: () => ask("/api/users/42", "PUT", { name: names[renamed++ % names.length] }) },
  { name: "Restock product 4711", event: "ProductChanged { id: 4711 }", puts: true,
    run: () => ask("/api/products/4711/stock", "PUT", { stock: 50 + Math.floor(Math.random() * 50) }) },
  { name: "Order product 4711", event: "UserBought, ProductChanged, CategorySold and YearSold",
    run: () => ask("/api/orders", "POST", { user: 42, product: 4711, quantity: 1 }) },
];

// Shows which entries are cached. Those that were before and are no longer stand out. Returns them.
async function showEntries(before = []) {
  const { answer: entries } = await ask("/api/entries");
  const wasCached = new Set(before.filter(entry => entry.is_cached).map(entry => entry.key));
  const dropped = entries.filter(entry => !entry.is_cached && wasCached.has(entry.key));
  byId("entries").replaceChildren(...entries.map(entry => {
    const isDropped = dropped.includes(entry);
    const state = entry.is_cached ? "cached" : isDropped ? "invalidated" : "not cached";
    return element("li", { className: entry.is_cached ? "cached" : isDropped ? "dropped" : "", title: entry.key },
      element("code", {}, entry.call), element("span", { className: "state" }, state));
  }));
  return { entries, dropped };
}

for (const write of writes) {
  const button = element("button", {}, write.name);
  button.onclick = () => experiment(button, "written", async say => {
    const { entries: before } = await showEntries();
    const { micros } = await write.run();
    const { dropped } = await showEntries(before);
    const stored = write.puts ? " What the function returned is the product’s new entry." : "";
    say([element("code", {}, write.event), `: ${counted(dropped.length, "entry", "entries")} of ${before.length} invalidated, `
      + `query and cache together in ${time(micros)}.${stored}`]);
  });
  byId("writes").append(element("li", {}, button, element("code", {}, write.event)));
}
byId("load-all").onclick = () => experiment(byId("load-all"), "written", async say => {
  for (const path of reads) await ask(path);
  // Values are stored in the background.
  for (let tries = 0; tries < 20; tries++) {
    const { entries } = await showEntries();
    if (entries.every(entry => entry.is_cached)) break;
    await new Promise(done => setTimeout(done, 50));
  }
  say("Loaded. Now write something.");
});

// ---- A stampede ----

const dots = Array.from({ length: 100 }, () => element("i"));
byId("dots").append(...dots);
byId("stampede").onclick = () => experiment(byId("stampede"), "stampeded", async say => {
  dots.forEach(dot => dot.className = "");
  byId("dots").classList.add("busy");
  try {
    const { answer } = await ask("/api/stampede", "POST");
    dots.forEach((dot, at) => dot.className = at < answer.loads ? "load" : at < answer.loads + answer.coalesced ? "shared" : "hit");
    say([`${grouped(answer.calls)} callers, `, element("span", { className: "warn" }, counted(answer.loads, "query", "queries")),
      `, ${grouped(answer.coalesced)} shared its result, ${grouped(answer.hits)} came later and hit. All were served within ${time(answer.micros)}.`]);
  } finally {
    byId("dots").classList.remove("busy");
  }
});

// ---- The near cache ----

const nearTimes = {};
byId("read").onclick = () => experiment(byId("read"), "near", async say => {
  const local = byId("local").checked ? "on" : "off";
  const { answer } = await ask(`/api/near?local=${local}`);
  nearTimes[local] = answer.micros / answer.calls;
  const slowest = Math.max(...Object.values(nearTimes));
  for (const [which, each] of Object.entries(nearTimes)) {
    byId(`near-${which}`).style.width = `${Math.max(1, 100 * each / slowest)}%`;
    byId(`near-${which}-time`).textContent = `${time(each)} each`;
  }
  const from = [[answer.near_hits, "near"], [answer.hits, "from the store"], [answer.coalesced, "shared"], [answer.loads, "loaded"]];
  say(from.filter(([number]) => number).map(([number, what]) => `${grouped(number)} ${what}`).join(", "));
});

// ---- Nobody waits for an expiring value ----

// A bar is higher by the order of magnitude, or else only the slowest would be seen.
const height = micros => Math.min(100, 100 * Math.log10(Math.max(micros, 10) / 10) / 5);
const lanes = [{ id: "waiting", stale: "off" }, { id: "stale", stale: "on" }].map(lane => ({ ...lane, waits: [] }));

async function askLane(lane) {
  const { answer, micros } = await ask(`/api/turnover?stale=${lane.stale}`);
  lane.waits = [...lane.waits, micros].slice(-60);
  // Ten times the median is a caller that waited for the query.
  const usual = [...lane.waits].sort((a, b) => a - b)[Math.floor(lane.waits.length / 2)];
  const isSlow = wait => wait > Math.max(10 * usual, 10000);
  byId(lane.id).replaceChildren(...lane.waits.map(wait => {
    const bar = element("i", { className: isSlow(wait) ? "slow" : "", title: time(wait) });
    bar.style.height = `${height(wait)}%`;
    return bar;
  }));
  byId(`${lane.id}-text`).textContent = `now ${time(micros)}, longest ${time(Math.max(...lane.waits))}; value `
    + `${(answer.age_ms / 1000).toFixed(1)} s old: ${counted(answer.orders, "order")}, ${grouped(Math.round(answer.cents / 100))} €`;
}

let asking = null;
async function askBoth() {
  try {
    // Not while nobody looks.
    if (!document.hidden) await Promise.all(lanes.map(askLane));
  } catch (error) {
    lanes.forEach(lane => byId(`${lane.id}-text`).textContent = error.message);
  }
  if (asking !== null) asking = setTimeout(askBoth, 500);
}
byId("ask").onclick = () => {
  const start = asking === null;
  clearTimeout(asking);
  asking = start ? 0 : null;
  byId("ask").textContent = start ? "Stop asking" : "Start asking";
  byId("ask").setAttribute("aria-pressed", String(start));
  if (start) askBoth();
};

// ---- With and without ----

const pick = list => list[Math.floor(Math.random() * list.length)];
const upTo = limit => 1 + Math.floor(Math.random() * limit);
const categories = ["books", "garden", "kitchen", "music", "office", "toys"];
const years = ["2023", "2024", "2025"];
const words = ["lamp", "quiet", "robot", "golden chair", "tea", "wooden", "piano", "puzzle 12", "blue kite", "99"];

// One entry per row: the site is the cached function's name in the statistics.
const calls = [
  { name: "User", site: "find_user", value: 42, other: () => upTo(5000), path: v => `/api/users/${v}` },
  { name: "Product", site: "find_product", value: 4711, other: () => upTo(50000), path: v => `/api/products/${v}` },
  { name: "Search", site: "search_products", value: "lamp", other: () => pick(words), path: v => `/api/search?q=${v}` },
  { name: "Top ten", site: "top_products", value: "books", options: categories, other: () => pick(categories),
    path: v => `/api/top/${v}` },
  { name: "Sales report", site: "sales_report", value: "2024", options: years, other: () => pick(years),
    path: v => `/api/report/${v}` },
];

// Makes one call and shows its time in a cell, with what the cache did as its title. Returns the microseconds.
async function measure(call, cell, query) {
  const { micros, cacheStatus } = await ask(call.path(encodeURIComponent(call.input.value)) + query);
  const hit = cacheStatus.includes("; hit");
  const from = { className: hit ? "good" : "", title: `Cache-Status: ${cacheStatus}` };
  cell.replaceChildren(time(micros), element("small", from, hit ? "from the cache" : "from the database"));
  return micros;
}

async function run(call) {
  const [off, first, second, faster] = call.cells;
  call.cells.forEach(cell => cell.replaceChildren("…", element("small")));
  call.button.disabled = true;
  try {
    const separator = call.path("").includes("?") ? "&" : "?";
    const uncached = await measure(call, off, `${separator}cache=off`);
    await measure(call, first, "");
    const again = await measure(call, second, "");
    const factor = uncached / Math.max(again, 1);
    faster.replaceChildren(factor >= 10 ? `${grouped(Math.round(factor))} ×` : `${factor.toFixed(1)} ×`, element("small"));
  } catch (error) {
    call.cells.forEach(cell => cell.replaceChildren("–", element("small")));
    faster.replaceChildren(element("span", { className: "bad" }, error.message), element("small"));
  }
  call.button.disabled = false;
}

// One after another, so that they do not disturb each other's times.
async function runAll() {
  byId("run-all").disabled = true;
  for (const call of calls) await run(call);
  byId("run-all").disabled = false;
  await refresh();
}

// A row. Its cells hold the names of their columns, which a phone shows in front of them.
const row = (table, ...cells) => {
  const names = byId(table).parentElement.tHead.rows[0].cells;
  cells.forEach((cell, at) => cell.dataset.label = names[at].textContent.replace(/\s+/g, " ").trim());
  return element("tr", {}, ...cells);
};

for (const call of calls) {
  call.input = call.options
    ? element("select", {}, ...call.options.map(option => element("option", {}, option)))
    : element("input");
  call.input.value = call.value;
  call.input.setAttribute("aria-label", call.name);
  call.cells = [0, 1, 2, 3].map(() => element("td", { className: "number" }, "–", element("small")));
  call.button = element("button", { onclick: () => run(call) }, "Run");
  byId("calls").append(row("calls", element("td", {}, call.name), element("td", {}, call.input), ...call.cells,
    element("td", { className: "number" }, call.button)));
}

// ---- The counters ----

const callsOf = site => site.near_hits + site.hits + site.coalesced + site.loads;
const tiles = [
  ["Near hits", site => site.near_hits, "from this process’s memory"],
  ["Hits", site => site.hits, "from the store"],
  ["Misses", site => Object.values(site.misses).reduce((sum, count) => sum + count, 0), "not answered from the cache"],
  ["Loads", site => site.loads, "queries that ran"],
  ["Shared", site => site.coalesced, "callers that got another caller’s load"],
  ["Stale", site => site.stale, "served past the end, while a new value is loaded"],
  ["Refreshes", site => site.refreshes, "loads of a value that was still there"],
  ["Invalidations", site => site.applied, "by functions that write"],
  ["Errors", site => site.load_errors, "queries that failed, which is never stored"],
].map(([name, of, title]) => {
  const value = element("dd", {}, "–");
  byId("tiles").append(element("div", { title }, element("dt", {}, name), value));
  return { of, value, last: null };
});

function showTiles(sites) {
  for (const tile of tiles) {
    const sum = sites.reduce((sum, site) => sum + tile.of(site), 0);
    const more = tile.last === null ? 0 : sum - tile.last;
    tile.value.replaceChildren(grouped(sum), more > 0 ? element("i", {}, `+${grouped(more)}`) : "");
    tile.last = sum;
  }
}

const reasons = counts =>
  Object.entries(counts).map(([reason, count]) => `${reason.replaceAll("_", " ")} ${grouped(count)}`).join(", ");

function siteRow(site) {
  const ratio = (site.near_hits + site.hits) / callsOf(site);
  const number = value => element("td", { className: "number" }, grouped(value));
  const unstored = reasons(site.unstored);
  return row("sites",
    element("td", { title: `${site.path} at ${site.place}` }, element("code", {}, site.site), element("small", {}, element("code", {}, site.key))),
    element("td", { className: "ratio" }, element("span", {}, element("meter", { value: ratio }), ` ${Math.round(ratio * 100)} %`)),
    number(site.near_hits), number(site.hits), number(site.loads), number(site.coalesced), number(site.bypassed),
    element("td", {}, reasons(site.misses) || "–", unstored && element("small", {}, `not stored: ${unstored}`)));
}

function chip(id, text, tone) {
  byId(id).textContent = text;
  byId(id).className = `chip ${tone}`;
}

async function refresh() {
  try {
    const { answer: stats } = await ask("/api/stats");
    chip("store", `store: ${stats.store}`, "");
    chip("breaker", `breaker: ${stats.breaker.replace("_", "-")}`, { closed: "good", open: "bad" }[stats.breaker] ?? "warn");
    chip("pending", `pending: ${grouped(stats.pending)}`, stats.pending ? "warn" : "");
    showTiles(stats.sites);
    // Functions that write have no hits; they are listed from the start, as all are.
    byId("sites").replaceChildren(...stats.sites.filter(site => callsOf(site) > 0).map(siteRow));
    byId("fresh").textContent = "every second";
  } catch (error) {
    chip("breaker", "server: no answer", "bad");
    byId("fresh").textContent = "no answer from the server";
  }
}

async function keepRefreshing() {
  if (!document.hidden) await refresh();
  setTimeout(keepRefreshing, 1000);
}

byId("run-all").onclick = runAll;
byId("shuffle").onclick = () => calls.forEach(call => call.input.value = call.other());
// The address #run runs everything at once.
if (location.hash === "#run") runAll();
showEntries().catch(() => {});
keepRefreshing();
