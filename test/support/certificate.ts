import { createSign, generateKeyPairSync } from 'node:crypto';

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const NULL = Buffer.from([0x05, 0x00]);
const SHA256_WITH_RSA = sequence(Buffer.from('06092a864886f70d01010b', 'hex'), NULL);
const NAME = sequence(der(0x31, sequence(Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('gateway')))));
const validity = (until: string): Buffer => sequence(...['250101000000Z', until].map((time) => der(0x17, Buffer.from(time))));
/** The extension `subjectAltName` with DNS names. */
const alternativeNames = (names: readonly string[]): Buffer => {
  const list = sequence(...names.map((name) => der(0x82, Buffer.from(name))));
  return der(0xa3, sequence(sequence(Buffer.from('0603551d11', 'hex'), der(0x04, list))));
};

/**
 * A new RSA key and a certificate that it has signed itself, both PEM: what `openssl req -x509` makes. `until` is a UTCTime, `names` are
 * those that a server may have by it.
 */
export function selfSigned({ names = [], until = '490101000000Z' }: { names?: readonly string[]; until?: string } = {}): {
  readonly certificate: string;
  readonly privateKey: string;
} {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const extensions = names.length === 0 ? [] : [alternativeNames(names)];
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.from([1]));
  const body = sequence(version, serial, SHA256_WITH_RSA, NAME, validity(until), NAME, spki, ...extensions);
  const signature = der(0x03, Buffer.from([0]), createSign('sha256').update(body).sign(privateKey));
  const lines = sequence(body, SHA256_WITH_RSA, signature)
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
