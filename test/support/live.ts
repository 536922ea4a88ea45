/** Reads the stream of a page as a browser would, past the browser. */
import { onTestFinished } from 'vitest';

export interface Heard {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Listener {
  readonly status: number;
  readonly headers: Headers;
  /** In the order in which they came. */
  readonly heard: Heard[];
  /** The whole text of the stream so far. */
  readonly text: () => string;
  /** Resolves when the server has ended the stream, or the connection is gone. */
  readonly ended: Promise<void>;
  readonly hangUp: () => void;
}

/** `page`: the address of a join page or a host page. Hung up when the test is over. */
export async function listen(page: string, headers: Readonly<Record<string, string>> = {}): Promise<Listener> {
  const line = new AbortController();
  onTestFinished(() => line.abort());
  const answer = await fetch(`${page}/live`, { headers: { accept: 'text/event-stream', ...headers }, signal: line.signal });
  const heard: Heard[] = [];
  let text = '';
  const read = async (): Promise<void> => {
    if (answer.body === null) return;
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of answer.body) {
      const piece = decoder.decode(chunk, { stream: true });
      text += piece;
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) heard.push(...eventOf(block));
    }
  };
  return {
    status: answer.status,
    headers: answer.headers,
    heard,
    text: () => text,
    ended: read().catch(() => {}),
    hangUp: () => line.abort(),
  };
}

/** What is no event (`retry:`, comments) gives nothing. */
function eventOf(block: string): Heard[] {
  const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
  const event = fields.get('event');
  if (event === undefined) return [];
  return [{ event, id: fields.get('id'), data: JSON.parse(fields.get('data') ?? '{}') as Record<string, unknown> }];
}
