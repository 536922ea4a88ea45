/** A headless Chromium for tests and screenshots. Nothing has to be installed on Linux; elsewhere the Chrome of the machine is used. */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packedChromium from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

/**
 * Arguments of the package that do not fit here: the browser has to be as strict as a person's, and in a single process it dies
 * with the first context that is closed.
 */
const UNFIT = new Set([
  '--disable-web-security',
  '--allow-running-insecure-content',
  '--disable-site-isolation-trials',
  '--single-process',
]);
const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Whoever opened it closes it. */
export async function openBrowser(): Promise<Browser> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return chromium.launch({ channel: 'chrome', args: QUIET });
  const args = [...packedChromium.args.filter((argument) => !UNFIT.has(argument)), ...QUIET];
  return chromium.launch({ executablePath: await unpacked(), args });
}

/**
 * The browser of the package, decompressed into a folder that appears complete or not at all: files of one run that come
 * here at the same moment may both decompress, and the first one wins.
 */
async function unpacked(): Promise<string> {
  const packed = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..', '..', 'bin');
  const { size } = await stat(join(packed, 'chromium.br'));
  const folder = join(tmpdir(), `gateway-chromium-${process.getuid?.() ?? 0}-${size}`);
  if (!(await exists(join(folder, 'chromium')))) {
    const own = await mkdtemp(`${folder}-`);
    await decompress(packed, own);
    await rename(own, folder).catch(async (error: unknown) => {
      await rm(own, { recursive: true, force: true });
      if (!(await exists(join(folder, 'chromium')))) throw error;
    });
  }
  return join(folder, 'chromium');
}

/** The package unpacks into the temporary folder that it finds when it is called, before its first await. */
async function decompress(packed: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  const done = packedChromium.executablePath(packed);
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  const path = await done;
  if (dirname(path) !== folder) throw new Error(`The browser was unpacked to ${path}, not into ${folder}.`);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
