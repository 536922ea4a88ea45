import { describe, expect, it } from 'vitest';
import { visit } from '../../demo/clients.ts';
import { boughtMeeting, createMeeting, HOUR, type MeetingJson, MINUTE, must } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';

const fileOf = ({ attendees }: MeetingJson): string => `${attendees[0]!.join_url}/meeting.ics`;
/** Lines as they were before they were folded (RFC 5545, 3.1). */
const linesOf = (file: string): string[] =>
  file
    .replaceAll(/\r\n[ \t]/g, '')
    .trim()
    .split('\r\n');
const value = (lines: readonly string[], name: string): string | undefined =>
  lines.find((line) => new RegExp(`^${name}[:;]`).test(line))?.slice(name.length + 1);
const utc = (moment: Date): string => moment.toISOString().replaceAll(/[-:]|\.\d+/g, '');

describe('the calendar file', () => {
  it('C03 G09 has title, app, time and the join page, and nothing of the vendor', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { booking: { id: 'b', kind: 'one_to_one', title: 'Tax; cash, "cards"\\n' } });
    const answer = must(await visit(fileOf(meeting)), 200);
    expect(answer.headers.get('content-type')).toBe('text/calendar; charset=utf-8; method=PUBLISH');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="meeting.ics"');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const lines = linesOf(answer.text);
    expect(lines[0]).toBe('BEGIN:VCALENDAR');
    expect(lines.at(-1)).toBe('END:VCALENDAR');
    expect(lines.filter((line) => line.startsWith('BEGIN:'))).toEqual(['BEGIN:VCALENDAR', 'BEGIN:VEVENT']);
    expect(value(lines, 'METHOD')).toBe('PUBLISH');
    expect(value(lines, 'STATUS')).toBe('CONFIRMED');
    expect(value(lines, 'UID')).toBe(`${meeting.id}@127.0.0.1`);
    expect(value(lines, 'DTSTAMP')).toBe(utc(world.now()));
    expect(value(lines, 'DTSTART')).toBe(utc(new Date(meeting.starts_at)));
    expect(value(lines, 'DTEND')).toBe(utc(new Date(Date.parse(meeting.starts_at) + 30 * MINUTE)));
    expect(value(lines, 'SUMMARY')).toBe('Tax\\; cash\\, "cards"\\\\n');
    expect(value(lines, 'LOCATION')).toBe('Zoom');
    expect(value(lines, 'URL')).toBe('VALUE=URI:'.concat(meeting.attendees[0]!.join_url));
    expect(value(lines, 'DESCRIPTION')).toMatch(
      /^Meeting in Zoom\\, booked on Demo Marketplace\.\\n.*\(Europe\/Berlin\)\\nJoin from here: /,
    );
    expect(answer.text.replaceAll(/\r\n[ \t]/g, '')).not.toContain(new URL(meeting.link.provider_join_url).host);
    // RFC 5545, 3.1: at most 75 octets in a line.
    for (const line of answer.text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
  });

  it('speaks the language of the customer', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world, { attendees: [{ customer_id: 'cus_1', locale: 'ru' }] });
    expect(value(linesOf((await visit(fileOf(meeting))).text), 'DESCRIPTION')).toMatch(/^Встреча в Zoom.*Войти отсюда: /);
  });

  it('is there once the meeting is bought, and linked on the page from then on', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await createMeeting(world);
    const join = meeting.attendees[0]!.join_url;
    const unpaid = await visit(fileOf(meeting));
    expect([unpaid.status, unpaid.headers.get('content-type')?.split(';')[0]]).toEqual([402, 'text/html']);
    expect((await visit(join)).text).not.toContain('meeting.ics');
    must(await world.api('POST', `/v1/meetings/${meeting.id}/purchases`, { customer_id: 'cus_1' }), 201);
    expect((await visit(fileOf(meeting))).status).toBe(200);
    expect((await visit(join)).text).toContain(`href="${new URL(fileOf(meeting)).pathname}"`);
  });

  it('moves the same entry when the meeting moves, and takes it out when it is cancelled', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const meeting = await boughtMeeting(world);
    const before = linesOf((await visit(fileOf(meeting))).text);
    const startsAt = new Date(Date.parse(meeting.starts_at) + HOUR);
    must(await world.api('PATCH', `/v1/meetings/${meeting.id}`, { starts_at: startsAt.toISOString() }), 200);
    const moved = linesOf((await visit(fileOf(meeting))).text);
    expect(value(moved, 'UID')).toBe(value(before, 'UID'));
    expect(value(moved, 'DTSTART')).toBe(utc(startsAt));

    must(await world.api('POST', `/v1/meetings/${meeting.id}/cancel`, { reason: 'ill' }), 200);
    const answer = must(await visit(fileOf(meeting)), 200);
    expect(answer.headers.get('content-type')).toContain('method=CANCEL');
    const cancelled = linesOf(answer.text);
    expect(value(cancelled, 'UID')).toBe(value(before, 'UID'));
    expect([value(cancelled, 'METHOD'), value(cancelled, 'STATUS'), value(cancelled, 'DESCRIPTION')]).toEqual([
      'CANCEL',
      'CANCELLED',
      expect.stringContaining('This meeting was cancelled.'),
    ]);
    expect(Number(value(cancelled, 'SEQUENCE'))).toBeGreaterThan(Number(value(before, 'SEQUENCE')));
    expect((await visit(meeting.attendees[0]!.join_url)).text).toContain('Take out of your calendar');
  });

  it('is gone with the meeting, and never there for what nobody bought', async () => {
    const world = await testWorld();
    await connect(world, 'zoom');
    const over = await boughtMeeting(world);
    const never = await createMeeting(world, { booking: { id: 'b2', kind: 'one_to_one', title: 'Never' } });
    must(await world.api('POST', `/v1/meetings/${never.id}/cancel`, { reason: 'ill' }), 200);
    expect((await visit(fileOf(never))).status).toBe(410);
    world.jump(3 * HOUR);
    expect((await visit(fileOf(over))).status).toBe(410);
    expect((await visit(`${world.publicUrl}/j/${'A'.repeat(43)}/meeting.ics`)).status).toBe(404);
  });
});
