/** What the compiler knows of the texts: their keys, and what each one has to be filled in with. */
import type { en } from './en.ts';

type English = typeof en;
type PluralForm = 'zero' | 'one' | 'two' | 'few' | 'many' | 'other';

/** The texts of a language: every key of English, and of those that count the plural forms that the language has. */
export type Texts = LikeEnglish<English>;

/** `join.openText`; of a text that counts without the form: `host.coming`. */
export type Key = KeysOf<English>;

/** `{app: string}` for a text with `{{app}}`; nothing for a text without places. */
export type Values<K extends Key> = [Places<TextAt<K>>] extends [never]
  ? []
  : [values: { readonly [Place in Places<TextAt<K>>]: Place extends 'count' ? number : string }];

type LikeEnglish<T> = {
  readonly [K in keyof T as K extends `${string}_${PluralForm}` ? never : K]: T[K] extends string ? string : LikeEnglish<T[K]>;
} & {
  readonly [K in keyof T as K extends `${infer Base}_${PluralForm}` ? `${Base}_${PluralForm}` : never]?: string;
};

type KeysOf<T> = {
  [K in keyof T & string]: T[K] extends string ? (K extends `${infer Base}_${PluralForm}` ? Base : K) : `${K}.${KeysOf<T[K]>}`;
}[keyof T & string];

type TextAt<K extends string, T = English> = K extends `${infer Head}.${infer Rest}`
  ? Head extends keyof T
    ? TextAt<Rest, T[Head]>
    : never
  : K extends keyof T
    ? T[K]
    : `${K}_other` extends keyof T
      ? T[`${K}_other`]
      : never;

type Places<T> = T extends `${string}{{${infer Place}}}${infer Rest}` ? Place | Places<Rest> : never;
