/**
 * What a person wrote, over several lines: with line breaks as one character each, and without the characters that no keyboard writes;
 * terminals and mail programs obey some of them.
 */
export const plainText = (text: string): string =>
  text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
