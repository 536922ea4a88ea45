/** The files that the pages need, under paths that change with their content. */
import { createHash } from 'node:crypto';
import { script } from './script.ts';
import { stylesheet } from './stylesheet.ts';

export interface Asset {
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

const asset = (name: string, extension: string, contentType: string, body: string): Asset => ({
  path: `/assets/${name}.${createHash('sha256').update(body).digest('hex').slice(0, 16)}.${extension}`,
  contentType,
  body,
});

const style = asset('pages', 'css', 'text/css; charset=utf-8', stylesheet);
const code = asset('pages', 'js', 'text/javascript; charset=utf-8', script);

export const assets: readonly Asset[] = [style, code];
export const stylesheetPath = style.path;
export const scriptPath = code.path;
