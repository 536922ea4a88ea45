/** What Graph's refusals mean when the app itself asks. It is the operator who reads them, so they say what to do. */
import { z } from 'zod';
import { Failure } from '../../src/domain/failure.ts';
import type { Answer } from '../call.ts';

const errorBody = z.object({ error: z.object({ code: z.string().catch(''), message: z.string().catch('') }) });

/** How the directory, Exchange, and the subscriptions say that an app lacks a permission. */
const PERMISSION_CODES = new Set(['Authorization_RequestDenied', 'ErrorAccessDenied', 'ExtensionError']);
/** Teams has one code for everything; its words are the only difference. */
const PERMISSION_WORDS = /missing (?:role|scope) permissions|api requires one of/i;
const POLICY_WORDS = /application access policy|is not authorized to .+ on behalf of user/i;

const POLICY_MISSING =
  'Teams lets the app act for this host only with an application access policy. In Teams PowerShell: ' +
  'New-CsApplicationAccessPolicy -Identity gateway -AppIds <MICROSOFT_CLIENT_ID>, then ' +
  'Grant-CsApplicationAccessPolicy -PolicyName gateway -Identity <object id of the host>. It takes up to 30 minutes to work.';

const PERMISSION_MISSING =
  'The app lacks an application permission in its tenant. Add User.Read.All, Calendars.ReadWrite, OnlineMeetings.ReadWrite.All and ' +
  'OnlineMeetingRecording.Read.All to its registration as application permissions, and grant admin consent.';

/** Undefined when the refusal has nothing to do with what the app may do. */
export function refusedToApp(answer: Answer): Failure | undefined {
  if (answer.status !== 401 && answer.status !== 403) return undefined;
  const { code = '', message = '' } = errorBody.safeParse(answer.json).data?.error ?? {};
  const policy = POLICY_WORDS.test(message);
  if (!policy && !PERMISSION_CODES.has(code) && !PERMISSION_WORDS.test(message)) return undefined;
  return new Failure('not_capable', policy ? POLICY_MISSING : PERMISSION_MISSING, {
    cause: new Error(`HTTP ${answer.status}: ${code}: ${message.slice(0, 500)}`),
    extra: { vendor_code: /^[\w.-]{1,100}$/.test(code) ? code : String(answer.status) },
  });
}
