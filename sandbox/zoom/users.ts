import { Hono } from 'hono';
import type { Env, Routes } from '../world.ts';
import { callerOf, pathUser } from './access.ts';
import type { Zoom } from './state.ts';

export function zoomUserRoutes(zoom: Zoom): Routes {
  return new Hono<Env>()
    .get('/v2/users/:user', (c) => {
      const caller = callerOf(zoom, c, 'user:read:user');
      if (caller instanceof Response) return caller;
      const user = pathUser(zoom, c, caller);
      if (user instanceof Response) return user;
      return c.json({
        id: user.id,
        first_name: user.firstName,
        last_name: user.lastName,
        display_name: `${user.firstName} ${user.lastName}`,
        email: user.email,
        type: user.type,
        ...(user.planUnitedType === null ? {} : { plan_united_type: user.planUnitedType }),
        role_name: 'Owner',
        pmi: 2_345_678_901,
        use_pmi: false,
        timezone: user.timezone,
        verified: 1,
        created_at: '2020-05-01T08:00:00Z',
        language: 'en-US',
        status: 'active',
        account_id: user.accountId,
        cluster: 'us05',
      });
    })

    .get('/v2/users/:user/settings', (c) => {
      const caller = callerOf(zoom, c, 'user:read:settings');
      if (caller instanceof Response) return caller;
      const user = pathUser(zoom, c, caller);
      if (user instanceof Response) return user;
      const licensed = user.type === 2;
      return c.json({
        feature: { meeting_capacity: 100, large_meeting: false, webinar: false, zoom_phone: false },
        recording: {
          local_recording: true,
          cloud_recording: licensed,
          auto_recording: 'none',
          auto_delete_cmr: false,
          auto_delete_cmr_days: 0,
        },
        schedule_meeting: { join_before_host: true, host_video: true, participants_video: true },
      });
    });
}
