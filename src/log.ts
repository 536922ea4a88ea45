/** Log lines: JSON on standard output. Secrets are not logged in the first place; what looks like one is masked all the same. */
import pino, { type DestinationStream, type Logger } from 'pino';

export const createLog = (level: string, destination?: DestinationStream): Logger => {
  const options = { level, serializers: { err: (error: Error) => masked(pino.stdSerializers.err(error)) } };
  return destination === undefined ? pino(options) : pino(options, destination);
};

/** `Bearer …`, our own links, webhook secrets. */
const TOKENS = /(bearer\s+|whsec_|gk_|\/(?:j|h|r|connect)\/)[A-Za-z0-9._~+/=-]{8,}/gi;
/** A value after a telling name, in JSON (escaped or not), in a query or in a form. */
const NAMED =
  /(\b(?:(?:access|refresh|id|download|download_access)_token|client_secret|code_verifier|authorization|passcode|password|recording_play_passcode|pwd|zak|code|p)\\*["']?\s*[=:]\s*\\*["']?)(?!(?:null|true|false|\d{1,5})\b)[^"'\\&\s,}]{4,}/gi;

/** The value with everything masked that looks like a secret; for what goes into a log. */
export function masked<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll(TOKENS, '$1[masked]').replaceAll(NAMED, '$1[masked]')) as T;
}
