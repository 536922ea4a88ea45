/** Log lines: JSON on standard output. Secrets are not logged in the first place; what looks like one is masked all the same. */
import pino, { type DestinationStream, type Logger } from 'pino';

/** Every line passes the mask as text, whatever it was made of: messages, nested objects, errors with their causes. */
export const createLog = (level: string, destination?: DestinationStream): Logger => {
  const options = { level, hooks: { streamWrite: masked } };
  return destination === undefined ? pino(options) : pino(options, destination);
};

/** Where a word begins in JSON: in `\ntoken` the n belongs to the escape, and has to stay with it. */
const START = String.raw`(?:\b|\\[bfnrt]|\\u[\da-f]{4})`;
/** Between a name and its value: JSON (escaped or not), a query, a form, a sentence. */
const IS = String.raw`(?:\\*["'])?\s*[=:]\s*(?:\\*["'])?`;
const VALUE = String.raw`[^"'\\&\s,}]{4,}`;
const END = String.raw`(?=["'\\&\s,}]|$)`;

/** `Bearer …` and `Basic …`, our own links, webhook secrets and API keys; the vendors' tokens and secrets by how they begin. */
const TOKENS = new RegExp(
  String.raw`(\/(?:j|g|h|r|c|s|e|connect)\/|${START}(?:(?:bearer|basic)\s+|whsec_|gk_|eyJ|ya29\.|1\/\/|GOCSPX-))[\w.~+/=-]{8,}`,
  'gi',
);
/** A value after a telling name. */
const NAMED = new RegExp(
  String.raw`(${START}(?:(?:access|refresh|id|download|download_access)_?token|client_?secret|code_?verifier|authorization|passcode|password|recording_play_passcode|pwd|zak|p)${IS})(?!(?:null|true|false|\d{1,5})${END})${VALUE}`,
  'gi',
);
/** An authorization code, and none of the words and numbers that failures and drivers call a code. */
const CODES = new RegExp(String.raw`(${START}code${IS})(?!(?:[a-z_]+|\d{1,5})${END})${VALUE}`, 'gi');
/** Long and of all kinds of letters: chance, whatever its name. Not the key of a stored delivery, by which it is found. */
const CHANCE = new RegExp(
  String.raw`(^|[^\w\\-]|\\[bfnrt]|\\u[\da-f]{4})(?=[\w-]{32})(?<!\d{13}\.)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]+`,
  'g',
);

/** The text with everything masked that looks like a secret. JSON stays JSON. */
export function masked(line: string): string {
  return line
    .replaceAll(TOKENS, '$1[masked]')
    .replaceAll(NAMED, '$1[masked]')
    .replaceAll(CODES, '$1[masked]')
    .replaceAll(CHANCE, '$1[masked]');
}
