import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog, masked } from '../../src/log.ts';

const TOKEN = `Zt-${randomBytes(32).toString('base64url')}aB3`;

function linesOf(write: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  write(createLog('trace', { write: (line: string) => void (text += line) }));
  return text;
}

describe('the log', () => {
  it.each<[string, (log: ReturnType<typeof createLog>) => void]>([
    ['the message', (log) => log.info(`got ${TOKEN}`)],
    ['a message with a line break before it', (log) => log.info(`got\n${TOKEN}\r\n\u001b${TOKEN}`)],
    ['a deep object', (log) => log.info({ a: { b: [{ c: { whatever: TOKEN } }] } }, 'deep')],
    [
      'an error, its cause and its fields',
      (log) => log.error({ err: Object.assign(new Error(TOKEN, { cause: new Error(TOKEN) }), { body: { TOKEN } }) }),
    ],
    ['an error that is the whole line', (log) => log.error(new Error(`refused: ${TOKEN}`))],
    ['a child logger', (log) => log.child({ session: TOKEN }).trace('child')],
    ['JSON inside JSON', (log) => log.info({ body: JSON.stringify({ x: JSON.stringify({ access_token: TOKEN }) }) })],
    ['a name of a field', (log) => log.info({ [TOKEN]: 1 })],
  ])('case 122: masks a token in %s, and the line is JSON still', (_where, write) => {
    const text = linesOf(write);
    expect(text).toContain('[masked]');
    expect(text).not.toContain(TOKEN);
    for (const line of text.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('time');
  });

  it.each([
    '{"access_token":"short1"}',
    String.raw`{"body":"{\"refresh_token\":\"short1\"}"}`,
    String.raw`{"msg":"failed:\ncode=4/short1"}`,
    '{"url":"https://zoom.us/j/123?pwd=short1"}',
    '{"url":"https://teams.example/meet?p=short1"}',
    '{"a":"Authorization: Bearer short1short1"}',
    '{"a":"Basic c2hvcnQ6short1"}',
    '{"a":"client_secret=short1&x=1"}',
    '{"a":"ya29.short1short1"}',
    '{"a":"1//short1short1"}',
    '{"a":"GOCSPX-short1short1"}',
  ])('case 122: masks what is short by its name or its beginning: %s', (line) => {
    expect(masked(line)).not.toContain('short1');
    expect(JSON.parse(masked(line))).toBeTypeOf('object');
  });

  it('keeps what an operator looks for', () => {
    const line = JSON.stringify({
      code: 'vendor_unavailable',
      cause: { code: 'ECONNREFUSED', status: 503 },
      inbox: `zoom:1700000000000.${randomBytes(32).toString('base64url')}`,
      meeting: 'mtg_01k0abcdefghjkmnpqrstvwxyz',
      id: '0b1e0a4e-1111-4222-8333-0123456789ab',
      stack: 'Error: no\n    at refresh (/app/src/connections/tokens.ts:12:3)',
    });
    expect(masked(line)).toBe(line);
  });

  it('case 123: leaves every line one line of JSON, whatever was written', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom('\n', '\\', '"', 'n', 'u', 'A', '1', 'a', 'code=', 'pwd', ':', 'gk_', '/j/') }),
        (text, nasty) => {
          const line = linesOf((log) => log.info({ text, nasty: `${nasty}${TOKEN}` }, text));
          expect(line.match(/\n/g)).toHaveLength(1);
          expect(JSON.parse(line)).toMatchObject({ level: 30 });
        },
      ),
    );
  });
});
