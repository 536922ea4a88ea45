import type { z } from 'zod';

export interface Entry<Data extends z.ZodRawShape = z.ZodRawShape, Links extends z.ZodRawShape = z.ZodRawShape> {
  /** Of the data: grows when a member goes or changes its meaning. A further member is no new version. */
  readonly version: number;
  /** One sentence. */
  readonly description: string;
  /** When it is sent, and when not. */
  readonly when: string;
  readonly data: Data;
  /** Members that are kept sealed and missing once the links have ended. */
  readonly links: Links;
  /** Data as it arrives. */
  readonly example: Delivered<Data, Links>;
}

export type Shape<Members extends z.ZodRawShape> = z.output<z.ZodObject<Members>>;
export type Delivered<Data extends z.ZodRawShape, Links extends z.ZodRawShape> = keyof Links extends never
  ? Shape<Data>
  : Flat<Shape<Data> & Partial<Shape<Links>>>;
/** One object type, as an editor shows it best. */
type Flat<Type> = { [Name in keyof Type]: Type[Name] };

const NO_LINKS = {};
type NoLinks = typeof NO_LINKS;

export const entry = <Data extends z.ZodRawShape>(one: Omit<Entry<Data, NoLinks>, 'version' | 'links'>): Entry<Data, NoLinks> => ({
  version: 1,
  links: NO_LINKS,
  ...one,
});

export const entryWithLinks = <Data extends z.ZodRawShape, Links extends z.ZodRawShape>(
  one: Omit<Entry<Data, Links>, 'version'>,
): Entry<Data, Links> => ({ version: 1, ...one });
