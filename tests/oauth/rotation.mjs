// The real daemon against a certified authorization server: connected once by a "person", it lives on rotating refresh
// tokens while it is killed at random and around each refresh. It may be locked out (the server revokes a grant whose
// refresh token is used twice), but only with an explicit needs_reauth, after which the person connects again; and
// never are two refreshes under way.
//
//   node rotation.mjs BIN-DIR PLUGIN-DIR [REFRESHES]
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { letIn, startProvider } from './provider.mjs';

const [bin, plugins, wanted = '200'] = process.argv.slice(2);
const provider = await startProvider();
const house = fs.mkdtempSync(path.join(os.tmpdir(), 'liaison-oauth.'));
const socket = path.join(house, 'liaisond.sock');
const redirect = 'http://localhost:9/callback';
for (const [name, value] of [['id', 'liaison'], ['secret', 'a-client-secret-4711']])
  fs.writeFileSync(path.join(house, name), value, { mode: 0o600 });
fs.writeFileSync(path.join(house, 'liaison.yaml'), `
daemon: { state_dir: ${house}/state, socket: ${socket}, plugin_dirs: [${plugins}], plugin_trust: { owner: self }, worker: ${bin}/liaison-worker }
tenants: { bakery: { name: Bakery, kind: other, timezone: Europe/Paris, currency: EUR } }
integrations:
  books:
    tenant: bakery
    connector: custom_api
    direction: import
    entities: [product]
    schedule: manual
    retry: { attempts: 1, base: 10ms, max: 20ms }
    credentials: { client_id: !file ${house}/id, client_secret: !file ${house}/secret }
    settings:
      base_url: ${provider.issuer}
      auth: { scheme: authorization_code, token_url: ${provider.issuer}/token, authorize_url: ${provider.issuer}/auth, scope: openid offline_access books }
      entities: { product: { key: /id, list: { path: /api/products, items: /items, paging: { style: none } }, fields: { /name: /name, /sku: /sku } } }
`);
fs.mkdirSync(path.join(house, 'state'));

let daemon;
let log = '';
function start(fault) {
  daemon = spawn(path.join(bin, 'liaisond'), ['--config', path.join(house, 'liaison.yaml')],
    { env: { ...process.env, ...(fault ? { LIAISON_FAULT: fault } : {}) }, stdio: ['ignore', 'ignore', 'pipe'] });
  daemon.ended = new Promise((resolve) => daemon.on('exit', resolve));
  daemon.stderr.on('data', (text) => { log += text; });
}
function ask(method, target, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath: socket, method, path: `/api/v1/${target}`, headers: { 'Content-Type': 'application/json' } },
      (answer) => {
        let text = '';
        answer.on('data', (part) => { text += part; });
        answer.on('end', () => resolve({ status: answer.statusCode, body: text ? JSON.parse(text) : null }));
      });
    request.on('error', reject);
    request.end(body ? JSON.stringify(body) : undefined);
  });
}
const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
async function ready() {
  for (let tries = 0; tries < 18000; tries += 1) {
    try { return await ask('GET', 'status'); } catch { await sleep(10); }
    if (daemon.exitCode !== null || daemon.signalCode !== null) return null;
  }
  throw new Error(`the daemon does not answer:\n${log.slice(-2000)}`);
}
async function connect() {
  const begun = await ask('POST', 'integrations/books/connect', { redirect_uri: redirect });
  if (begun.status !== 200) throw new Error(JSON.stringify(begun));
  const callback = await letIn(begun.body.url, redirect);
  const done = await ask('POST', 'integrations/books/connect/finish', { callback });
  if (done.status !== 200) throw new Error(JSON.stringify(done));
}
async function run() {
  const begun = await ask('POST', 'integrations/books/sync');
  for (;;) {
    const found = await ask('GET', `runs/${begun.body.run}`);
    if (!found.body || found.body.status !== 'running') return found.body ?? { status: 'lost', error: '' };
    await sleep(5);
  }
}

let kills = 0, reauthorised = 0, mysteries = 0;

// A failed run must say what a person can do, and so must the status.
async function judge(ended) {
  if (ended.status === 'success') return;
  if (!/liaisonctl connect books/.test(ended.error)) {
    mysteries += 1;
    console.error(`a run failed without a reason that a person can act on: ${ended.error}`);
    return;
  }
  const told = (await ask('GET', 'status')).body.integrations[0].problems.join();
  if (!/connect it: liaisonctl connect books/.test(told)) mysteries += 1;
  await connect();
  reauthorised += 1;
}

start();
await ready();
await connect();
let seed = 7;
const random = (bound) => { seed = (seed * 1103515245 + 12345) % 2147483648; return (seed >> 12) % bound; };
while (provider.stats.refreshes < Number(wanted)) {
  const roll = random(4);
  if (roll < 2) {  // killed around a refresh
    daemon.kill('SIGKILL');
    await daemon.ended;
    start(`${['login.before_refresh', 'login.refreshed'][roll]}:${1 + random(2)}:kill`);
    kills += 1;
    if (!await ready()) { start(); await ready(); }
  }
  for (let runs = 0; runs < 3; runs += 1) {
    let timer;
    try {
      const racing = run();
      if (roll === 2) timer = setTimeout(() => daemon.kill('SIGKILL'), random(25));
      await judge(await racing);
    } catch {  // it died
      await daemon.ended;
      kills += 1;
      start();
      await ready();
    } finally {
      clearTimeout(timer);
    }
  }
}
const last = await run();
daemon.kill('SIGTERM');
await daemon.ended;
const files = fs.readdirSync(path.join(house, 'state')).map((name) => fs.readFileSync(path.join(house, 'state', name), 'latin1')).join('');
const leaked = ['a-client-secret-4711'].filter((secret) => files.includes(secret) || log.includes(secret));
if (process.env.SHOW) console.error(log);
console.log(JSON.stringify({ ...provider.stats, kills, reauthorised, mysteries, last: last.status, leaked }));
provider.close();
fs.rmSync(house, { recursive: true });
const fine = last.status === 'success' && mysteries === 0 && provider.stats.inFlight === 1 && leaked.length === 0;
process.exit(fine ? 0 : 1);
