import { it } from 'vitest';
import { connect, meetingBody, testWorld } from '../support/world.ts';
it('x', async () => {
  const t0 = Date.now();
  const world = await testWorld();
  console.log('world', Date.now() - t0);
  for (const v of ['zoom','microsoft-teams','google-meet'] as const) {
    const t = Date.now();
    await connect(world, v);
    console.log(v, Date.now()-t);
    const t2 = Date.now();
    const m = await world.api('POST','/v1/meetings', meetingBody(world, {provider: v, booking: {id: v, kind:'one_to_one', title:'x'}}));
    console.log(m.status, Date.now()-t2, m.text);
  }
  const s = await fetch(world.sandbox.url + '/control/state');
  console.log(JSON.stringify(await s.json(), null, 1).slice(0, 6000));
  console.log((await world.api('GET','/v1/connections')).text);
  for (const [m,p,b,h] of [['POST','/v1/meetings/x/cancel',undefined,{'content-type':'application/json'}],['POST','/v1/meetings',undefined,{}],['GET','/v1/nothing'],['GET','/v1/meetings/%00'],['PUT','/v1/meetings']] as any) {
    const a = await world.api(m,p,b,h); console.log(m,p,a.status,a.text,JSON.stringify([...a.headers]));
  }
});
