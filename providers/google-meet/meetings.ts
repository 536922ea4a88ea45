/** Which way a meeting is made, and by which way it is found again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, isFailure } from '../../src/domain/failure.ts';
import type { Account, GrantEnd, MeetingRef, Provider, VendorMeeting } from '../provider.ts';
import { createCalendar } from './calendar.ts';
import type { Ask } from './client.ts';
import { googleRefusal, missingScopes, refusedWith } from './failures.ts';
import type { GoogleMeetOptions } from './options.ts';
import { SPACE_SETTINGS } from './scopes.ts';
import { createSpaces } from './spaces.ts';

type Meetings = Required<
  Pick<Provider, 'createMeeting' | 'changeMeeting' | 'cancelMeeting' | 'hostUrl' | 'endMeeting' | 'recordAutomatically'>
>;

export function createMeetings(ask: Ask, { wait = sleepFor }: Pick<GoogleMeetOptions, 'wait'>): Meetings {
  const spaces = createSpaces(ask);
  const calendar = createCalendar({ ask, spaces, wait });

  return {
    async createMeeting(account, request) {
      try {
        return await spaces.create(account, request);
      } catch (error) {
        if (!mayNotCreateSpaces(account, error)) throw error;
        return calendar.create(account, request).catch((second: unknown): VendorMeeting => {
          throw neitherWay(error, second) ?? second;
        });
      }
    },

    async changeMeeting(account, meeting, change) {
      // A space has no title and no time: there is nothing to tell Google, the link stays as it is.
      const eventId = eventIdOf(meeting);
      if (eventId !== undefined) await calendar.change(account, eventId, change);
    },

    async cancelMeeting(account, meeting) {
      const eventId = eventIdOf(meeting);
      if (eventId === undefined) return spaces.close(account, meeting.id);
      await calendar.remove(account, eventId);
      // The link outlives its event. Closing it is an extra that Google may refuse for spaces made by Calendar.
      if (!account.scopes.includes(SPACE_SETTINGS)) return;
      try {
        await spaces.setAccess(account, meeting.id, 'RESTRICTED');
      } catch (error) {
        if (!isFailure(error, 'vendor_refused') && !isFailure(error, 'not_capable')) throw error;
      }
    },

    // The host opens the same link as everybody else; Meet knows the owner by the Google account.
    hostUrl: async (_account, meeting) => meeting.joinUrl,

    recordAutomatically: (account, meeting, on) => spaces.recordAutomatically(account, meeting.id, on),

    endMeeting: (account, meeting) => spaces.end(account, meeting),
  };
}

/**
 * Google does not say whether a personal account may create spaces; reports say 403. An account of an organisation that is
 * refused has an administrator to ask, and a link by Calendar would only go round that decision.
 */
function mayNotCreateSpaces(account: Account, error: unknown): boolean {
  if (isFailure(error, 'not_capable')) return true;
  const ourProjectIsNotSetUp = googleRefusal(error)?.reasons.includes('SERVICE_DISABLED') === true;
  return account.organisation === null && refusedWith(error, 403) && !ourProjectIsNotSetUp;
}

/** An account that granted neither way to a link is of no use: it has to be connected again, with its boxes ticked. */
function neitherWay(bySpace: unknown, byCalendar: unknown): Failure | undefined {
  const [first, second] = [missingScopes(bySpace), missingScopes(byCalendar)];
  if (first === undefined || second === undefined) return undefined;
  const scopes = [...first, ...second];
  return new Failure('reconnect_required', `The account granted no permission to make links: ${scopes.join(' or ')}.`, {
    cause: byCalendar,
    extra: {
      ...(byCalendar instanceof Failure ? byCalendar.extra : {}),
      reason: 'permission_missing' satisfies GrantEnd,
      missing_scopes: scopes,
    },
  });
}

const eventIdOf = ({ details }: MeetingRef): string | undefined => (details['via'] === 'calendar' ? details['eventId'] : undefined);

const sleepFor = async (ms: number): Promise<void> => {
  await sleep(ms);
};
