/** Finds what leads communication away from the platform in titles and notes (C03). Flags, never rewrites. */

/** `meeting_link`: of an approved app; it belongs into the gateway, not into a text. `foreign_meeting_link`: of any other. */
export const FINDING_KINDS = ['meeting_link', 'foreign_meeting_link', 'url', 'email', 'phone', 'handle'] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** A half-open range of UTF-16 code units of the text, as `String.slice` takes it. The text itself is not copied into logs or answers. */
export interface Finding {
  readonly kind: FindingKind;
  readonly start: number;
  readonly end: number;
}

/**
 * In the order of the text, without overlaps. Linear time: every pattern starts at a fixed place, and repeats a bounded number of times
 * or over characters that cannot match what follows. Precision before recall: what could as well be a price, time or number is left.
 */
export function scanText(text: string): Finding[] {
  const folded = fold(text);
  const taken = new Uint8Array(folded.plain.length);
  const found: Finding[] = [];
  // Earlier ones win where two see the same characters: a number in a link is no phone, the host of an address no link.
  for (const find of [findLinks, findEmails, findHosts, findPhones, findHandles]) {
    for (const { kind, start, end } of find(folded.plain)) {
      if (taken.subarray(start, end).includes(1)) continue;
      taken.fill(1, start, end);
      found.push({ kind, start: folded.starts[start]!, end: folded.ends[end - 1]! });
    }
  }
  return found.sort((one, other) => one.start - other.start);
}

/** Lower case, wide and styled letters made plain, invisible characters left out; with the place of every character in the text. */
function fold(text: string): { plain: string; starts: number[]; ends: number[] } {
  const starts: number[] = [];
  const ends: number[] = [];
  const plain: string[] = [];
  let at = 0;
  for (const character of text) {
    const end = at + character.length;
    // Plain ASCII needs no tables; it is nearly everything.
    const simple = character < '\u0080' ? character.toLowerCase() : simplified(character);
    for (let unit = 0; unit < simple.length; unit += 1) {
      plain.push(simple[unit]!);
      starts.push(at);
      ends.push(end);
    }
    at = end;
  }
  return { plain: plain.join(''), starts, ends };
}

const simplified = (character: string): string => {
  if (/[\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(character)) return '';
  // The ideographic full stop is a dot in host names (UTS 46).
  return character === '\u3002' ? '.' : character.normalize('NFKC').toLowerCase();
};

// Links

const LINK =
  /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,15}:\/\/[^\s<>"]+|(?<![\p{L}\p{N}@._-])(?:www\.)?[\p{L}\p{N}][\p{L}\p{N}-]*(?:\.[\p{L}\p{N}-]+)+(?::\d{1,5})?(?:[/?#][^\s<>"]*)?/gu;

/** With a scheme or a path. */
function* findLinks(plain: string): Iterable<Finding> {
  for (const { isHost, ...finding } of links(plain)) if (!isHost) yield finding;
}

function* findHosts(plain: string): Iterable<Finding> {
  for (const { isHost, ...finding } of links(plain)) if (isHost) yield finding;
}

function* links(plain: string): Iterable<Finding & { readonly isHost: boolean }> {
  for (const { 0: match, index } of plain.matchAll(LINK)) {
    const link = withoutPunctuation(match);
    const scheme = /^[a-z][a-z0-9+.-]*(?=:\/\/)/.exec(link)?.[0];
    const rest = scheme === undefined ? link : link.slice(scheme.length + 3);
    // What stands before `@` is a user name, whatever it looks like.
    const authority = /^[^/?#\\]*/.exec(rest)![0];
    const host = authority.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '');
    const path = rest.slice(authority.length);
    const kind = APP_SCHEMES.get(scheme ?? '') ?? kindOfHost(host);
    if (kind === 'url' && scheme === undefined && !isBareHost(host, path.length > 1)) continue;
    yield { kind, start: index, end: index + link.length, isHost: scheme === undefined && path === '' };
  }
}

/** What closes the sentence around a link is not part of it. */
const withoutPunctuation = (link: string): string => {
  let end = link.length;
  while (end > 0 && `.,;:!?'’”»)]}*_`.includes(link[end - 1]!)) end -= 1;
  return link.slice(0, end);
};

function kindOfHost(host: string): FindingKind {
  const labels = host.split('.');
  // No name on the lists has more labels than five.
  for (let from = Math.max(0, labels.length - 5); from < labels.length - 1; from += 1) {
    const name = labels.slice(from).join('.');
    if (APPROVED_NAMES.has(name)) return 'meeting_link';
    if (FOREIGN_NAMES.has(name)) return 'foreign_meeting_link';
  }
  return 'url';
}

/** `e.g.`, `10.30`, `v1.2.3`, `node.js`, `end.Next` are no hosts: only known endings count, words of the four languages only with a path. */
function isBareHost(host: string, hasPath: boolean): boolean {
  if (host.length > 253 || NOT_HOSTS.has(host)) return false;
  const ending = host.slice(host.lastIndexOf('.') + 1);
  if (host.startsWith('www.')) return host.split('.').length > 2 && /^\p{L}{2,24}$/u.test(ending);
  return ENDINGS.has(ending) || (hasPath && WORDY_ENDINGS.has(ending));
}

const words = (list: string): Set<string> => new Set(list.trim().split(/\s+/));

/** Names with everything below them. They repeat `providers/approved.ts`, which `domain` may not import; a test keeps them together. */
const APPROVED_NAMES: ReadonlySet<string> = words(`
  zoom.us zoom.com zoomgov.com teams.microsoft.com teams.live.com teams.cloud.microsoft gov.teams.microsoft.us dod.teams.microsoft.us
  teams.microsoftonline.cn meet.google.com`);

const FOREIGN_NAMES: ReadonlySet<string> = words(`
  webex.com webex.com.cn whatsapp.com wa.me wa.link t.me telegram.me telegram.org telegram.dog skype.com join.skype.com lync.com
  discord.gg discord.com discordapp.com jit.si 8x8.vc 8x8.com whereby.com appear.in gotomeeting.com gotomeet.me goto.com meet.goto.com
  gotowebinar.com bluejeans.com ringcentral.com chime.aws daily.co gather.town around.co tuple.app livestorm.co bigbluebutton.org
  livewebinar.com clickmeeting.com demio.com streamyard.com riverside.fm butter.us jam.systems hopin.com vidyo.com starleaf.com lifesize.com
  pexip.me meetup.chat dialpad.com uberconference.com freeconferencecall.com join.me zoho.com meet.zoho.com facetime.apple.com m.me
  messenger.com signal.me signal.group signal.org viber.com viber.me line.me lin.ee wechat.com weixin.qq.com threema.id wire.com
  element.io matrix.to slack.com chanty.com teamviewer.com anydesk.com vk.me vk.com telemost.yandex.ru telemost.yandex.com
  salutejazz.ru jazz.sber.ru ktalk.ru trueconf.com trueconf.ru mind.com imo.im kumospace.com sessions.us vowel.com talky.io
  voov.com voovmeeting.com meeting.tencent.com larksuite.com feishu.cn zoom.com.cn zoom-x.de hangouts.google.com duo.google.com`);

/** Links that open an app without a browser. */
const APP_SCHEMES: ReadonlyMap<string, FindingKind> = new Map([
  ...['zoommtg', 'zoomus', 'msteams', 'ms-teams'].map((scheme) => [scheme, 'meeting_link'] as const),
  ...[
    'whatsapp',
    'tg',
    'skype',
    'discord',
    'sgnl',
    'viber',
    'facetime',
    'facetime-audio',
    'webex',
    'wbx',
    'jitsi-meet',
    'line',
    'weixin',
  ].map((scheme) => [scheme, 'foreign_meeting_link'] as const),
]);

const ENDINGS: ReadonlySet<string> = words(`
  com net org info biz io dev eu edu gov uk de fr ch nl pl cz dk fi hu ro gr bg ru ua kz рф бг укр su tv cc xyz ai gg co ly vip`);
/** Words in sentences whose space was forgotten ("ok.it works", "war.es ist"). */
const WORDY_ENDINGS: ReadonlySet<string> = words(`
  me us it is in at to so no be by my am as la do es se al id li st tk pt im ws fm sh ms app live link page pro top shop store club site
  online website studio cloud agency space team chat video zone`);
const NOT_HOSTS: ReadonlySet<string> = words(`asp.net ado.net vb.net ml.net`);

// Addresses. The words for "at" and "dot" in English, German, Russian and Bulgarian, and the Romance ones that travel with them.

const AT_WORD = `at|ät|et|klammeraffe|affenschwanz|arroba|arobase|chiocciola|собака|собачка|эт|ат|кльомба|маймунка|маймунско[ \\t]а|ет`;
const DOT_WORD = `dot|punkt|point|punto|точка|тчк|дот`;
/** `me (at) example`, `me[at]example`, `me _at_ example`: brackets make a word a sign. */
const signed = (word: string): string => `[ \\t]{0,3}(?:[([{<][ \\t]{0,3}(?:${word})[ \\t]{0,3}[)\\]}>]|_(?:${word})_)[ \\t]{0,3}`;
const spoken = (word: string): string => `[ \\t]{1,3}(?:${word})[ \\t]{1,3}`;

const AT_SIGN = new RegExp(`[ \\t]{0,3}@[ \\t]{0,3}|${signed(`${AT_WORD}|@`)}|(?<spoken>${spoken(AT_WORD)})`, 'gu');
const LOCAL = /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}$/u;
const LABEL = `[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,62})`;
const DOTTED = new RegExp(`^${LABEL}(?:\\.${LABEL}){1,8}`, 'u');
const SPELLED = new RegExp(`^${LABEL}(?:(?:\\.|${signed(`${DOT_WORD}|\\.`)}|${spoken(`${DOT_WORD}|\\.`)})${LABEL}){1,8}`, 'u');
const SPELLED_DOT = new RegExp(`${signed(`${DOT_WORD}|\\.`)}|${spoken(`${DOT_WORD}|\\.`)}`, 'u');
const ANY_DOT = new RegExp(`${SPELLED_DOT.source}|\\.`, 'gu');
/** Endings as they are said. */
const SAID_ENDINGS: ReadonlySet<string> = words(`ком ру бг нет орг`);

function* findEmails(plain: string): Iterable<Finding> {
  for (const { 0: sign, index, groups } of plain.matchAll(AT_SIGN)) {
    const local = LOCAL.exec(plain.slice(Math.max(0, index - 65), index))?.[0];
    if (local === undefined || !/[\p{L}\p{N}]/u.test(local)) continue;
    const start = index - local.length;
    const from = index + sign.length;
    const behind = plain.slice(from, from + 320);
    const length = groups?.['spoken'] === undefined ? (domainLength(behind, sign) ?? 0) : spelledLength(behind, { onlySpelled: true });
    if (length > 0) yield { kind: 'email', start, end: from + length };
  }
}

/** Around a sign any ending will do if nothing is spread out; otherwise it has to be a known one. */
function domainLength(behind: string, sign: string): number | undefined {
  const spelled = spelledLength(behind, { onlySpelled: false });
  if (spelled > 0) return spelled;
  const dotted = DOTTED.exec(behind)?.[0];
  return dotted !== undefined && sign === '@' && /\.\p{L}[\p{L}\p{N}-]{1,23}$/u.test(dotted) ? dotted.length : undefined;
}

/** "name at domain dot com": a spoken "at" is an ordinary word, so that the dot has to be spoken as well. */
function spelledLength(behind: string, { onlySpelled }: { onlySpelled: boolean }): number {
  const domain = SPELLED.exec(behind)?.[0] ?? '';
  const dots = [...domain.matchAll(ANY_DOT)].map(({ 0: dot, index }) => ({ from: index, to: index + dot.length }));
  if (onlySpelled && (!SPELLED_DOT.test(domain) || NOT_NAMES.has(domain.slice(0, dots[0]?.from)))) return 0;
  // "me@example.com . Bye": the sentence is taken back word by word until the name has an ending.
  for (let last = dots.length - 1; last >= 0; last -= 1) {
    const end = dots[last + 1]?.from ?? domain.length;
    if (isEnding(domain.slice(dots[last]!.to, end))) return end;
  }
  return 0;
}

/** "He worked at the dot com". */
const NOT_NAMES: ReadonlySet<string> = words(`the a an any this that some my our your der die das dem einem einer einen`);
const isEnding = (word: string): boolean => ENDINGS.has(word) || WORDY_ENDINGS.has(word) || SAID_ENDINGS.has(word);
// Numbers

const INTERNATIONAL = /(?<![\p{L}\p{N}+#])(?<!\p{N}[ .-])(?:\+|00) ?(?:\(0?\) ?)?[1-9](?:[ \t().\u2010-\u2015/-]{0,3}\d){6,30}(?!\d)/gu;
const CUED =
  /(?<![\p{L}\p{N}])(?:tel|telefon|telephone|phone|mobile|mobil|handy|cell|call me|ruf mich an|rufen sie mich an|sms|whats ?app|тел|телефон|моб|мобильный|мобилен|звоните|позвоните|обадете се)(?:[.: ]|nr|no|number|nummer|номер|на|auf|unter|at|on){0,5}(?<![\p{L}\p{N}])(?<number>\(?\d(?:[ \t().\u2010-\u2015/-]{0,3}\d){6,14})(?!\d)/gu;
/** Calling codes of one and two digits, then those of three (ITU-T E.164, assigned codes). */
const CALLING_CODE =
  /^(?:7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-689]\d|3[578]\d|42\d|5[09]\d|6[7-9]\d|8[0578]\d|9[679]\d)/;

function* findPhones(plain: string): Iterable<Finding> {
  for (const { 0: match, index } of plain.matchAll(INTERNATIONAL)) {
    const length = numberLength(match);
    const behind = index + length;
    if (length === 0 || isAmount(plain, index + match.length) || (match.startsWith('0') && isReference(plain, index))) continue;
    yield { kind: 'phone', start: index, end: behind };
  }
  for (const { 0: match, index, groups } of plain.matchAll(CUED)) {
    const number = groups!['number']!;
    // A date or a time behind "call me" stays one.
    if (/^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)|^\d{1,2}[.]\d{2} ?[\u2010-\u2015-]/.test(number) || isAmount(plain, index + match.length))
      continue;
    yield { kind: 'phone', start: index + match.length - number.length, end: index + match.length };
  }
}

/** As much of it as is a number: the hour or year behind it may have been caught, too. Zero when it is none. */
function numberLength(match: string): number {
  for (let candidate = match; candidate !== ''; candidate = candidate.replace(/[ \t().\u2010-\u2015/-]*\d+$/, '')) {
    const digits = candidate
      .replace(/^(?:\+|00)/, '')
      .replaceAll('(0)', '')
      .replaceAll(/\D/g, '');
    if (digits.length < 8) return 0;
    if (isNumber(digits)) return candidate.length;
  }
  return 0;
}

/** E.164: at most 15 digits; North American numbers have exactly eleven. */
const isNumber = (digits: string): boolean =>
  digits.startsWith('1') ? /^1[2-9]\d{9}$/.test(digits) : digits.length <= 15 && CALLING_CODE.test(digits);

const isAmount = (plain: string, end: number): boolean =>
  /^ ?(?:[%€$£₽]|(?:eur|euro|usd|chf|rub|bgn|руб|лв|км|km|kg)(?!\p{L}))/u.test(plain.slice(end, end + 6));

/** "Order no. 0049…" is a number of something. */
const isReference = (plain: string, index: number): boolean =>
  /(?:order|invoice|ref|reference|no|nr|id|iban|bestellung|bestellnummer|rechnung|auftrag|kundennummer|заказ|заказа|счет|поръчка|фактура|номер|№)[.:# ]{0,4}$/u.test(
    plain.slice(Math.max(0, index - 24), index),
  );

// Handles

const MESSENGERS = `whats ?app|telegram|skype|discord|viber|wechat|weixin|signal|threema|instagram|insta|snapchat|icq|line id|facebook messenger|телеграмм?|телега|вотсап|ватсап|вацап|вайбер|скайп|дискорд|инстаграм`;
const AT_NAME = /(?<![\p{L}\p{N}_@./+-])@(?<name>[a-z][a-z0-9_.]{3,30}[a-z0-9_])(?![\p{L}\p{N}@/(-])/gu;
const NAMED = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:${MESSENGERS})(?<link>(?:[ \\t]{0,2}(?::|=|-|–|id|is|ist|name|nick|nickname|user|username|handle|account|konto|ник|логин|е|это)(?![\\p{L}\\p{N}])){0,3})[ \\t:]{1,3}(?<name>@?[a-z](?:[a-z0-9_.#:-]{2,38})[a-z0-9_])(?![\\p{L}\\p{N}])`,
  'gu',
);
/** Of code and of chat rooms, not of people. */
const NOT_HANDLES: ReadonlySet<string> = words(`media import override param params return returns deprecated everyone channel charset
  keyframes supports property throws example author version since`);

function* findHandles(plain: string): Iterable<Finding> {
  for (const { 0: match, index, groups } of plain.matchAll(AT_NAME)) {
    if (!NOT_HANDLES.has(groups!['name']!)) yield { kind: 'handle', start: index, end: index + match.length };
  }
  for (const { 0: match, index, groups } of plain.matchAll(NAMED)) {
    const name = groups!['name']!;
    // "Skype: maybe later" is a sentence; a name with a digit or a joint in it, or one announced as a name, is a handle.
    const announced = /(?:id|name|nick|nickname|user|username|handle|account|konto|ник|логин)[ \t:=–-]*$/u.test(groups!['link']!);
    if (!announced && !/[\d_#]|[a-z][.:][a-z]/.test(name)) continue;
    if (/^v\d|^(?:e\.g|i\.e|z\.b|d\.h|u\.a)$/.test(name)) continue;
    yield { kind: 'handle', start: index + match.length - name.length, end: index + match.length };
  }
}
