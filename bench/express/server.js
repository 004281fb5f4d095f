// Express with palisade's protections, put together from the usual packages.
// `node server.js [migrate | token]`; settings in PORT, DATABASE and SECRET.

import { createSecretKey, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import cors from 'cors';
import Database from 'better-sqlite3';
import express from 'express';
import helmet from 'helmet';
import jwt from 'jsonwebtoken';
import pino from 'pino';
import { rateLimit } from 'express-rate-limit';
import { z } from 'zod';

const { PORT, DATABASE, SECRET } = process.env;
const ORIGIN = 'https://app.example.org';
const HOSTS = ['127.0.0.1', 'localhost'];
const ISSUER = 'bench';
const ACCOUNT = '01a20f59-3f74-732c-b0a4-c848f71238a0';

const db = new Database(DATABASE);
db.pragma('journal_mode = wal');
db.pragma('foreign_keys = on');

const command = process.argv[2];
if (command === 'migrate') {
  for (const file of ['../palisade/migrations/0001_items.sql', '../common/accounts.sql']) {
    db.exec(readFileSync(new URL(file, import.meta.url), 'utf8'));
  }
} else if (command === 'token') {
  const options = {
    algorithm: 'HS256', issuer: ISSUER, audience: ISSUER, subject: ACCOUNT, jwtid: randomUUID(), expiresIn: '1h', notBefore: 0,
  };
  console.log(jwt.sign({}, SECRET, options));
} else {
  serve();
}

function serve() {
  // Lines are gathered and written together, which pino recommends for speed.
  const log = pino({ level: 'info' }, pino.destination({ dest: 1, sync: false, minLength: 4096 }));
  const findItem = db.prepare('select id, title, body, stars from items where id = ?');
  const findStanding = db.prepare(
    'select count(*) as found from accounts where id = ? and not exists (select 1 from revoked_tokens where jti = ?)',
  );
  const revoke = db.prepare('insert into revoked_tokens (jti, expires_at) values (?, ?) on conflict do nothing');

  // A string would be tried as a public key first, for each token.
  const key = createSecretKey(Buffer.from(SECRET));

  const NewItem = z.strictObject({
    title: z.string().min(1).max(200),
    body: z.string().max(2000),
    stars: z.int().min(1).max(5),
  });

  class Problem extends Error {
    constructor(status, title) {
      super(title);
      this.status = status;
    }
  }

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');

  app.use((req, res, next) => {
    req.id = randomUUID();
    res.setHeader('x-request-id', req.id);
    const started = process.hrtime.bigint();
    res.on('finish', () => {
      const micros = Number((process.hrtime.bigint() - started) / 1000n);
      log.info({ method: req.method, path: req.path, client: req.ip, status: res.statusCode, micros, request_id: req.id }, 'request');
    });
    next();
  });
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
      strictTransportSecurity: { maxAge: 63072000, includeSubDomains: true, preload: true },
      frameguard: { action: 'deny' },
    }),
  );
  app.use((req, res, next) => {
    res.setHeader('cache-control', 'no-store');
    res.setHeader(
      'permissions-policy',
      'accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), web-share=(), xr-spatial-tracking=()',
    );
    const host = (req.headers.host ?? '').replace(/:\d+$/, '');
    if (!HOSTS.includes(host)) throw new Problem(421, 'This host is not served here');
    const site = req.headers['sec-fetch-site'];
    const origin = req.headers.origin;
    const safe = ['GET', 'HEAD', 'OPTIONS'].includes(req.method);
    const own = site === undefined || site === 'same-origin' || site === 'none';
    if (!safe && origin !== ORIGIN && !(own && origin === undefined)) throw new Problem(403, 'This comes from another site');
    next();
  });
  app.use(rateLimit({ windowMs: 60_000, limit: 1_000_000_000, standardHeaders: 'draft-8', legacyHeaders: false }));
  app.use(cors({ origin: [ORIGIN], methods: ['GET', 'POST'], allowedHeaders: ['authorization', 'content-type'], maxAge: 600 }));
  app.use(express.json({ limit: '64kb' }));

  function signedIn(req, res, next) {
    const [scheme, token] = (req.headers.authorization ?? '').split(' ');
    try {
      if (scheme.toLowerCase() !== 'bearer') throw new Error('no token');
      req.claims = jwt.verify(token, key, { algorithms: ['HS256'], issuer: ISSUER, audience: ISSUER, clockTolerance: 5 });
    } catch {
      log.warn({ event: 'authn_token_refused', request_id: req.id });
      throw new Problem(401, 'Sign in first');
    }
    next();
  }

  app.get('/health', (req, res) => res.json({ status: 'ok' }));
  app.get('/items/:id', (req, res) => {
    const { data: id } = z.coerce.number().int().safeParse(req.params.id);
    const item = id === undefined ? undefined : findItem.get(id);
    if (item === undefined) throw new Problem(404, 'There is nothing here');
    res.json(item);
  });
  app.post('/items', (req, res) => {
    const { success, data } = NewItem.safeParse(req.body);
    if (!success) throw new Problem(422, 'The input breaks a rule');
    res.json(data);
  });
  app.get('/me', signedIn, (req, res) => res.json({ id: req.claims.sub }));
  app.get('/account', signedIn, (req, res) => {
    if (findStanding.get(req.claims.sub, req.claims.jti).found === 0) throw new Problem(401, 'Sign in first');
    res.json({ id: req.claims.sub });
  });
  app.post('/auth/sign-out', signedIn, (req, res) => {
    revoke.run(req.claims.jti, req.claims.exp);
    res.status(204).end();
  });
  app.use(() => {
    throw new Problem(404, 'There is nothing here');
  });
  app.use((error, req, res, next) => {
    const known = error instanceof Problem || [400, 413, 415].includes(error.status);
    if (!known) log.error({ err: error, request_id: req.id }, 'request failed');
    const status = known ? error.status : 500;
    const title = error instanceof Problem ? error.message : 'The request is not understood';
    res.status(status).type('application/problem+json');
    res.send(JSON.stringify({ type: 'about:blank', title, status, request_id: req.id }));
  });

  const server = app.listen(Number(PORT), '127.0.0.1');
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  process.on('SIGTERM', () => server.close(() => process.exit(0)));
}
