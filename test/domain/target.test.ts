import type { LookupAddress, lookup } from 'node:dns';
import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../src/domain/failure.ts';
import { checkTargetUrl, isPublicAddress, createPublicLookup } from '../../src/events/target.ts';

const PRIVATE = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '168.63.129.16',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.0.0.192',
  '100.100.100.200',
  '192.168.0.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:8.8.8.8',
  '::7f00:1',
  '64:ff9b::7f00:1',
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:2::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:808:808::1',
  '5f00::1',
  'fc00::1',
  'fd12:3456::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fe80::1%eth0',
  '2606:4700:4700::1111%eth0',
  '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  '2001:10::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  '3fff::1',
  'not an address',
  '',
  '1.2.3',
  '999.1.1.1',
];
const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '93.184.215.14',
  '172.15.0.1',
  '172.32.0.1',
  '100.63.0.1',
  '100.128.0.1',
  '2606:4700:4700::1111',
  '2a00:1450:4001:80b::200e',
];

const refused = (url: string, allowPrivate = false): boolean => {
  try {
    checkTargetUrl(url, allowPrivate);
    return false;
  } catch (error) {
    if (isFailure(error, 'invalid')) return true;
    throw error;
  }
};

describe('where events may be sent', () => {
  it.each(PRIVATE)('case 102: %s is not a public address', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(PUBLIC)('%s is a public address', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    'http://hooks.example.com/',
    'ftp://hooks.example.com/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'javascript:alert(1)',
    'gopher://hooks.example.com',
    'unix:/run/docker.sock',
    'blob:https://hooks.example.com/1',
    'not a url',
    '',
    '//hooks.example.com',
    'https://',
    'https:hooks.example.com',
    'https:/hooks.example.com',
    'https:\\\\hooks.example.com/',
    'https:///hooks.example.com/',
    ' https://hooks.example.com/',
    'https://hooks.exa\tmple.com/',
    'https://hooks.example.com/\r\nx',
    'https://user@hooks.example.com/',
    'https://:password@hooks.example.com/',
    'https://@hooks.example.com/',
    'https://hooks.example.com\\@127.0.0.1/',
    'https://hooks.example.com:22/',
    'https://hooks.example.com:25/',
    'https://hooks.example.com:80/',
    'https://hooks.example.com:0/',
    'https://hooks.example.com:1023/',
    'https://hooks.example.com:0443/',
    'https://hooks.example.com:/',
    'https://localhost/',
    'https://LOCALHOST/',
    'https://ⓛocalhost/',
    'https://a.localhost/',
    'https://localhost./',
    'https://localhost%2e/',
    'https://lоcalhost/',
    'https://intranet/',
    'https://hooks.example.com./',
    'https://printer.local/',
    'https://db.internal/',
    'https://metadata.google.internal/computeMetadata/v1/',
    'https://instance-data.ec2.internal/',
    'https://router.home.arpa/',
    'https://1.0.0.127.in-addr.arpa/',
    'https://service.onion/',
    'https://service.LAN/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.1/',
    'https://017700000001/',
    'https://0177.0.0.1/',
    'https://0/',
    'https://0.0.0.0/',
    'https://127.0.0.1./',
    'https://8.8.8.8./',
    'https://134744072/',
    'https://8.8.2056/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[fe80::1%25eth0]/',
    'https://[fe80::1%eth0]/',
    'https://[fd00:ec2::254]/latest/meta-data',
    'https://169.254.169.254/latest/meta-data',
    'https://168.63.129.16/',
    'https://100.100.100.200/',
    'https://10.0.0.1:8443/',
    'https://①②⑦.0.0.1/',
    'https://127。0。0。1/',
    'https://вебхук.example.com/',
    'https://hооks.example.com/',
    'https://hooks%2eexample.com/',
    'https://hooks.example.com/\u202ex',
    `https://hooks.example.com/${'x'.repeat(2_000)}`,
  ])('case 102: refuses %s', (url) => {
    expect(refused(url)).toBe(true);
  });

  it.each([
    'https://hooks.example.com/events?tenant=1',
    'HTTPS://Hooks.Example.COM/Events',
    'https://hooks.example.com:443/',
    'https://hooks.example.com:8443/',
    'https://hooks.example.com:1024',
    'https://xn--80acvodj.example.com/',
    'https://local.example.com/',
    'https://mylocalhost.com/',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]:8443/x',
    `https://hooks.example.com/${'x'.repeat(900)}`,
  ])('takes %s', (url) => {
    expect(refused(url)).toBe(false);
  });

  it('takes private addresses and plain http when the operator allows them, and never a user name', () => {
    expect(refused('http://127.0.0.1:9000/events', true)).toBe(false);
    expect(refused('http://127.0.0.1:80/events', true)).toBe(true);
    expect(refused('http://receiver/events', true)).toBe(false);
    expect(refused('https://localhost/', true)).toBe(false);
    expect(refused('http://user@127.0.0.1/', true)).toBe(true);
    expect(refused('ftp://127.0.0.1/', true)).toBe(true);
  });

  it('case 103: resolves no name to a private address, for one address or for all', async () => {
    const resolve = ((name: string, _options: unknown, callback: (error: null, addresses: LookupAddress[]) => void) => {
      const address = name === 'inside.example.' ? '10.0.0.1' : '8.8.8.8';
      callback(null, [{ address, family: 4 }]);
    }) as unknown as typeof lookup;
    const ask = (name: string, all: boolean) =>
      new Promise((done) => {
        createPublicLookup({ resolve })(name, { all }, (error, address) => done(error?.code ?? address));
      });
    expect(await ask('inside.example', true)).toBe('EADDRNOTPUBLIC');
    expect(await ask('inside.example', false)).toBe('EADDRNOTPUBLIC');
    expect(await ask('hooks.example', true)).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(await ask('hooks.example', false)).toBe('8.8.8.8');
  });

  it('case 103: takes what a DNS64 makes of a name by the IPv4 address inside, in a look-up and nowhere else', async () => {
    const ask = (...addresses: string[]) => {
      const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const resolve = ((_name: string, _options: unknown, callback: (error: null, addresses: LookupAddress[]) => void) =>
        callback(null, found)) as unknown as typeof lookup;
      return new Promise((done) => {
        createPublicLookup({ resolve })('hooks.example', { all: true }, (error, given) => done(error?.code ?? given));
      });
    };
    expect(await ask('64:ff9b::808:808', '8.8.8.8')).toEqual([
      { address: '64:ff9b::808:808', family: 6 },
      { address: '8.8.8.8', family: 4 },
    ]);
    for (const inside of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '168.63.129.16', '192.168.0.1', '100.64.0.1'])
      expect(await ask(`64:ff9b::${inside}`, '8.8.8.8'), inside).toBe('EADDRNOTPUBLIC');
    // Networks' own prefixes, and what only looks like one.
    for (const address of ['64:ff9b:1::808:808', '64:ff9b::1:808:808', '64:ff9b::808:808%eth0', '::ffff:8.8.8.8'])
      expect(await ask(address), address).toBe('EADDRNOTPUBLIC');
    expect(refused('https://[64:ff9b::808:808]/')).toBe(true);
  });
});

/** What IANA's registries of special-purpose addresses do not call globally reachable (state of 2026), and multicast. */
const NOT_REACHABLE = {
  ipv4: [
    '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24',
    '192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32 168.63.129.16/32',
  ],
  ipv6: [
    '::/128 ::1/128 ::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/32 2001:2::/48 2001:10::/28 2001:db8::/32',
    '2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8',
  ],
};
/** One for each family: in a common one, the mapped network would stand for all of IPv4. */
const registries = { ipv4: new BlockList(), ipv6: new BlockList() };
const networks: (readonly [family: 'ipv4' | 'ipv6', base: string, bits: number])[] = [];
for (const family of ['ipv4', 'ipv6'] as const) {
  for (const entry of NOT_REACHABLE[family].join(' ').split(' ')) {
    const [base = '', bits] = entry.split('/');
    registries[family].addSubnet(base, Number(bits), family);
    networks.push([family, base, Number(bits)]);
  }
}

/** All 32 or 128 bits of an address, by nobody's library. */
function bitsOf(family: 'ipv4' | 'ipv6', address: string): bigint {
  if (family === 'ipv4') return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = [], tail = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const groups = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}
const ipv4Of = (bits: bigint): string => [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.');
const groupsOf = (bits: bigint): string[] =>
  Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - 16 * index)) & 65_535n).toString(16));

/** Anywhere inside one of the networks. */
const inside = fc.constantFrom(...networks).chain(([family, base, prefix]) => {
  const free = BigInt((family === 'ipv4' ? 32 : 128) - prefix);
  return fc.bigInt({ min: 0n, max: (1n << free) - 1n }).map((rest) => ({ family, bits: bitsOf(family, base) | rest }));
});
/** Anywhere at all. */
const anywhere = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((bits) => ({ family: 'ipv4' as const, bits })),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((bits) => ({ family: 'ipv6' as const, bits })),
  fc.bigInt({ min: 1n << 125n, max: (1n << 126n) - 1n }).map((bits) => ({ family: 'ipv6' as const, bits })),
);
const written = ({ family, bits }: { family: 'ipv4' | 'ipv6'; bits: bigint }): string =>
  family === 'ipv4' ? ipv4Of(bits) : groupsOf(bits).join(':');

/** The ways in which an address can be written in a URL. */
function spellings({ family, bits }: { family: 'ipv4' | 'ipv6'; bits: bigint }): string[] {
  if (family === 'ipv6') {
    const groups = groupsOf(bits);
    return [groups, groups.map((group) => group.padStart(4, '0')), groups.map((group) => group.toUpperCase())]
      .map((form) => `[${form.join(':')}]`)
      .concat(`[${groups.slice(0, 6).join(':')}:${ipv4Of(bits & 0xffff_ffffn)}]`);
  }
  const parts = ipv4Of(bits).split('.');
  const wide = ipv4Of(bits)
    .replaceAll('.', '。')
    .replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
  return [
    parts.join('.'),
    `${parts.join('.')}.`,
    wide,
    String(bits),
    `0x${bits.toString(16)}`,
    `0${bits.toString(8)}`,
    parts.map((part) => `0x${Number(part).toString(16)}`).join('.'),
    parts.map((part) => `0${Number(part).toString(8)}`).join('.'),
    `${parts[0]}.${bits & 0xff_ffffn}`,
    `${parts[0]}.${parts[1]}.${bits & 0xffffn}`,
    `[::ffff:${parts.join('.')}]`,
    `[::${parts.join('.')}]`,
    `[64:ff9b::${parts.join('.')}]`,
    `[2002:${(bits >> 16n).toString(16)}:${(bits & 0xffffn).toString(16)}::]`,
  ];
}

describe('case 102: against a second opinion', () => {
  it('what the registries do not call reachable is not public', () => {
    fc.assert(
      fc.property(inside, (address) => {
        expect(registries[address.family].check(written(address), address.family)).toBe(true);
        expect(isPublicAddress(written(address))).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it('what is public for us is so for the registries', () => {
    let seen = 0;
    fc.assert(
      fc.property(anywhere, (address) => {
        if (!isPublicAddress(written(address))) return;
        seen += 1;
        expect(registries[address.family].check(written(address), address.family)).toBe(false);
      }),
      { numRuns: 5_000 },
    );
    expect(seen).toBeGreaterThan(1_000);
  });

  it('no spelling makes a URL of an address that is not public acceptable', () => {
    fc.assert(
      fc.property(inside, (address) => {
        for (const host of spellings(address)) expect(refused(`https://${host}/`), host).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('the plain spelling of a public address is accepted, and no other one is', () => {
    fc.assert(
      fc.property(anywhere, (address) => {
        fc.pre(isPublicAddress(written(address)));
        for (const host of spellings(address)) {
          const url = `https://${host}/`;
          const plain = URL.canParse(url) && new URL(url).host === host.toLowerCase();
          const translated = URL.canParse(url) && !isPublicAddress(new URL(url).hostname.replace(/[[\]]/g, ''));
          expect(refused(url), host).toBe(!plain || translated);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
