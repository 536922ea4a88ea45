/** Encrypted notifications: believed with Microsoft's token beside them, worth as much as basic ones without it. */
import { createCipheriv, createHash, createHmac, publicEncrypt, randomBytes, X509Certificate } from 'node:crypto';
import { http, HttpResponse } from 'msw';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Notice } from '../../../providers/provider.ts';
import { HOUR, plus } from '../../../src/domain/time.ts';
import { guardedServer, webhookRequest } from '../../conformance/provider.ts';
import { selfSigned } from '../../support/certificate.ts';
import { signing } from '../google-meet.options.ts';
import { account, clientState, CONTRACT, fixture, LOGIN, NOW, teams, TENANT } from './options.ts';
import { GRAPH, graphStandIn } from './stand-in.ts';

const server = guardedServer({ contract: CONTRACT });
const KEY = selfSigned();
const OLD = selfSigned();
const MICROSOFT = await signing('microsoft-1');
const [MEETING, RECORDING] = ['MSo5NzZmNGIzMS1m', '7e31db25-bc6e-4fd8-96c7'];
const COMPLETE = {
  id: RECORDING,
  meetingId: MEETING,
  createdDateTime: '2026-11-20T09:00:02.85022Z',
  endDateTime: '2026-11-20T09:44:00Z',
  recordingContentUrl: 'communications/…/content',
};
const RESOURCE = `communications/onlineMeetings('${MEETING}')/recordings('${RECORDING}')`;

const idOf = (certificate: string): string => createHash('sha256').update(new X509Certificate(certificate).raw).digest('hex');

/** As documented, step by step. */
function encrypted(resource: unknown, { certificate } = KEY): Record<string, string> {
  const secret = randomBytes(32);
  const cipher = createCipheriv('aes-256-cbc', secret, secret.subarray(0, 16));
  const data = Buffer.concat([cipher.update(JSON.stringify(resource)), cipher.final()]);
  return {
    data: data.toString('base64'),
    dataSignature: createHmac('sha256', secret).update(data).digest('base64'),
    dataKey: publicEncrypt(new X509Certificate(certificate).publicKey, secret).toString('base64'),
    encryptionCertificateId: idOf(certificate),
    encryptionCertificateThumbprint: 'any',
  };
}

function token(claims: Record<string, unknown> = {}, { kid, privateKey } = MICROSOFT, alg = 'RS256'): Promise<string> {
  const seconds = Math.floor(NOW.getTime() / 1_000);
  const documented = JSON.parse(fixture('validationToken-jwt-claims.json').toString()) as Record<string, unknown>;
  const ours = {
    aud: 'client-1',
    iss: `https://sts.windows.net/${TENANT}/`,
    tid: TENANT,
    iat: seconds,
    nbf: seconds,
    exp: seconds + 3_600,
  };
  return new SignJWT({ ...documented, ...ours, ...claims }).setProtectedHeader({ alg, kid }).sign(privateKey);
}

const notification = (members: Record<string, unknown>, validationTokens: readonly string[]): Buffer => {
  const item = {
    subscriptionId: 'sub-1',
    changeType: 'created',
    tenantId: TENANT,
    resource: RESOURCE,
    clientState: clientState(),
    ...members,
  };
  return Buffer.from(JSON.stringify({ value: [item], validationTokens }));
};

/** From the request to what is read of the stored bytes. */
async function noticesOf(bytes: Buffer, keys = [KEY], now = NOW): Promise<readonly Notice[]> {
  server.use(http.get(`${LOGIN}/common/discovery/v2.0/keys`, () => HttpResponse.json({ keys: [MICROSOFT.jwk] })));
  const { webhook } = teams({ notificationKeys: keys, now: () => now });
  const opened = await webhook.open(webhookRequest({ bytes }, now));
  if (opened.kind !== 'deliveries') throw new Error('answered as a handshake');
  // What was encrypted on its way is not stored in the open.
  expect(opened.deliveries[0]!.bytes.toString()).not.toContain('recordingContentUrl');
  return opened.deliveries.flatMap((delivery) => webhook.read(delivery.bytes));
}

const READY = {
  type: 'recording.ready',
  meetingId: MEETING,
  at: new Date('2026-11-20T09:44:00Z'),
  recording: expect.objectContaining({ id: RECORDING, state: 'ready', startedAt: new Date('2026-11-20T09:00:02.850Z') }),
};
const POINTER = { type: 'pointer', subscriptionId: 'sub-1', about: 'callRecording.created', resource: RESOURCE, at: NOW };

describe('G13 encrypted notifications of Teams', () => {
  it('say everything themselves: nobody has to be asked', async () => {
    expect(await noticesOf(notification({ encryptedContent: encrypted(COMPLETE) }, [await token()]))).toEqual([READY]);
    // In the spelling of the page on recordings.
    expect(await noticesOf(notification({ EncryptedContent: encrypted(COMPLETE) }, [await token()]))).toEqual([READY]);
  });

  it('are opened by an older key while certificates are exchanged', async () => {
    expect(await noticesOf(notification({ encryptedContent: encrypted(COMPLETE, OLD) }, [await token()]), [KEY, OLD])).toEqual([READY]);
  });

  it('have the same key as the basic one of the same recording', async () => {
    const keyOf = async (bytes: Buffer) => {
      const opened = await teams({ notificationKeys: [KEY] }).webhook.open(webhookRequest({ bytes }, NOW));
      return 'deliveries' in opened ? opened.deliveries[0]!.key : undefined;
    };
    server.use(http.get(`${LOGIN}/common/discovery/v2.0/keys`, () => HttpResponse.json({ keys: [MICROSOFT.jwk] })));
    expect(await keyOf(notification({ encryptedContent: encrypted(COMPLETE) }, [await token()]))).toBe(await keyOf(notification({}, [])));
  });

  it.each<[string, () => Promise<Buffer>]>([
    ['no token', async () => notification({ encryptedContent: encrypted(COMPLETE) }, [])],
    ['a token for another app', async () => notification({ encryptedContent: encrypted(COMPLETE) }, [await token({ aud: 'client-2' })])],
    ['a token of another sender', async () => notification({ encryptedContent: encrypted(COMPLETE) }, [await token({ appid: 'app' })])],
    ['a token for another tenant', async () => notification({ encryptedContent: encrypted(COMPLETE), tenantId: 'other' }, [await token()])],
    [
      'a token that names two tenants',
      async () => notification({ encryptedContent: encrypted(COMPLETE) }, [await token({ tid: 'other' })]),
    ],
    ['a token that is over', async () => notification({ encryptedContent: encrypted(COMPLETE) }, [await token({ exp: 1, nbf: 0 })])],
    [
      'a token of a stranger',
      async () => notification({ encryptedContent: encrypted(COMPLETE) }, [await token({}, await signing('microsoft-1'))]),
    ],
    ['no token at all', async () => notification({ encryptedContent: encrypted(COMPLETE) }, ['', 'a.b.c', 'x'.repeat(10_000)])],
    ['a certificate of somebody else', async () => notification({ encryptedContent: encrypted(COMPLETE, selfSigned()) }, [await token()])],
    [
      'a key for another certificate',
      async () =>
        notification({ encryptedContent: { ...encrypted(COMPLETE, OLD), encryptionCertificateId: idOf(KEY.certificate) } }, [
          await token(),
        ]),
    ],
    [
      'a signature that does not fit',
      async () => notification({ encryptedContent: { ...encrypted(COMPLETE), dataSignature: 'AAAA' } }, [await token()]),
    ],
    ['another recording inside', async () => notification({ encryptedContent: encrypted({ ...COMPLETE, id: 'other' }) }, [await token()])],
    ['another meeting inside', async () => notification({ encryptedContent: encrypted({ ...COMPLETE, meetingId: 'o' }) }, [await token()])],
    [
      'less than an answer tells',
      async () => notification({ encryptedContent: encrypted({ ...COMPLETE, endDateTime: null }) }, [await token()]),
    ],
    ['no resource inside', async () => notification({ encryptedContent: encrypted('text') }, [await token()])],
    ['members that are missing', async () => notification({ encryptedContent: { data: 'a' } }, [await token()])],
    ['placeholders of the documentation', async () => notification({ encryptedContent: 'x' }, ['<<--ValidationTokens-->>'])],
  ])('with %s are no more than basic ones: the recording is asked for', async (_, made) => {
    expect(await noticesOf(await made())).toEqual([POINTER]);
  });

  it('are no more than basic ones where no certificate is set up, and while the keys of Microsoft cannot be had', async () => {
    const bytes = notification({ encryptedContent: encrypted(COMPLETE) }, [await token()]);
    expect(await noticesOf(bytes, [])).toEqual([POINTER]);
    server.use(http.get(`${LOGIN}/common/discovery/v2.0/keys`, () => HttpResponse.error()));
    const { webhook } = teams({ notificationKeys: [KEY] });
    const opened = await webhook.open(webhookRequest({ bytes }, NOW));
    expect('deliveries' in opened && opened.deliveries.flatMap((one) => webhook.read(one.bytes))).toEqual([POINTER]);
  });

  it('case 40: prove nothing by their token alone', async () => {
    const bytes = notification({ encryptedContent: encrypted(COMPLETE), clientState: 'wrong' }, [await token()]);
    await expect(noticesOf(bytes)).rejects.toMatchObject({ code: 'webhook_unauthenticated' });
  });

  it('the tokens are as old as Microsoft makes them, and no older', async () => {
    const bytes = notification({ encryptedContent: encrypted(COMPLETE) }, [await token()]);
    expect(await noticesOf(bytes, [KEY], plus(NOW, HOUR / 2))).toEqual([READY]);
    expect(await noticesOf(bytes, [KEY], plus(NOW, 2 * HOUR))).toEqual([{ ...POINTER, at: plus(NOW, 2 * HOUR) }]);
  });
});

describe('the subscription of Teams', () => {
  const created = async (keys: readonly (typeof KEY)[]): Promise<Record<string, unknown>> => {
    const bodies: Record<string, unknown>[] = [];
    server.use(
      http.post(`${GRAPH}/v1.0/subscriptions`, async ({ request }) => void bodies.push((await request.clone().json()) as never)),
      ...graphStandIn().handlers,
    );
    const urls = { notificationUrl: 'https://gateway.example/webhooks/microsoft-teams', lifecycleUrl: 'https://gateway.example/lifecycle' };
    await teams({ notificationKeys: keys }).subscriptions!.create(account(), urls);
    return bodies[0]!;
  };

  it('G13 asks for the resource with the newest certificate, and without one for the name alone', async () => {
    expect(await created([KEY, OLD])).toMatchObject({
      includeResourceData: true,
      encryptionCertificate: new X509Certificate(KEY.certificate).raw.toString('base64'),
      encryptionCertificateId: idOf(KEY.certificate),
    });
    const basic = await created([]);
    for (const name of ['includeResourceData', 'encryptionCertificate', 'encryptionCertificateId']) expect(basic).not.toHaveProperty(name);
  });
});
