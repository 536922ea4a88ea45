import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVault } from '../../src/connections/vault.ts';

const key = (id: string) => ({ id, key: randomBytes(32) });
const CONTEXT = ['connection', 'con_1', 'tokens'];

describe('the vault', () => {
  const first = key('k1');
  const vault = createVault({ keys: [first], random: randomBytes });

  it('gives back any text, the empty one and one with any characters included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        expect(vault.open(vault.seal(text, CONTEXT), CONTEXT)).toBe(text);
      }),
    );
  });

  it('never seals the same text to the same bytes, and never shows it', () => {
    const sealed = vault.seal('canary-text', CONTEXT);
    expect(sealed.equals(vault.seal('canary-text', CONTEXT))).toBe(false);
    expect(sealed.toString('latin1')).not.toContain('canary');
  });

  it.each([[['connection', 'con_2', 'tokens']], [['connection', 'con_1']], [['connection', 'con_1,tokens']], [[]]])(
    'does not open what was moved to %j',
    (context) => {
      expect(() => vault.open(vault.seal('secret', CONTEXT), context)).toThrow('does not open with the encryption key "k1"');
    },
  );

  it('names the key that is missing from the ring', () => {
    const other = createVault({ keys: [key('k2')], random: randomBytes });
    expect(() => other.open(vault.seal('secret', CONTEXT), CONTEXT)).toThrow('The encryption key "k1" is missing from ENCRYPTION_KEYS.');
  });

  it('names the key when its bytes are another key of the same name', () => {
    const impostor = createVault({ keys: [key('k1')], random: randomBytes });
    expect(() => impostor.open(vault.seal('secret', CONTEXT), CONTEXT)).toThrow('does not open with the encryption key "k1"');
  });

  it('refuses every flipped bit and every shortened value', () => {
    const sealed = vault.seal('secret', CONTEXT);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const damaged = Buffer.from(sealed);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => vault.open(damaged, CONTEXT), `bit ${bit}`).toThrow(/damaged|does not open|is missing/);
    }
    for (let length = 0; length < sealed.length; length += 1)
      expect(() => vault.open(sealed.subarray(0, length), CONTEXT), `${length} bytes`).toThrow(/damaged|does not open|is missing/);
  });

  it('seals with the newest key and opens with every key of the ring', () => {
    const rotated = createVault({ keys: [key('k2'), first], random: randomBytes });
    expect(rotated.open(vault.seal('old', CONTEXT), CONTEXT)).toBe('old');
    expect(rotated.seal('new', CONTEXT).subarray(2, 4).toString()).toBe('k2');
    expect(() => vault.open(rotated.seal('new', CONTEXT), CONTEXT)).toThrow('"k2"');
  });

  it('derives keys that differ by purpose and by key', () => {
    const ring = createVault({ keys: [key('k2'), first], random: randomBytes });
    expect(ring.derive('a')[1]).toEqual(vault.derive('a')[0]);
    expect(vault.derive('a')[0]).not.toEqual(vault.derive('b')[0]);
    expect(ring.derive('a')[0]).not.toEqual(ring.derive('a')[1]);
  });

  it('case 91: takes a new nonce for each of 100,000 values', () => {
    const head = 2 + first.id.length;
    const nonces = new Set<string>();
    for (let count = 0; count < 100_000; count += 1)
      nonces.add(
        vault
          .seal('', CONTEXT)
          .subarray(head, head + 12)
          .toString('latin1'),
      );
    expect(nonces.size).toBe(100_000);
  });

  it('case 91: takes its nonces from the randomness it was given, 96 bits of it, and nowhere else', () => {
    const asked: number[] = [];
    const sealed = createVault({ keys: [first], random: (size) => (asked.push(size), Buffer.alloc(size, 7)) }).seal('x', CONTEXT);
    expect(asked).toEqual([12]);
    expect(sealed.subarray(4, 16).equals(Buffer.alloc(12, 7))).toBe(true);
  });

  it('needs a key', () => {
    expect(() => createVault({ keys: [], random: randomBytes })).toThrow('needs an encryption key');
  });
});
