// Somebody signs in with a browser, wrongly and rightly, and out again; and the page of another place that sends the
// form on their behalf is refused. What is seen is kept as pictures.
//
//   node login.mjs BIN-DIR CHROMIUM FOLDER-FOR-SCREENSHOTS
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const [bin, program, pictures] = process.argv.slice(2);
const password = 'a password of four words';
const house = fs.mkdtempSync(path.join(os.tmpdir(), 'liaison-browser.'));
fs.writeFileSync(path.join(house, 'liaison.yaml'), `
daemon: { state_dir: ${house}/state, socket: ${house}/socket, listen: "127.0.0.1:0", plugin_dirs: [], worker: ${bin}/liaison-worker }
`);

const daemon = spawn(path.join(bin, 'liaisond'), ['--config', path.join(house, 'liaison.yaml')], { stdio: ['ignore', 'ignore', 'pipe'] });
let log = '';
const port = await new Promise((resolve, reject) => {
  daemon.stderr.on('data', (text) => {
    log += text;
    const listening = /the API listens port=(\d+)/.exec(log);
    if (listening) resolve(Number(listening[1]));
  });
  daemon.on('exit', () => reject(new Error(`the daemon ended:\n${log}`)));
});
const ctl = (...words) => execFileSync(path.join(bin, 'liaisonctl'), ['--socket', path.join(house, 'socket'), ...words],
  { input: `${password}\n`, stdio: ['pipe', 'pipe', 'inherit'], encoding: 'utf8' });
ctl('user', 'set', 'marie', '--scope', 'admin');

function code_of(base32) {
  const bits = [...base32].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = crypto.createHmac('sha1', key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const browser = await chromium.launch({
  executablePath: program,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const base = `http://127.0.0.1:${port}`;
const context = await browser.newContext({ viewport: { width: 900, height: 600 } });
context.setDefaultTimeout(180_000);
const page = await context.newPage();
const picture = (name) => page.screenshot({ path: path.join(pictures, `${name}.png`) });
const seen = () => page.textContent('main');

async function sign_in(with_password) {
  await page.fill('#name', 'marie');
  await page.fill('#password', with_password);
  await page.click('button');
}

try {
  await page.goto(base);
  assert.equal(page.url(), `${base}/login`, 'nobody is signed in yet');
  await picture('login');

  await sign_in('not the password');
  await page.waitForSelector('.wrong');
  assert.match(await seen(), /Name and password do not belong together/);
  await picture('login-wrong');

  await sign_in(password);
  await page.waitForURL(`${base}/`);
  assert.match(await seen(), /marie/);
  await picture('home');
  const [cookie, ...others] = await context.cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.secure, cookie.sameSite, others.length], ['__Host-liaison', true, true, 'Strict', 0]);

  await page.goto(`${base}/api/v1/session`);
  assert.match(await page.textContent('body'), /"csrf"/, 'a session asks the API');
  await page.goto(base);
  await page.click('text=Sign out');
  await page.waitForURL(`${base}/login`);
  await page.goto(base);
  assert.equal(page.url(), `${base}/login`, 'signed out');

  // With an authenticator (RFC 6238).
  const made = JSON.parse(ctl('--json', 'user', 'totp', 'marie'));
  await page.goto(`${base}/login`);
  await sign_in(password);
  await page.waitForSelector('.wrong');
  await picture('login-code');
  await page.fill('#code', code_of(made.secret));
  await sign_in(password);
  await page.waitForURL(`${base}/`);
  await page.click('text=Sign out');
  await page.waitForURL(`${base}/login`);
  ctl('user', 'totp', 'marie', '--forget');

  // A page of another place with the same form, filled in.
  const evil = http.createServer((request, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end(`<form method=post action="${base}/login"><input name=name value=marie><input name=password value="${password}"><button>Win</button></form>`);
  });
  await new Promise((resolve) => { evil.listen(0, '127.0.0.1', resolve); });
  await page.goto(`http://127.0.0.1:${evil.address().port}/`);
  await page.click('button');
  await page.waitForSelector('.wrong');
  assert.match(await seen(), /page of another place/);
  assert.deepEqual(await context.cookies(), [], 'nobody is signed in by another place');
  evil.close();
  console.log(`signed in, out, and not from elsewhere; pictures are in ${pictures}`);
} finally {
  await browser.close();
  daemon.removeAllListeners('exit');
  daemon.kill('SIGTERM');
  fs.rmSync(house, { recursive: true, force: true });
}
