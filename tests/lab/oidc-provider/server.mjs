// server.mjs ISSUER DIRECTORY : an OpenID provider for the tests (the certified npm package oidc-provider) at one address on loopback.
// DIRECTORY is its state: tls.pem, tls.key, ca.pem (for https), and state.json, which keeps the keys, clients and sessions over a restart.
//
// Differences from a production provider: users sign in with a name and no password, every client has consent to everything, a
// registered client can choose life times (lab_access_token_seconds, lab_id_token_seconds) and the resource of its access tokens
// (lab_resource), and POST /lab/logout?sub=NAME ends the sessions of a user.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import Provider, { errors, interactionPolicy } from 'oidc-provider';

const [issuer, directory] = process.argv.slice(2);
const address = new URL(issuer);

// ---- accounts. The user principal names are those of the lab's realms.

const domain = { 10601: 'ad.test', 10602: 'mit.test' }[address.port];
const tenant = { 10601: 'aaaaaaaa-0000-4000-8000-000000010601', 10602: 'bbbbbbbb-0000-4000-8000-000000010602' }[address.port];
const users = {
  alice: { name: 'Alice Adams', groups: ['staff', 'finance'] },
  bob: { name: 'Bob Brown', groups: ['staff'] },
  'jürgen': { name: 'Jürgen Groß', groups: ['staff'] },
  '加藤': { name: '加藤', groups: ['staff'] },
  sensitive: { name: 'Sensitive', groups: [] },
  unknown: { name: 'Not In The Directory', groups: [] },
};
for (let i = 1; i <= 200; i++) users[`u${String(i).padStart(3, '0')}`] = { name: `User ${i}`, groups: ['staff'] };

// What Entra's tokens have too: a sub that differs from the object identifier, the tenant, the user principal name.
function claimsFor(login) {
  const user = users[login];
  const number = Object.keys(users).indexOf(login) + 1;
  return {
    sub: login,
    oid: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    tid: tenant,
    upn: `${login}@${domain}`,
    onprem_sam_account_name: login,
    preferred_username: `${login}@${domain}`,
    email: `${login}@example.test`,
    name: user.name,
    groups: user.groups,
  };
}

const PASSWORD = 'urn:lab:password';
const SECOND_FACTOR = 'urn:lab:second-factor';
const methods = { [PASSWORD]: ['pwd'], [SECOND_FACTOR]: ['pwd', 'mfa'] };

// ---- state

const stateFile = `${directory}/state.json`;
const state = existsSync(stateFile) ? JSON.parse(readFileSync(stateFile, 'utf8')) : createState();
const entries = new Map(state.entries);

function createState() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }],
    cookieKey: randomBytes(32).toString('base64url'),
    entries: [],
  };
}

function saveState() {
  writeFileSync(`${stateFile}.new`, JSON.stringify({ ...state, entries: [...entries] }));
  renameSync(`${stateFile}.new`, stateFile);
}

class Adapter {
  constructor(model) {
    this.model = model;
  }

  #key(id) {
    return `${this.model} ${id}`;
  }

  #findBy(property, value) {
    for (const [key, { payload }] of entries) {
      if (key.startsWith(`${this.model} `) && payload[property] === value) return payload;
    }
    return undefined;
  }

  async upsert(id, payload, seconds) {
    entries.set(this.#key(id), { payload, expires: seconds ? Date.now() + seconds * 1000 : null });
  }

  async find(id) {
    return entries.get(this.#key(id))?.payload;
  }

  async findByUid(uid) {
    return this.#findBy('uid', uid);
  }

  async findByUserCode(userCode) {
    return this.#findBy('userCode', userCode);
  }

  async consume(id) {
    entries.get(this.#key(id)).payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    entries.delete(this.#key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, { payload }] of entries) {
      if (key.startsWith(`${this.model} `) && payload.grantId === grantId) entries.delete(key);
    }
  }
}

setInterval(() => {
  for (const [key, { expires }] of entries) {
    if (expires && expires < Date.now()) entries.delete(key);
  }
}, 10_000).unref();

// ---- back-channel requests. The names of the tests' servers (*.test) are in no DNS: every one is on loopback. The package's own guard
// against addresses on loopback is therefore not used.

const authority = existsSync(`${directory}/ca.pem`) ? readFileSync(`${directory}/ca.pem`) : undefined;

function fetchOnLoopback(url, { method = 'GET', headers, body, signal }) {
  const target = new URL(url);
  const options = {
    method,
    signal,
    headers: Object.fromEntries(new Headers(headers)),
    ca: authority,
    lookup: (_host, lookupOptions, done) => (lookupOptions.all
      ? done(null, [{ address: '127.0.0.1', family: 4 }])
      : done(null, '127.0.0.1', 4)),
  };
  return new Promise((resolve, reject) => {
    const request = (target.protocol === 'https:' ? https : http).request(target, options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const content = [204, 304].includes(response.statusCode) ? null : Buffer.concat(chunks);
        resolve(new Response(content, { status: response.statusCode }));
      });
    });
    request.on('error', reject);
    request.end(body?.toString());
  });
}

// ---- the provider

const policy = interactionPolicy.base();
// A client that asks for a second factor gets it, although acr_values is a voluntary claim: a session without it signs in again.
policy.get('login').checks.push(new interactionPolicy.Check('acr_values', 'a requested authentication context is missing', ({ oidc }) =>
  Boolean(oidc.session.accountId && oidc.params.acr_values && !oidc.params.acr_values.split(' ').includes(oidc.session.acr))));

// Only one provider knows select_account, which not every provider does.
if (address.port === '10601') {
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
}

const resources = {
  'api://gateway': 'read write access_as_user',
  'api://other': 'read',
};

const provider = new Provider(issuer, {
  adapter: Adapter,
  jwks: { keys: state.keys },
  cookies: {
    keys: [state.cookieKey],
    // Cookies do not distinguish ports, and both issuers can have the same host.
    names: { session: `session${address.port}`, interaction: `interaction${address.port}`, resume: `resume${address.port}` },
  },
  clients: [{
    // Only for tests that start with an access token and have no gateway. Nothing listens at its address.
    client_id: 'lab',
    client_secret: 'lab-client-secret-0123456789abcdef',
    redirect_uris: ['http://127.0.0.1:10699/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
  }],
  acrValues: [PASSWORD, SECOND_FACTOR],
  claims: {
    acr: null,
    amr: null,
    auth_time: null,
    iss: null,
    sid: null,
    openid: ['sub', 'oid', 'tid', 'upn', 'onprem_sam_account_name', 'groups', 'amr'],
    profile: ['name', 'preferred_username'],
    email: ['email'],
  },
  conformIdTokenClaims: false,        // the claims of the scopes are in the ID token, as at most providers
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  pkce: { required: () => true },
  discovery: { prompt_values_supported: ['none', ...policy.map(({ name }) => name)] },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    claimsParameter: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true, initialAccessToken: 'lab-registration' },
    rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_ctx, client, oneOf) => oneOf ?? client.lab_resource,
      useGrantedResource: (ctx) => Boolean(ctx.oidc.client.lab_resource),
      getResourceServerInfo: (_ctx, resource, client) => {
        if (!(resource in resources)) throw new errors.InvalidTarget();
        return {
          scope: resources[resource],
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: client.lab_access_token_seconds ?? 600,
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
  },
  extraClientMetadata: { properties: ['lab_resource', 'lab_access_token_seconds', 'lab_id_token_seconds'] },
  extraTokenClaims: async (_ctx, token) => (token.accountId ? accessTokenClaims(token.accountId) : undefined),
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  expiresWithSession: async () => true,
  ttl: {
    AccessToken: (_ctx, token, client) => token.resourceServer?.accessTokenTTL ?? client.lab_access_token_seconds ?? 600,
    IdToken: (_ctx, _token, client) => client.lab_id_token_seconds ?? 600,
    AuthorizationCode: 60,
    Interaction: 600,
    RefreshToken: 3600 * 8,
    Session: 3600 * 8,
    Grant: 3600 * 8,
  },
  interactions: { policy, url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  renderError,
  findAccount: async (_ctx, login, token) => (users[login] ? { accountId: login, claims: async () => claimsFor(login, token) } : undefined),
  loadExistingGrant,
  fetch: fetchOnLoopback,
});

function accessTokenClaims(login) {
  const { oid, tid, upn, onprem_sam_account_name, groups } = claimsFor(login);
  return { oid, tid, upn, onprem_sam_account_name, groups };
}

// Consent is given without a question, also to what a later request adds. Only prompt=consent shows a page.
async function loadExistingGrant({ oidc }) {
  const { client, session, params } = oidc;
  const id = oidc.result?.consent?.grantId ?? session.grantIdFor(client.clientId);
  const existing = id ? await provider.Grant.find(id) : undefined;
  const grant = existing ?? new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile email offline_access');
  grant.addOIDCClaims(['acr', 'amr', 'auth_time', 'sid', ...Object.keys(claimsFor('alice'))]);
  const wanted = [params.resource ?? client.lab_resource ?? []].flat();
  for (const resource of wanted.filter((name) => name in resources)) grant.addResourceScope(resource, resources[resource]);
  await grant.save();
  return grant;
}

// ---- pages

const html = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

function page(ctx, title, content, status = 200) {
  ctx.status = status;
  ctx.type = 'html';
  ctx.set('Cache-Control', 'no-store');
  ctx.body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${html(title)}</title>
<style>
body{font:16px/1.5 sans-serif;max-width:24rem;margin:4rem auto;padding:0 1rem}
input,button{font:inherit;padding:.4rem;margin:.2rem 0}
</style>
<h1>${html(title)}</h1>${content}</html>`;
}

function logoutSource(ctx, form) {
  page(ctx, 'Sign out of the provider?', `${form}<button form="op.logoutForm" name="logout" value="yes" autofocus>Sign out</button>
<button form="op.logoutForm">Stay signed in</button>`);
}

function postLogoutSuccessSource(ctx) {
  page(ctx, 'Signed out of the provider', '<p>The session has ended.</p>');
}

function renderError(ctx, out) {
  const content = Object.entries(out).map(([key, value]) => `<p><b>${html(key)}</b>: ${html(value)}</p>`).join('');
  page(ctx, 'Error of the provider', content, ctx.status);
}

async function readForm(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

function signInPage(ctx, details, message = '') {
  const hint = details.params.login_hint ?? '';
  const content = details.prompt.name === 'consent'
    ? '<p>The client asks for consent.</p>'
    : `<p>${message}</p><p><label>User name <input name="login" value="${html(hint)}" autocomplete="off" autofocus required></label></p>`;
  page(ctx, 'Sign in', `<form method="post">${content}<button name="action" value="continue">Continue</button>
<button name="action" value="cancel" formnovalidate>Cancel</button></form>`);
}

async function answerInteraction(ctx) {
  const details = await provider.interactionDetails(ctx.req, ctx.res);
  if (ctx.method !== 'POST') return signInPage(ctx, details);
  const form = await readForm(ctx.req);
  const login = form.get('login') ?? '';
  let result;
  if (form.get('action') === 'cancel') {
    result = { error: 'access_denied', error_description: 'The user canceled the sign-in.' };
  } else if (login === 'disabled') {
    result = { error: 'access_denied', error_description: 'The account is disabled.' };
  } else if (details.prompt.name === 'consent') {
    result = { consent: {} };
  } else if (!Object.hasOwn(users, login)) {
    return signInPage(ctx, details, 'There is no such user.');
  } else {
    const acr = details.params.acr_values?.split(' ').find((value) => value in methods) ?? PASSWORD;
    result = { login: { accountId: login, acr, amr: methods[acr], remember: true }, select_account: {} };
  }
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  return undefined;
}

// ---- sign-out by the provider: ends the user's sessions, revokes their tokens, and sends a logout token to every client

async function signOut(sub) {
  const answers = [];
  for (const [key, { payload }] of [...entries]) {
    if (!key.startsWith('Session ') || payload.accountId !== sub) continue;
    entries.delete(key);
    for (const [clientId, { sid, grantId }] of Object.entries(payload.authorizations ?? {})) {
      for (const [other, { payload: issued }] of entries) {
        if (grantId && issued.grantId === grantId) entries.delete(other);
      }
      const client = await provider.Client.find(clientId);
      if (!client?.backchannelLogoutUri) continue;
      try {
        await client.backchannelLogout(sub, sid);
        answers.push(`${clientId} ok`);
      } catch (error) {
        answers.push(`${clientId} failed: ${error.message} ${error.cause?.message ?? ''}`.trim());
      }
    }
  }
  return answers;
}

provider.use(async (ctx, next) => {
  if (ctx.path.startsWith('/interaction/')) {
    await answerInteraction(ctx);
  } else if (ctx.path === '/lab/logout' && ctx.method === 'POST') {
    ctx.body = (await signOut(ctx.query.sub)).map((line) => `${line}\n`).join('');
  } else {
    await next();
  }
});
provider.on('server_error', (_ctx, error) => console.error(error));
provider.on('backchannel.error', (_ctx, error, client) => console.error(`back-channel logout of ${client.clientId}: ${error.message}`));

const server = address.protocol === 'https:'
  ? https.createServer({ cert: readFileSync(`${directory}/tls.pem`), key: readFileSync(`${directory}/tls.key`) }, provider.callback())
  : http.createServer(provider.callback());
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    saveState();
    process.exit(0);
  });
}
server.listen(Number(address.port), '127.0.0.1', () => console.log(`${issuer} is ready`));
