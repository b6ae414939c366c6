const KEPT = 30;
const TOKEN = "watersmeet.console.token"; // in this tab only, and gone with it
const HISTORY = "watersmeet.console.history";
const EXAMPLES = [
  ["Sources and how they are", "{\n  sources { name platform status lastCompleteSync assets edges skipped missingGrants lag }\n}", ""],
  ["Search by name",
    "query Search($text: String!) {\n  search(text: $text, first: 20) {\n    total\n    edges { node { id kind name platforms } }\n    pageInfo { hasNextPage endCursor }\n  }\n}",
    '{\n  "text": "churn"\n}'],
  ["An asset by whatever you would paste",
    "query Asset($key: String!) {\n  asset(key: $key) {\n    id kind name description platforms keys\n    owners { name role source }\n    tags { key value source }\n    aliases { name version validFrom validTo }\n    records { source nativeId url seenAt }\n  }\n}",
    '{\n  "key": "models:/churn/1"\n}'],
  ["What fed it, and what it feeds",
    "query Lineage($root: ID!) {\n  lineage(root: $root, direction: BOTH, depth: 5) {\n    total truncated\n    nodes { id kind name depth platforms }\n    edges { upstream downstream kind role evidence confidence sources }\n    completeness { exact undated stale { source reason remedy } failures { source what remedy } }\n  }\n}",
    '{\n  "root": "1"\n}'],
  ["What breaks if it changes",
    "query Impact($root: ID!) {\n  impact(root: $root) {\n    total\n    counts { kind depth count }\n    nodes { id kind name depth }\n    completeness { exact }\n  }\n}",
    '{\n  "root": "1"\n}'],
  ["The ways from one thing to another",
    "query Paths($from: ID!, $to: ID!) {\n  paths(from: $from, to: $to) {\n    total\n    paths { nodes { id kind name } edges { kind evidence } }\n  }\n}",
    '{\n  "from": "1",\n  "to": "2"\n}'],
  ["What changed lately", "{\n  changes(first: 50) {\n    total\n    edges { node { seq at asset what before after source } }\n  }\n}", ""],
  ["What is missing or in dispute", "{\n  gaps { total edges { node { asset what remedy } } }\n  letters { total edges { node { at place reason path } } }\n}", ""],
  ["Pull a source", "mutation Pull($source: String!) {\n  sync(source: $source) { id state }\n}", '{\n  "source": "tracking"\n}'],
  ["Watch the syncs", "subscription {\n  syncs { id source state progress read written message }\n}", ""],
];
const INTROSPECTION = `{ __schema {
  queryType { name } mutationType { name } subscriptionType { name }
  types { kind name description
    fields { name description args { name type { ...T } defaultValue } type { ...T } }
    inputFields { name description type { ...T } defaultValue }
    enumValues { name description } } } }
fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;

const at = (id) => document.getElementById(id);
const [query, variables, result, statusLine, errors] = ["query", "variables", "result", "status", "errors"].map(at);
let running = null;

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Asking

function operationOf(text) {
  const bare = text.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*/g, "");
  return /(^|[}\s])subscription\b/.test(bare.slice(0, bare.indexOf("{") + 1)) ? "subscription" : "other";
}

function readVariables() {
  const text = variables.value.trim();
  at("variables-note").textContent = "";
  variables.removeAttribute("aria-invalid");
  if (!text) return {};
  try {
    const value = JSON.parse(text);
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("an object is needed");
    return value;
  } catch (error) {
    variables.setAttribute("aria-invalid", "true");
    at("variables-note").textContent = `The variables are no JSON object: ${error.message}`;
    variables.focus();
    return null;
  }
}

// A header, never a cookie and never the address: what a browser sends by itself can be made to be sent.
function credentials() {
  const token = at("token").value.trim();
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function post(body, signal) {
  const response = await fetch("graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", ...credentials() },
    credentials: "omit",
    body: JSON.stringify(body),
    signal,
  });
  const text = await response.text();
  try {
    return { response, text, body: JSON.parse(text) };
  } catch {
    return { response, text, body: { errors: [{ message: `HTTP ${response.status}: ${text.slice(0, 500)}` }] } };
  }
}

async function run() {
  const asked = readVariables();
  if (asked === null || running) return;
  remember(query.value, variables.value);
  showErrors([]);
  result.textContent = "";
  begin();
  const body = { query: query.value, variables: asked };
  try {
    if (operationOf(query.value) === "subscription") await watch(body);
    else await askOnce(body);
  } catch (error) {
    if (error.name !== "AbortError") showErrors([{ message: `The server cannot be reached: ${error.message}` }]);
    statusLine.textContent = error.name === "AbortError" ? "Stopped." : "No answer.";
  } finally {
    end();
  }
}

async function askOnce(body) {
  const began = performance.now();
  statusLine.textContent = "Asking…";
  const answer = await post(body, running.signal);
  const took = Math.round(performance.now() - began);
  result.textContent = JSON.stringify(answer.body, null, 2);
  showErrors(answer.body.errors || []);
  const failed = (answer.body.errors || []).length;
  const told = failed ? `${failed} error${failed > 1 ? "s" : ""}` : "Answered";
  statusLine.textContent = `${told} in ${took} ms, ${answer.text.length.toLocaleString("en")} characters.`;
}

function watch(body) {
  return new Promise((resolve, reject) => {
    const address = new URL("graphql", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, "graphql-transport-ws");
    let count = 0;
    running.signal.addEventListener("abort", () => { socket.close(1000); reject(new DOMException("stopped", "AbortError")); });
    socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init", payload: credentials() }));
    socket.onerror = () => reject(new Error("the WebSocket was refused"));
    socket.onclose = (event) => (event.code === 1000 ? resolve() : reject(new Error(event.reason || `closed (${event.code})`)));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "connection_ack") {
        socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: body }));
        statusLine.textContent = "Watching…";
      } else if (message.type === "next") {
        count += 1;
        statusLine.textContent = `Watching: ${count} so far.`;
        result.textContent = `${JSON.stringify(message.payload, null, 2)}\n\n${result.textContent}`.slice(0, 200000);
      } else if (message.type === "error") {
        showErrors(message.payload);
        statusLine.textContent = "Refused.";
        socket.close(1000);
      } else if (message.type === "complete") {
        statusLine.textContent = `Ended after ${count}.`;
        socket.close(1000);
      } else if (message.type === "ping") {
        socket.send(JSON.stringify({ type: "pong" }));
      }
    };
  });
}

function begin() {
  running = new AbortController();
  at("stop").hidden = false;
  at("run").disabled = true;
}

function end() {
  running = null;
  at("stop").hidden = true;
  at("run").disabled = false;
}

// Errors

function showErrors(list) {
  errors.replaceChildren(...list.map(errorItem));
  errors.hidden = list.length === 0;
}

function errorItem(error) {
  const item = element("li");
  const { code, setting, candidates } = error.extensions || {};
  if (code) item.append(element("code", code), " ");
  item.append(error.message);
  if (error.path) item.append(` (at ${error.path.join(".")})`);
  for (const place of error.locations || []) {
    const jump = element("button", `line ${place.line}, column ${place.column}`, { type: "button" });
    jump.onclick = () => placeCaret(place);
    item.append(" ", jump);
  }
  if (setting) item.append(element("br"), "Setting: ", element("code", setting));
  if (candidates) {
    const offered = element("ul");
    for (const one of candidates) offered.append(element("li", `${one.id}  ${one.source}  ${one.nativeId}`));
    item.append(offered);
  }
  return item;
}

function placeCaret({ line, column }) {
  const before = query.value.split("\n").slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  query.focus();
  query.setSelectionRange(before + column - 1, before + column);
}

// History: kept in this browser only

function history() {
  try {
    return JSON.parse(localStorage.getItem(HISTORY)) || [];
  } catch {
    return [];
  }
}

function remember(text, values) {
  const kept = history().filter((one) => one.query !== text || one.variables !== values);
  kept.unshift({ query: text, variables: values, at: new Date().toISOString() });
  try {
    localStorage.setItem(HISTORY, JSON.stringify(kept.slice(0, KEPT)));
  } catch {
    return; // a browser that keeps nothing has no history
  }
  showHistory();
}

function showHistory() {
  const kept = history();
  const options = kept.map((one, index) => {
    const title = one.query.replace(/\s+/g, " ").slice(0, 60);
    return element("option", `${one.at.slice(11, 16)} ${title}`, { value: String(index) });
  });
  at("history").replaceChildren(element("option", kept.length ? "Choose one…" : "Nothing asked yet", { value: "" }), ...options);
}

function fill(text, values) {
  query.value = text;
  variables.value = values;
  at("variables-note").textContent = "";
  query.focus();
}

// The schema

const schema = { types: new Map(), roots: [], trail: [] };

async function loadSchema() {
  const answer = await post({ query: INTROSPECTION });
  const found = answer.body.data && answer.body.data.__schema;
  if (!found) {
    const why = (answer.body.errors || [{ message: "no answer" }])[0].message;
    at("explorer").textContent = `The schema cannot be shown: ${why}`;
    at("find").disabled = true;
    return;
  }
  at("find").disabled = false;
  schema.types.clear();
  schema.trail = [];
  for (const type of found.types) if (!type.name.startsWith("__")) schema.types.set(type.name, type);
  schema.roots = [found.queryType, found.mutationType, found.subscriptionType].filter(Boolean).map((type) => type.name);
  show(schema.roots[0]);
}

function spelled(type) {
  if (type.kind === "NON_NULL") return `${spelled(type.ofType)}!`;
  if (type.kind === "LIST") return `[${spelled(type.ofType)}]`;
  return type.name;
}

function typeLink(type) {
  const name = spelled(type).replace(/[[\]!]/g, "");
  const link = element("button", spelled(type), { type: "button", class: "type" });
  link.onclick = () => show(name);
  return link;
}

function show(name, trail = [...schema.trail.filter((one) => one !== name), name]) {
  const type = schema.types.get(name);
  if (!type) return;
  schema.trail = trail.slice(-5);
  const crumbs = [...schema.roots.filter((root) => !schema.trail.includes(root)), ...schema.trail];
  at("trail").replaceChildren(...crumbs.flatMap((one) => {
    const crumb = element("button", one, { type: "button" });
    if (one === name) crumb.setAttribute("aria-current", "true");
    crumb.onclick = () => show(one);
    return [crumb, " "];
  }));
  const heading = element("h3", `${type.kind.toLowerCase().replace("_", " ")} ${name}`);
  at("explorer").replaceChildren(heading, ...(type.description ? [element("p", type.description)] : []), members(type));
}

function members(type) {
  const list = element("dl");
  for (const field of type.fields || type.inputFields || []) list.append(...fieldRows(field));
  for (const value of type.enumValues || []) {
    list.append(element("dt", value.name));
    if (value.description) list.append(element("dd", value.description));
  }
  return list;
}

function fieldRows(field, owner) {
  const name = element("dt", owner ? `${owner}.${field.name}` : field.name);
  const args = field.args || [];
  args.forEach((argument, index) => {
    name.append(index ? ", " : "(", `${argument.name}: `, typeLink(argument.type));
    if (argument.defaultValue !== null) name.append(` = ${argument.defaultValue}`);
  });
  name.append(args.length ? "): " : ": ", typeLink(field.type));
  return field.description ? [name, element("dd", field.description)] : [name];
}

function find(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return show(schema.trail[schema.trail.length - 1] || schema.roots[0]);
  const list = element("dl");
  for (const type of schema.types.values()) {
    if (type.name.toLowerCase().includes(wanted)) {
      const row = element("dt");
      row.append(typeLink(type));
      list.append(row);
    }
    for (const field of type.fields || type.inputFields || []) {
      if (field.name.toLowerCase().includes(wanted)) list.append(...fieldRows(field, type.name));
    }
  }
  at("explorer").replaceChildren(list.children.length ? list : element("p", "Nothing by that name."));
}

// The page

function listen() {
  EXAMPLES.forEach(([title], index) => at("examples").append(element("option", title, { value: String(index) })));
  at("examples").onchange = ({ target }) => {
    if (target.value !== "") fill(...EXAMPLES[Number(target.value)].slice(1));
    target.value = "";
  };
  at("history").onchange = ({ target }) => {
    const one = history()[Number(target.value)];
    if (target.value !== "" && one) fill(one.query, one.variables);
    target.value = "";
  };
  at("forget").onclick = () => { localStorage.removeItem(HISTORY); showHistory(); };
  at("run").onclick = run;
  at("stop").onclick = () => running && running.abort();
  at("token").onchange = () => { keepToken(); loadAgain(); };
  at("find").oninput = ({ target }) => find(target.value);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); }
    if (event.key === "Escape" && running) running.abort();
  });
}

function keepToken() {
  try {
    if (at("token").value.trim()) sessionStorage.setItem(TOKEN, at("token").value.trim());
    else sessionStorage.removeItem(TOKEN);
  } catch {
    return; // a browser that keeps nothing asks again
  }
}

function keptToken() {
  try {
    return sessionStorage.getItem(TOKEN) || "";
  } catch {
    return "";
  }
}

function loadAgain() {
  loadSchema().catch((error) => { at("explorer").textContent = `The schema cannot be loaded: ${error.message}`; });
}

at("token").value = keptToken();
listen();
showHistory();
const last = history()[0];
[query.value, variables.value] = last ? [last.query, last.variables] : EXAMPLES[0].slice(1);
loadAgain();
