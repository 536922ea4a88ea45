/** The few Windows names that the sandbox knows beside the IANA ones. */
const WINDOWS_NAMES: Readonly<Record<string, string>> = {
  'Pacific Standard Time': 'America/Los_Angeles',
  'Eastern Standard Time': 'America/New_York',
  'GMT Standard Time': 'Europe/London',
  'W. Europe Standard Time': 'Europe/Berlin',
  'Romance Standard Time': 'Europe/Paris',
  'Tokyo Standard Time': 'Asia/Tokyo',
};

/** A `dateTimeTimeZone`; undefined when Graph would not understand it. */
export function readZonedTime({ dateTime, timeZone }: { dateTime: string; timeZone: string }): Date | undefined {
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?)(\.\d+)?Z?$/.exec(dateTime);
  const local = new Date(`${match?.[1]}Z`);
  if (!match || Number.isNaN(local.getTime())) return undefined;
  try {
    const zone = WINDOWS_NAMES[timeZone] ?? timeZone;
    const guess = new Date(local.getTime() - offsetMs(local, zone));
    // Once more with the offset of that moment, which differs around a change of clocks.
    return new Date(local.getTime() - offsetMs(guess, zone));
  } catch {
    return undefined;
  }
}

function offsetMs(moment: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(moment);
  const [, sign, hours, minutes] = /GMT([+-])(\d{2}):(\d{2})/.exec(parts.find(({ type }) => type === 'timeZoneName')?.value ?? '') ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000;
}
