import { describe, expect, it, vi } from 'vitest';
import type { World } from '../../demo/world.ts';
import { must } from '../support/gateway.ts';
import { connect, testWorld } from '../support/world.ts';
import { overflowing, SMALLEST, unexpected, useBrowser } from './support.ts';

const visit = useBrowser();

interface CallJson {
  readonly id: string;
  readonly pages: { readonly professional_url: string; readonly customer_url: string };
}

/** A call that rings without anybody's presence being asked for. */
async function ring(): Promise<{ world: World; call: CallJson }> {
  const world = await testWorld({ clock: 'running', policy: 'rodrun' });
  must(await world.api('PATCH', '/v1/policy', { calls: { presence: 'optional' } }), 200);
  await connect(world, 'zoom');
  const body = { professional_id: 'pro_1', customer_id: 'cus_1', initiator: 'customer', purpose: 'My tax return', customer_name: 'Ada' };
  return { world, call: must(await world.api('POST', '/v1/calls', body), 201).json as unknown as CallJson };
}

describe('the pages of a call', { timeout: 90_000 }, () => {
  it('R03 R04 ring aloud once somebody allows it, and move both sides into the meeting when it is answered', async () => {
    const { call } = await ring();
    const [{ page: professional, complaints }, { page: customer, complaints: others }] = [await visit(SMALLEST), await visit(SMALLEST)];
    await professional.addInitScript(() => {
      window.OscillatorNode = class extends OscillatorNode {
        override start(when?: number): void {
          document.body.dataset['tones'] = String(Number(document.body.dataset['tones'] ?? 0) + 1);
          super.start(when);
        }
      };
    });
    await customer.goto(call.pages.customer_url);
    await professional.goto(call.pages.professional_url);
    await professional.getByText('My tax return').waitFor();
    const tones = () => professional.evaluate(() => Number(document.body.dataset['tones'] ?? 0));
    expect(await tones()).toBe(0);
    await professional.getByRole('button', { name: 'Turn the sound on' }).click();
    await vi.waitFor(async () => expect(await tones()).toBeGreaterThan(2), { timeout: 8_000 });
    await professional.getByRole('button', { name: 'Turn the sound off' }).click();
    await professional.getByRole('button', { name: 'Turn the sound on' }).waitFor();
    for (const page of [professional, customer]) expect(await page.evaluate(overflowing)).toEqual([]);

    await professional.getByRole('button', { name: 'Answer' }).click();
    await professional.getByRole('button', { name: 'Start in Zoom' }).waitFor();
    expect(new URL(professional.url()).pathname).toMatch(/^\/h\//);
    // Nobody has touched this page.
    await customer.getByRole('button', { name: 'Join with Zoom' }).waitFor({ timeout: 10_000 });
    expect(new URL(customer.url()).pathname).toMatch(/^\/j\//);
    expect(unexpected([...complaints, ...others])).toEqual([]);
  });

  it('R03 count the time down, and show on the other side at once that the call is withdrawn', async () => {
    const { call } = await ring();
    const [{ page: professional }, { page: customer }] = [await visit(), await visit()];
    await professional.goto(call.pages.professional_url);
    await customer.goto(call.pages.customer_url);
    const left = customer.locator('[data-until]');
    const first = await left.innerText();
    expect(first).toMatch(/^04:\d\d$/);
    await vi.waitFor(async () => expect((await left.innerText()) < first).toBe(true), { timeout: 5_000 });
    await customer.getByRole('button', { name: 'Withdraw the call' }).click();
    for (const page of [customer, professional]) await page.getByText('The call was withdrawn').waitFor({ timeout: 10_000 });
    expect(await professional.getByRole('button', { name: 'Answer' }).count()).toBe(0);
  });

  it('R03 can be answered without JavaScript', async () => {
    const { call } = await ring();
    const [{ page: professional }, { page: customer }] = [
      await visit({ javaScriptEnabled: false }),
      await visit({ javaScriptEnabled: false }),
    ];
    await customer.goto(call.pages.customer_url);
    await professional.goto(call.pages.professional_url);
    await professional.getByRole('button', { name: 'Answer' }).click();
    await professional.getByRole('button', { name: 'Start in Zoom' }).waitFor();
    await customer.getByRole('button', { name: 'Join with Zoom' }).waitFor({ timeout: 15_000 });
  });
});
