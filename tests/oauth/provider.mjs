// A certified authorization server (oidc-provider) with rotating refresh tokens whose reuse revokes the grant, and
// beside it an API that takes its tokens. It consents by itself, so that a test can play the person.
//
//   GET /api/products     a listing, for whoever has a good token
//   GET /_test/stats      {"refreshes": n, "inFlight": most at once, "refused": n, "accepted": n}
import http from 'node:http';
import Provider from 'oidc-provider';

const stats = { refreshes: 0, inFlight: 0, refused: 0, accepted: 0 };
let now = 0;

export async function startProvider({ lifeOfAccess = 30 } = {}) {
  const server = http.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'liaison', client_secret: 'a-client-secret-4711', redirect_uris: ['http://localhost:9/callback'],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'], response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic', application_type: 'native',
    }],
    features: { devInteractions: { enabled: false }, clientCredentials: { enabled: true } },
    scopes: ['openid', 'offline_access', 'books'],
    pkce: { methods: ['S256'], required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    ttl: { AccessToken: lifeOfAccess, ClientCredentials: lifeOfAccess, RefreshToken: 86400, Grant: 86400 },
    cookies: { keys: ['test'] },
    findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    interactions: { url: (_, interaction) => `/_test/consent/${interaction.uid}` },
  });
  const oidc = provider.callback();

  async function consent(request, response) {
    const interaction = await provider.interactionDetails(request, response);
    const { prompt, params } = interaction;
    if (prompt.name === 'login')
      return provider.interactionFinished(request, response, { login: { accountId: 'owner' } });
    const grant = new provider.Grant({ accountId: 'owner', clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  }

  async function api(request, response) {
    const [, token] = (request.headers.authorization || '').match(/^Bearer (.+)$/) || [];
    const found = token && (await provider.AccessToken.find(token) || await provider.ClientCredentials.find(token));
    response.setHeader('Content-Type', 'application/json');
    if (!found || found.isExpired) {
      stats.refused += 1;
      response.statusCode = 401;
      return response.end('{"error":"invalid_token"}');
    }
    stats.accepted += 1;
    return response.end(JSON.stringify({ items: [{ id: 1, name: 'Salt', sku: 'S1' }] }));
  }

  server.on('request', async (request, response) => {
    const path = request.url.split('?')[0];
    if (path === '/_test/stats') return response.end(JSON.stringify(stats));
    if (path === '/api/products') return api(request, response);
    if (path.startsWith('/_test/consent/')) return consent(request, response);
    if (path === '/token') {
      now += 1;
      stats.refreshes += 1;
      stats.inFlight = Math.max(stats.inFlight, now);
      response.on('close', () => { now -= 1; });
    }
    return oidc(request, response);
  });
  return { issuer, stats, close: () => server.close() };
}

// What a person's browser does: follows redirects with cookies until it is sent to `redirect`.
export async function letIn(url, redirect) {
  const jar = new Map();
  for (let hops = 0; hops < 20; hops += 1) {
    const answer = await fetch(url, {
      redirect: 'manual', headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=');
      jar.set(name, value);
    }
    const next = answer.headers.get('location');
    if (!next) throw new Error(`${url} answers ${answer.status}: ${await answer.text()}`);
    url = new URL(next, url).href;
    if (url.startsWith(redirect)) return url;
  }
  throw new Error('the browser is sent in circles');
}
