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
  it.each(PRIVATE)('%s is not a public address', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(PUBLIC)('%s is a public address', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    'http://hooks.example.com/',
    'ftp://hooks.example.com/',
    'file:///etc/passwd',
    'gopher://hooks.example.com',
    'not a url',
    '',
    '//hooks.example.com',
    'https://',
    'https://user@hooks.example.com/',
    'https://:password@hooks.example.com/',
    'https://localhost/',
    'https://LOCALHOST/',
    'https://a.localhost/',
    'https://localhost./',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://0/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1:8443/',
    'https://①②⑦.0.0.1/',
  ])('refuses %s', (url) => {
    expect(refused(url)).toBe(true);
  });

  it.each(['https://hooks.example.com/events?tenant=1', 'https://8.8.8.8/', 'https://[2606:4700:4700::1111]:8443/x'])('takes %s', (url) => {
    expect(refused(url)).toBe(false);
  });

  it('takes private addresses and plain http when the operator allows them, and never a user name', () => {
    expect(refused('http://127.0.0.1:9000/events', true)).toBe(false);
    expect(refused('https://localhost/', true)).toBe(false);
    expect(refused('http://user@127.0.0.1/', true)).toBe(true);
    expect(refused('ftp://127.0.0.1/', true)).toBe(true);
  });

  it('resolves no name to a private address', async () => {
    const code = await new Promise((resolve) => {
      createPublicLookup()('localhost', { all: true }, (error) => resolve(error?.code));
    });
    expect(code).toBe('EADDRNOTPUBLIC');
  });
});
