import { createRoute } from '@hono/zod-openapi';
import { openerOfLists } from '../../connections/opener.ts';
import { notFound } from '../../domain/failure.ts';
import type { Gateway } from '../../gateway.ts';
import { revokeRecording } from '../../recordings/erase.ts';
import { publishWithheld, tellRecording } from '../../recordings/ready.ts';
import type { Reader } from '../../store/database.ts';
import { findMeeting, findOwnMeeting, type Meeting } from '../../store/meetings.ts';
import { findOwnRecording, listRecordingLinks, listRecordings, revokeLinks, type Recording } from '../../store/recordings.ts';
import { representRecording } from './represent.ts';
import { revocation } from './requests.ts';
import { about, apiRouter, idParameter, json, listOf, problems } from './router.ts';
import * as schemas from './schemas.ts';

export const recordingRoutes = (gateway: Gateway) => {
  const { db, now, wake } = gateway;
  const inLists = openerOfLists(gateway);

  return apiRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings/{id}/recordings',
        ...about('Recordings', 'Recordings of a meeting, newest first'),
        request: { params: idParameter },
        responses: { 200: json(listOf(schemas.recording), 'All of them'), ...problems },
      }),
      async (c) => {
        const meeting = await findOwnMeeting(db.read, c.get('marketplace').id, c.req.valid('param').id);
        if (meeting === undefined) throw notFound();
        const recordings = await listRecordings(db.read, meeting.id);
        const links = await listRecordingLinks(
          db.read,
          recordings.map(({ id }) => id),
        );
        return c.json(
          { data: recordings.map((recording) => representRecording(gateway, recording, links, inLists)), next_cursor: null },
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/recordings/{id}',
        ...about('Recordings', 'One recording'),
        request: { params: idParameter },
        responses: { 200: json(schemas.recording, 'The recording'), ...problems },
      }),
      async (c) => c.json(await shown(gateway, c.get('marketplace').id, c.req.valid('param').id), 200),
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/recordings/{id}/publish',
        ...about('Recordings', 'Publish a withheld recording, once every consent is there'),
        request: { params: idParameter },
        responses: { 200: json(schemas.recording, 'The recording'), ...problems },
      }),
      async (c) => {
        const marketplaceId = c.get('marketplace').id;
        const { id } = c.req.valid('param');
        await db.write(async (tx) => {
          const { recording, meeting } = await own(tx, marketplaceId, id);
          await publishWithheld(tx, gateway, meeting, recording);
        });
        wake();
        return c.json(await shown(gateway, marketplaceId, id), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/recordings/{id}/revoke',
        ...about('Recordings', 'Take all links back, or those of one customer'),
        request: {
          params: idParameter,
          body: {
            required: false,
            content: { 'application/json': { schema: revocation } },
          },
        },
        responses: { 200: json(schemas.recording, 'The recording'), ...problems },
      }),
      async (c) => {
        const marketplaceId = c.get('marketplace').id;
        const { id } = c.req.valid('param');
        const customerId = (c.req.valid('json') as { customer_id?: string } | undefined)?.customer_id;
        await db.write(async (tx) => {
          const { recording, meeting } = await own(tx, marketplaceId, id);
          if (recording.state === 'expired' || recording.state === 'revoked') return;
          if (customerId === undefined) {
            await revokeRecording(tx, gateway, meeting, recording, 'marketplace');
            return;
          }
          const revoked = await revokeLinks(tx, { recordingId: recording.id, customerId, at: now() });
          for (const link of revoked)
            await tellRecording(tx, gateway, meeting, recording, 'recording.revoked', { customer_id: customerId }, undefined, link.id);
        });
        wake();
        return c.json(await shown(gateway, marketplaceId, id), 200);
      },
    );
};

async function shown(gateway: Gateway, marketplaceId: string, id: string) {
  const { recording } = await own(gateway.db.read, marketplaceId, id);
  return representRecording(gateway, recording, await listRecordingLinks(gateway.db.read, [recording.id]));
}

async function own(db: Reader, marketplaceId: string, id: string): Promise<{ recording: Recording; meeting: Meeting }> {
  const recording = await findOwnRecording(db, marketplaceId, id);
  const meeting = recording && (await findMeeting(db, recording.meetingId));
  if (recording === undefined || meeting === undefined) throw notFound();
  return { recording, meeting };
}
