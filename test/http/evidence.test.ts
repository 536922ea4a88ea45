import { compactVerify, createRemoteJWKSet } from 'jose';
import { expect, it } from 'vitest';
import type { z } from '@hono/zod-openapi';
import { visit } from '../../demo/clients.ts';
import type { World } from '../../demo/world.ts';
import { chainHash } from '../../src/domain/audit-chain.ts';
import { canonicalJson } from '../../src/domain/canonical-json.ts';
import { EVIDENCE_TYPE } from '../../src/evidence/sign-evidence.ts';
import { verifyAudit } from '../../src/evidence/verify-audit.ts';
import { evidence as evidenceSchema, type signedEvidence } from '../../src/http/api/evidence-schemas.ts';
import { MOST_ROWS } from '../../src/incidents/evidence.ts';
import { describeOnBothDatabases } from '../support/databases.ts';
import { boughtMeeting, databaseOf, happen, MINUTE, must, otherMarketplace, settled } from '../support/gateway.ts';
import { connect, testWorld, USERS } from '../support/world.ts';

type Signed = z.infer<typeof signedEvidence>;

/** A meeting that was held, recorded and disputed, and another one of other people. */
async function disputed(world: World) {
  await connect(world, 'zoom');
  await settled(world);
  const meeting = await boughtMeeting(world, { provider: 'zoom', recording: 'on_consent' });
  const consent = { decision: 'granted', locale: 'en', text_version: 'v1' };
  must(await world.api('PUT', `/v1/meetings/${meeting.id}/attendees/cus_1/recording-consent`, consent), 200);
  world.jump(10 * MINUTE);
  expect((await visit(`${meeting.attendees[0]!.join_url}/join`, { method: 'POST' })).status).toBe(303);
  await happen(world, meeting, 'start');
  await happen(world, meeting, 'join', { name: 'Ada' });
  await settled(world);
  world.jump(11 * MINUTE);
  await happen(world, meeting, 'join', { user: USERS.zoom });
  await settled(world);
  world.jump(20 * MINUTE);
  await happen(world, meeting, 'end');
  await happen(world, meeting, 'finish-recording');
  await world.receiver.waitFor('recording.published', ({ type }) => type === 'recording.published');
  const body = { reported_by: 'customer', reporter_id: 'cus_1', kind: 'dispute', text: 'Half an hour <b>missing</b>.' };
  const { json } = must(await world.api('POST', `/v1/meetings/${meeting.id}/incidents`, body), 201);
  const others = { reported_by: 'professional', reporter_id: 'pro_1', text: 'CANARY of the other side' };
  const { json: theirs } = must(await world.api('POST', `/v1/meetings/${meeting.id}/incidents`, others), 201);
  // The recording is looked at because of what the other side reported.
  const { json: recordings } = must(await world.api('GET', `/v1/meetings/${meeting.id}/recordings`), 200);
  const recordingId = (recordings['data'] as { id: string }[])[0]!.id;
  const access = { incident_id: theirs['id'], reason: 'CANARY of the other report' };
  must(await world.api('POST', `/v1/recordings/${recordingId}/access`, access), 201);
  const other = await boughtMeeting(world, {
    booking: { id: 'bk_other', kind: 'one_to_one', title: 'Other booking' },
    attendees: [{ customer_id: 'cus_other', name: 'Grace' }],
    starts_at: new Date(world.now().getTime() + 240 * MINUTE).toISOString(),
  });
  await settled(world);
  return { meeting, other, id: String(json['id']), theirId: String(theirs['id']) };
}

const exported = async ({ api }: World, id: string) =>
  must(await api('GET', `/v1/incidents/${id}/evidence`), 200).json as unknown as Signed;

/** As docs/evidence.md says it: the JSON is put back into the signature. */
async function verified(world: World, { evidence, signature }: Pick<Signed, 'evidence' | 'signature'>) {
  const keys = createRemoteJWKSet(new URL(`${world.publicUrl}/.well-known/jwks.json`));
  const [header, , proof] = signature.split('.');
  const content = Buffer.from(JSON.stringify(evidence)).toString('base64url');
  const { protectedHeader } = await compactVerify(`${header}.${content}.${proof}`, keys, { algorithms: ['EdDSA'] });
  return protectedHeader;
}

describeOnBothDatabases('the evidence about an incident', (_open, engine) => {
  it('T14 C04 says what happened in the meeting and nothing of others, signed so that no change goes unseen', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { meeting, other, id, theirId } = await disputed(world);
    const at = world.now();
    const of = { meetingId: meeting.id, marketplaceId: world.marketplaceId };
    const bookingId = 'bk_1';
    await world.gateway.gateway.db.write(async (tx) => {
      const { earlyEnds, meterBlocks, meters, ratings } = tx.t;
      await tx
        .insert(meters)
        .values({ ...of, bookingId, creditBlocks: 4, usedBlocks: 1, blockEndsAt: null, exhaustedAt: null, balanceText: null });
      await tx.insert(meterBlocks).values({ ...of, bookingId, instanceId: 'run_1', number: 1, startsAt: at, voidedAt: null });
      const request = { askedBy: 'customer', customerId: 'cus_1', state: 'refused', answerBy: at, answeredAt: at, at };
      await tx.insert(earlyEnds).values({ id: 'ear_1', ...of, ...request });
      const marks = { professionalId: 'pro_1', customerId: 'cus_1', professional: 1, connection: 4, comment: 'Too short', at };
      await tx.insert(ratings).values({ id: 'rat_1', ...of, ...marks });
    });
    must(await world.api('PATCH', `/v1/incidents/${id}`, { state: 'investigating', note: 'Asked both' }), 200);
    await settled(world);

    const signed = await exported(world, id);
    const { evidence } = signed;
    expect(evidenceSchema.parse(evidence)).toEqual(evidence);
    expect(evidence).toMatchObject({
      format: 1,
      issuer: world.publicUrl,
      marketplace_id: world.marketplaceId,
      exported_at: at.toISOString(),
      incident: {
        id,
        kind: 'dispute',
        state: 'investigating',
        timeline: [{ kind: 'reported' }, { kind: 'state' }],
      },
      meeting: { id: meeting.id, booking: { id: 'bk_1' }, professional_id: 'pro_1', provider: 'zoom', state: 'ended' },
      customers: [{ customer_id: 'cus_1', recording_consent: 'granted' }],
      sessions: {
        minutes: { total: 31, host: 20, customer: 31, joint: 20 },
        sessions: [
          { participants: expect.arrayContaining([expect.objectContaining({ side: 'customer', customer_id: 'cus_1' })]) as unknown },
        ],
      },
      consents: [{ customer_id: 'cus_1', decision: 'granted', text_version: 'v1' }],
      link: { source: 'created', followed: [{ side: 'customer', customer_id: 'cus_1' }] },
      recordings: [{ state: 'published', links: [{ kind: 'recipient', customer_id: 'cus_1', views: 0 }] }],
      meter: { credit_blocks: 4, used_blocks: 1, blocks: [{ session: 'run_1', number: 1 }] },
      early_ends: [{ asked_by: 'customer', state: 'refused' }],
      ratings: [{ customer_id: 'cus_1', professional: 1, comment: 'Too short' }],
      left_out: [],
    });
    expect(evidence.link.history.map(({ what }) => what).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['created', 'locked', 'purchased']);
    const told = evidence.events.find(({ type }) => type === 'meeting.started')!;
    expect(told.deliveries).toMatchObject([{ state: 'delivered', attempts: [{ status: 204 }] }]);
    expect(evidence.events.map(({ type }) => type)).toContain('recording.published');

    // Every entry can be computed anew, and this export is the last of them.
    for (const { id: entryId, seq, previous, hash, at: when, action, subject_id: subjectId, details } of evidence.audit) {
      const entry = { id: entryId, marketplaceId: evidence.marketplace_id, at: new Date(when), action, subjectId, details };
      expect(chainHash(entry, { seq, previous })).toBe(hash);
    }
    expect(evidence.audit.map(({ action }) => action)).toEqual(['incident.reported', 'incident.moved', 'incident.evidence_exported']);
    expect((await verifyAudit(world.gateway.gateway.db)).every(({ broken }) => broken === null)).toBe(true);

    const text = JSON.stringify(evidence);
    for (const word of [other.id, 'bk_other', 'cus_other', 'Grace', 'Other booking', 'CANARY', theirId, 'Asked both'])
      expect(text).not.toContain(word);
    const secrets = [meeting.host_url, meeting.attendees[0]!.join_url].map((url) => url.split('/').at(-1)!);
    for (const secret of [...secrets, meeting.link.provider_join_url]) expect(text).not.toContain(secret);
    expect(text.match(/https?:[^"]*/g)).toEqual([world.publicUrl]);

    expect(await verified(world, signed)).toMatchObject({ alg: 'EdDSA', typ: EVIDENCE_TYPE });
    expect(text).toBe(canonicalJson(evidence));
    const minutes = { ...evidence.sessions.minutes, joint: 60 };
    const changes = [
      { ...evidence, sessions: { ...evidence.sessions, minutes } },
      { ...evidence, ratings: [] },
    ];
    for (const changed of changes) await expect(verified(world, { ...signed, evidence: changed })).rejects.toThrow(/signature/);
  });

  it('T14 is one page to read, by a link that lives half an hour and cannot be made up; nobody else gets either', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    const { meeting, other, id } = await disputed(world);
    const { page, signature } = await exported(world, id);
    expect(page.expires_at).toBe(new Date(Math.floor(world.now().getTime() / 1_000) * 1_000 + 30 * MINUTE).toISOString());
    const opened = await visit(page.url, { headers: { 'accept-language': 'de' } });
    expect([opened.status, opened.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(opened.text).toContain('Half an hour &lt;b&gt;missing&lt;/b&gt;.');
    for (const word of ['Nachweise', 'cus_1', 'incident.evidence_exported', 'bk_1']) expect(opened.text).toContain(word);
    for (const word of ['CANARY', 'cus_other', other.id, signature]) expect(opened.text).not.toContain(word);
    for (const url of [meeting.host_url, meeting.attendees[0]!.join_url]) expect(opened.text).not.toContain(url.split('/').at(-1)!);

    const [incidentId, until, proof] = page.url.split('/').at(-1)!.split('.') as [string, string, string];
    const foreign = `inc_${'0'.repeat(26)}`;
    for (const token of [
      `${incidentId}.${Number(until) + 1}.${proof}`,
      `${foreign}.${until}.${proof}`,
      `${incidentId}.${until}.${'A'.repeat(43)}`,
      `${incidentId}.${until}`,
      'x',
    ])
      expect((await visit(`${world.publicUrl}/e/${token}`)).status).toBe(404);
    world.jump(30 * MINUTE);
    expect((await visit(page.url)).status).toBe(410);

    const stranger = await otherMarketplace(world);
    expect((await stranger.api('GET', `/v1/incidents/${id}/evidence`)).status).toBe(404);
    expect((await world.api('GET', `/v1/incidents/${foreign}/evidence`)).status).toBe(404);
    const { read } = world.gateway.gateway.db;
    const exports = (await read.select().from(read.t.audit)).filter(({ action }) => action === 'incident.evidence_exported');
    expect(exports).toMatchObject([{ subjectId: id, details: { meeting_id: meeting.id, by: expect.stringMatching(/^key_/) as string } }]);
  });

  it('T14 of a group shows who reported, and of the other customers their minutes only', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, {
      provider: 'zoom',
      booking: { id: 'bk_1', kind: 'private_group', title: 'Group' },
      attendees: [
        { customer_id: 'cus_1', name: 'Ada' },
        { customer_id: 'cus_2', name: 'Grace Canary' },
      ],
    });
    const body = { reported_by: 'customer', reporter_id: 'cus_1', text: 'Too long' };
    const { json } = must(await world.api('POST', `/v1/meetings/${meeting.id}/incidents`, body), 201);
    const { evidence } = await exported(world, String(json['id']));
    expect(evidence.customers).toMatchObject([{ customer_id: 'cus_1', name: 'Ada' }]);
    expect(JSON.stringify(evidence)).not.toMatch(/cus_2|Canary/);
  });

  it('T14 has a bound, and says which lists are longer', async () => {
    const world = await testWorld({ databaseUrl: await databaseOf(engine) });
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    const body = { reported_by: 'customer', reporter_id: 'cus_1', text: 'Too long' };
    const { json } = must(await world.api('POST', `/v1/meetings/${meeting.id}/incidents`, body), 201);
    const of = { marketplaceId: world.marketplaceId, meetingId: meeting.id, customerId: 'cus_1' };
    const consent = { decision: 'refused', locale: 'en', textVersion: 'v1', channel: 'api', at: world.now() };
    const consents = Array.from({ length: MOST_ROWS + 1 }, (_, index) => ({
      id: `cst_${String(index).padStart(3, '0')}`,
      ...of,
      ...consent,
      // What was decided last is there, however often something was said before.
      ...(index === MOST_ROWS ? { decision: 'granted', at: new Date(consent.at.getTime() + 1) } : {}),
    }));
    await world.gateway.gateway.db.write((tx) => tx.insert(tx.t.consents).values(consents));
    const signed = await exported(world, String(json['id']));
    expect(signed.evidence.consents).toHaveLength(MOST_ROWS);
    expect(signed.evidence.consents.at(-1)).toMatchObject({ decision: 'granted' });
    expect(signed.evidence.left_out).toEqual(['consents']);
    await verified(world, signed);
  });
});
