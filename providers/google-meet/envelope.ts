/** From the body of a Pub/Sub push to the CloudEvent inside. */
import { z } from 'zod';
import { moment } from './shapes.ts';

export interface CloudEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: Date;
  /** Not looked at yet; undefined where it is no JSON. */
  readonly data?: unknown;
}

const text = z.string().min(1).max(2_048);
/** Thirteen digits of milliseconds. */
const time = moment.refine((date) => date.getTime() >= 0 && date.getTime() < 1e13);
// camelCase and snake_case twins are both sent; none of the two is needed here.
const envelope = z.object({ message: z.object({ attributes: z.record(z.string(), z.string()), data: z.string().default('') }) });
const binary = z.object({ 'ce-id': text, 'ce-source': text, 'ce-type': text, 'ce-time': time });
const structured = z.object({ id: text, source: text, type: text, time, data: z.unknown().optional(), data_base64: z.string().optional() });

/** Undefined for bytes that carry no event in a documented form. */
export function readEnvelope(bytes: Buffer): CloudEvent | undefined {
  const message = envelope.safeParse(parseJson(bytes)).data?.message;
  if (message === undefined) return undefined;
  const data = parseJson(Buffer.from(message.data, 'base64'));
  // The whole event in the data, by the Pub/Sub binding of CloudEvents; otherwise its parts are attributes.
  if (message.attributes['content-type']?.startsWith('application/cloudevents')) {
    const event = structured.safeParse(data).data;
    if (event === undefined) return undefined;
    const { data_base64, ...rest } = event;
    return data_base64 === undefined ? rest : { ...rest, data: parseJson(Buffer.from(data_base64, 'base64')) };
  }
  const event = binary.safeParse(message.attributes).data;
  return event && { id: event['ce-id'], source: event['ce-source'], type: event['ce-type'], time: event['ce-time'], data };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
