import { createRoute, type z } from '@hono/zod-openapi';
import { openerOfLists } from '../../connections/opener.ts';
import { notFound } from '../../domain/failure.ts';
import { certifyDeletion } from '../../evidence/deletion-certificate.ts';
import type { Gateway } from '../../gateway.ts';
import { grantAccess } from '../../recordings/access.ts';
import { revokeRecording } from '../../recordings/erase.ts';
import { publishWithheld } from '../../recordings/ready.ts';
import { revokeAccess, revokeRecipient } from '../../recordings/revoke.ts';
import { uploadRecording } from '../../recordings/upload.ts';
import type { Reader } from '../../store/database.ts';
import { findExpectation } from '../../store/expectations.ts';
import { findMeeting, findOwnMeeting, type Meeting } from '../../store/meetings.ts';
import { findOwnRecording, listRecordingLinks, listRecordings, type Recording } from '../../store/recordings.ts';
import { representExpectation, representRecording } from './represent.ts';
import { about, apiRouter, body, idParameter, json, listOf, problems } from './router.ts';
import * as requests from './requests.ts';
import * as schemas from './schemas.ts';

export const recordingRoutes = (gateway: Gateway) => {
  const { db, wake } = gateway;
  const inLists = openerOfLists(gateway);

  return apiRouter()
    .openapi(
      createRoute({
        method: 'get',
        path: '/meetings/{id}/recordings',
        ...about('Recordings', 'Recordings of a meeting, newest first'),
        request: { params: idParameter },
        responses: { 200: json(listOf(schemas.recording).extend({ expected: schemas.expectedRecording }), 'All of them'), ...problems },
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
          {
            data: recordings.map((recording) => representRecording(gateway, recording, links, inLists)),
            next_cursor: null,
            expected: representExpectation(await findExpectation(db.read, meeting.id)),
          },
          200,
        );
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/meetings/{id}/recordings',
        ...about('Recordings', 'Share a link to a video or file with the customers, for as long as a recording'),
        description:
          'Published at once, with a personal link for each recipient that leads to the uploaded one. The gateway stores nothing of what lies there; what happens to it is the business of the company that stores it. The same link once more is answered with 200 and the recording that is there.',
        request: { params: idParameter, body: body(requests.newUpload) },
        responses: {
          200: json(schemas.recording, 'It was shared before'),
          201: json(schemas.recording, 'The published recording'),
          ...problems,
        },
      }),
      async (c) => {
        const marketplaceId = c.get('marketplace').id;
        const { url, title, passcode } = c.req.valid('json');
        const { recording, isNew } = await uploadRecording(gateway, {
          marketplaceId,
          meetingId: c.req.valid('param').id,
          upload: { url, title, passcode: passcode ?? null },
          by: 'marketplace',
        });
        return c.json(await showRecording(gateway, marketplaceId, recording.id), isNew ? 201 : 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/recordings/{id}/access',
        ...about('Recordings', 'A link for who looks into a reported meeting'),
        description:
          'Only with an open incident of this meeting. The link lives for half an hour and dies with the incident; that it was given, and every view, is in the audit log.',
        request: { params: idParameter, body: body(requests.accessRequest) },
        responses: { 201: json(schemas.access, 'The link'), ...problems },
      }),
      async (c) => {
        const { incident_id: incidentId, reason } = c.req.valid('json');
        const access = await grantAccess(gateway, {
          marketplaceId: c.get('marketplace').id,
          recordingId: c.req.valid('param').id,
          incidentId,
          reason,
          by: c.get('keyId'),
        });
        return c.json({ url: access.url, expires_at: access.expiresAt.toISOString(), incident_id: access.incidentId }, 201);
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
      async (c) => c.json(await showRecording(gateway, c.get('marketplace').id, c.req.valid('param').id), 200),
    )
    .openapi(
      createRoute({
        method: 'get',
        path: '/recordings/{id}/deletion-certificate',
        ...about('Recordings', 'Signed proof that a recording is erased, to be verified by the keys at /.well-known/jwks.json'),
        request: { params: idParameter },
        responses: { 200: json(schemas.deletionCertificate, 'The certificate'), ...problems },
      }),
      async (c) => {
        const { recording } = await own(db.read, c.get('marketplace').id, c.req.valid('param').id);
        return c.json({ certificate: await certifyDeletion(gateway, recording) }, 200);
      },
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
        return c.json(await showRecording(gateway, marketplaceId, id), 200);
      },
    )
    .openapi(
      createRoute({
        method: 'post',
        path: '/recordings/{id}/revoke',
        ...about('Recordings', 'Take all links back, that of one recipient, or those given for an incident'),
        description:
          'A single recipient may be named before there are links, too: that one gets none when it is published. Who has no part in the meeting is answered with 404.',
        request: {
          params: idParameter,
          body: {
            required: false,
            content: { 'application/json': { schema: requests.revocation } },
          },
        },
        responses: { 200: json(schemas.recording, 'The recording'), ...problems },
      }),
      async (c) => {
        const marketplaceId = c.get('marketplace').id;
        const { id } = c.req.valid('param');
        const asked = c.req.valid('json') as z.infer<typeof requests.revocation> | undefined;
        const { customer_id: customerId, incident_id: incidentId } = asked ?? {};
        await db.write(async (tx) => {
          const { recording, meeting } = await own(tx, marketplaceId, id);
          const by = c.get('keyId');
          if (customerId !== undefined) await revokeRecipient(tx, gateway, meeting, { id, customerId, by });
          else if (incidentId !== undefined) await revokeAccess(tx, gateway, meeting, { id, incidentId, by });
          else await revokeRecording(tx, gateway, meeting, recording, 'marketplace');
        });
        wake();
        return c.json(await showRecording(gateway, marketplaceId, id), 200);
      },
    );
};

/** As the API shows it, with the links that there are now. */
export async function showRecording(gateway: Gateway, marketplaceId: string, id: string) {
  const { recording } = await own(gateway.db.read, marketplaceId, id);
  return representRecording(gateway, recording, await listRecordingLinks(gateway.db.read, [recording.id]));
}

async function own(db: Reader, marketplaceId: string, id: string): Promise<{ recording: Recording; meeting: Meeting }> {
  const recording = await findOwnRecording(db, marketplaceId, id);
  const meeting = recording && (await findMeeting(db, recording.meetingId));
  if (recording === undefined || meeting === undefined) throw notFound();
  return { recording, meeting };
}
