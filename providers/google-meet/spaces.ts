/** Meeting spaces. A space has no title, no time and no delete; its link lives on until it is restricted. */
import { Failure, isFailure } from '../../src/domain/failure.ts';
import type { Account, MeetingRef, MeetingRequest, VendorMeeting } from '../provider.ts';
import type { Ask } from './client.ts';
import { googleRefusal, refusedWith, unlessRefused } from './failures.ts';
import { SPACE_CREATED, SPACE_READONLY, SPACE_SETTINGS } from './scopes.ts';
import { empty, space, type Space } from './shapes.ts';

export interface Spaces {
  create(account: Account, request: MeetingRequest): Promise<VendorMeeting>;
  /** `name`: `spaces/{id}` or `spaces/{meeting code}`. */
  get(account: Account, name: string): Promise<Space>;
  setAccess(account: Account, name: string, accessType: 'OPEN' | 'RESTRICTED'): Promise<Space>;
  setAutoRecording(account: Account, name: string, on: boolean): Promise<Space>;
  /** What the space does about it in the end, by a look of its own. */
  recordAutomatically(account: Account, name: string, on: boolean): Promise<boolean>;
  /** Lets nobody in any more and sends everybody home. */
  close(account: Account, name: string): Promise<void>;
  end(account: Account, meeting: MeetingRef): Promise<void>;
}

export function createSpaces(ask: Ask): Spaces {
  const patch = (account: Account, name: string, updateMask: string, config: object): Promise<Space> =>
    ask(account, {
      what: 'spaces.patch',
      scopes: [SPACE_CREATED, SPACE_SETTINGS],
      repeatable: true,
      request: ({ meet }, options) => meet.spaces.patch({ name, updateMask, requestBody: { config } }, options),
      answer: space,
    });

  const end = async (account: Account, name: string): Promise<void> => {
    try {
      await ask(account, {
        what: 'spaces.endActiveConference',
        scopes: [SPACE_CREATED],
        repeatable: true,
        request: ({ meet }, options) => meet.spaces.endActiveConference({ name, requestBody: {} }, options),
        answer: empty,
      });
    } catch (error) {
      const nothingIsRunning = googleRefusal(error)?.status === 'FAILED_PRECONDITION';
      if (!nothingIsRunning && !refusedWith(error, 404)) throw error;
    }
  };

  const get: Spaces['get'] = (account, name) =>
    ask(account, {
      what: 'spaces.get',
      scopes: [SPACE_CREATED, SPACE_READONLY, SPACE_SETTINGS],
      repeatable: true,
      request: ({ meet }, options) => meet.spaces.get({ name }, options),
      answer: space,
    });

  const setAutoRecording: Spaces['setAutoRecording'] = (account, name, on) =>
    patch(account, name, 'config.artifactConfig.recordingConfig.autoRecordingGeneration', autoRecording(on));

  return {
    async create(account, request) {
      const attempt = (config: object): Promise<Space> =>
        ask(account, {
          what: 'spaces.create',
          scopes: [SPACE_CREATED],
          // Google takes no idempotency key here and lists no spaces. After a lost answer the gateway asks again and gets a
          // second space; the first one stays behind empty, and its link was never given to anybody.
          repeatable: false,
          counts: 'create',
          request: ({ meet }, options) => meet.spaces.create({ requestBody: { config } }, options),
          answer: space,
        });
      const open = { accessType: 'OPEN', entryPointAccess: 'ALL' };
      const created = await attempt({ ...open, ...autoRecording(request.recordAutomatically) }).catch((error: unknown) => {
        // Not documented: whether an account that may not record refuses the setting or ignores it. A refusal made no space.
        if (request.recordAutomatically && refusedWith(error, 400, 403)) return attempt(open);
        throw error;
      });
      return {
        id: created.name,
        joinUrl: created.meetingUri,
        details: { via: 'space' },
        degraded: droppedSettings(created, request),
      };
    },

    get,

    setAccess: (account, name, accessType) => patch(account, name, 'config.accessType', { accessType }),

    setAutoRecording,

    async recordAutomatically(account, name, on) {
      try {
        const refusal = await setAutoRecording(account, name, on).then(
          () => undefined,
          (error: unknown) => {
            // A space of Calendar needs a permission of its own, and an account that may not record refuses or ignores the setting.
            if (isFailure(error, 'not_capable') || refusedWith(error, 400, 403)) return error;
            throw error;
          },
        );
        const told = recordingOf(await get(account, name));
        // Not changed and not shown: nobody knows what it will do.
        if (told === undefined && refusal !== undefined) throw refusal;
        return told === 'ON';
      } catch (error) {
        if (refusedWith(error, 404)) throw new Failure('gone', 'The space does not exist at Google any more.', { cause: error });
        throw error;
      }
    },

    async close(account, name) {
      // In this order: whoever is sent out cannot come back.
      await unlessRefused(patch(account, name, 'config.accessType', { accessType: 'RESTRICTED' }), 404);
      await end(account, name);
    },

    async end(account, meeting) {
      try {
        await end(account, meeting.id);
      } catch (error) {
        if (meeting.details['via'] === 'calendar' && refusedWith(error, 403)) {
          throw new Failure('not_capable', 'Google lets an app end only the conferences of spaces that the app created itself.', {
            cause: error,
          });
        }
        throw error;
      }
    },
  };
}

/** What of the request the vendor's echo does not show. */
export function droppedSettings(made: Space, request: MeetingRequest): string[] {
  return [
    ...(made.config?.accessType === 'OPEN' ? [] : ['open_access']),
    ...((recordingOf(made) === 'ON') === request.recordAutomatically ? [] : ['record_automatically']),
    // Meet has no setting that keeps the guests' cameras off.
    ...(request.participantVideo ? [] : ['participant_video']),
    // Nor one that turns a camera on.
    ...(request.hostVideo === true ? ['host_video'] : []),
  ];
}

const recordingOf = ({ config }: Space): string | undefined => config?.artifactConfig?.recordingConfig?.autoRecordingGeneration;

const autoRecording = (on: boolean) => ({ artifactConfig: { recordingConfig: { autoRecordingGeneration: on ? 'ON' : 'OFF' } } });
