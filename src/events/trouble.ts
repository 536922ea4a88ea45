/**
 * Why no answer came, in a word and a sentence for the marketplace. Neither names an address, and a name that leads into our network is told
 * like one that does not exist: an endpoint must not be a way to look around in here.
 */
import { isFailure } from '../domain/failure.ts';

const SENTENCES = {
  blocked: 'The URL may not be called.',
  dns: 'The name does not lead to public addresses, or not to them alone.',
  connection_refused: 'Nobody listens at this address and port.',
  unreachable: 'The connection could not be made, or it broke off.',
  tls: 'There was no TLS connection to trust',
  timeout: 'The whole answer did not come in time.',
  not_http: 'What was answered is not HTTP.',
} as const;

export type Trouble = keyof typeof SENTENCES;

/** OpenSSL's names of what is wrong with a certificate, and Node's and OpenSSL's own. */
const TLS =
  /^(?:ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH$|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_)/;

export function troubleOf(error: unknown): Trouble {
  // A target that was allowed once is refused before anything is sent.
  if (isFailure(error, 'invalid')) return 'blocked';
  const code = codeOf(error);
  if (/^(?:ENOTFOUND|ENODATA|ESERVFAIL|EAI_[A-Z]+|EADDRNOTPUBLIC)$/.test(code)) return 'dns';
  if (/^(?:TimeoutError|ETIMEDOUT|UND_ERR_[A-Z]+_TIMEOUT)$/.test(code)) return 'timeout';
  if (TLS.test(code)) return 'tls';
  if (/^(?:HPE_|UND_ERR_HEADERS_OVERFLOW$)/.test(code)) return 'not_http';
  return code === 'ECONNREFUSED' ? 'connection_refused' : 'unreachable';
}

/** The word first, as `dns: …`. Of TLS the code goes along: it is about the certificate that everybody can see. */
export function tellTrouble(error: unknown): string {
  const trouble = troubleOf(error);
  return trouble === 'tls' ? `tls: ${SENTENCES.tls} (${codeOf(error)}).` : `${trouble}: ${SENTENCES[trouble]}`;
}

/** For the operator's log, where the difference between no address and one that is not public is told. */
export function codeOf(error: unknown): string {
  const { code, name } = error instanceof Error ? (error as { code?: unknown; name: string }) : { name: 'unknown' };
  // The exceptions of the web have a number for a code, and a name that says it.
  return typeof code === 'string' ? code : name;
}
