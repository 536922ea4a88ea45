import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { openBrowser } from './test/support/browser.ts';
import * as v from './src/http/pages/views/index.ts';
import { pageHeaders } from './src/http/pages/headers.ts';
import * as p from './test/support/pages.ts';
const app = new Hono();
const en: Record<string, unknown> = {
  connect: v.connectPage(p.connect('en', { notice: { kind: 'access_denied', app: 'Zoom' } })),
  'join-early': v.joinPage(p.join('en', { state: p.JOIN_STATES[3]!, recording: { kind: 'notice' }, cameraOff: true, limitMinutes: 60 })),
  'join-open': v.joinPage(p.join('de', { recording: { kind: 'consent', decision: 'granted', required: true } })),
  'join-live': v.joinPage(p.join('ru', { live: p.live, recording: { kind: 'implied', retentionDays: 30 } })),
  host: v.hostPage(p.host('bg')),
  recording: v.recordingPage(p.recording('en', { state: p.RECORDING_STATES[0]! })),
  recording2: v.recordingPage(p.recording('de', { source: 'upload', state: p.RECORDING_STATES[1]! })),
  message: v.messagePage({ language: 'en', now: p.NOW, marketplace: 'Expert Hour', ...v.messageTexts('en', 'gone'), reference: 'req_8f1' }),
  problem: v.problemPage({ code: 'limit_exceeded', now: p.NOW }),
};
for (const a of v.assets) app.get(a.path, (c) => c.body(a.body, 200, { 'content-type': a.contentType }));
app.get('/p/:n', async (c) => c.html(await (en[c.req.param('n')] as never), 200, pageHeaders({ secure: false })));
const s = serve({ fetch: app.fetch, port: 4567, hostname: '127.0.0.1' });
const b = await openBrowser();
for (const scheme of ['light', 'dark'] as const) for (const [w, h] of [[1000, 900], [320, 640]] as const) {
  const c = await b.newContext({ viewport: { width: w, height: h }, colorScheme: scheme, timezoneId: 'America/New_York' });
  const page = await c.newPage();
  page.on('console', (m) => console.log(m.text()));
  for (const n of Object.keys(en)) { await page.goto('http://127.0.0.1:4567/p/' + n); await page.screenshot({ path: `/tmp/shots/${n}-${scheme}-${w}.png`, fullPage: true }); }
  await c.close();
}
await b.close(); s.close();
