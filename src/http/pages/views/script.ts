/**
 * The only script of the pages; everything works without it. It moves the clocks that the server has rendered, by the
 * server's time, adds the time of the device's own zone, and keeps the live line of a running meeting fresh.
 */
export const script = `'use strict';
(() => {
  const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const language = document.documentElement.lang;
  // The device's clock goes on while the device sleeps; only its distance from loading counts, so it may be wrong.
  const { now: deviceNow } = Date;
  const loadedAt = deviceNow();
  const serverNow = Date.parse(document.documentElement.dataset.now);
  const now = () => serverNow + deviceNow() - loadedAt;
  const unit = (count, name) => new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'long' }).format(count);
  const digits = (count) => String(count).padStart(2, '0');

  const span = (ms) => {
    const rest = Math.max(0, ms);
    if (rest >= 2 * DAY) return unit(Math.floor(rest / DAY), 'day');
    const clock = digits(Math.floor(rest / MINUTE) % 60) + ':' + digits(Math.floor(rest / SECOND) % 60);
    return rest >= HOUR ? Math.floor(rest / HOUR) + ':' + clock : clock;
  };

  let reloading = false;
  const tick = () => {
    for (const element of document.querySelectorAll('[data-until]')) {
      const rest = Date.parse(element.dataset.until) - now();
      element.textContent = span(rest);
      // One second late on purpose: the server decides again, and its clock must have passed the moment.
      if (rest < -SECOND && 'reload' in element.dataset && !reloading) {
        reloading = true;
        location.reload();
      }
    }
    for (const element of document.querySelectorAll('[data-since]')) {
      element.textContent = span(now() - Date.parse(element.dataset.since));
    }
  };

  const showLocalTime = (element) => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const moments = [new Date(element.dataset.starts), new Date(element.dataset.ends)];
    const show = (timeZone) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone }).formatRange(...moments);
    const here = show(zone);
    element.textContent = here === show(element.dataset.zone) ? element.dataset.same : element.dataset.text.replace('{time}', () => here);
  };

  const refresh = async (region) => {
    if (document.visibilityState !== 'visible') return;
    try {
      const answer = await fetch(location.href, { headers: { accept: 'text/html' }, cache: 'no-store' });
      if (!answer.ok) return location.reload();
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(region.id);
      if (!fresh) return location.reload();
      region.replaceChildren(...fresh.childNodes);
      tick();
    } catch {
      // Offline for a moment; the next round tries again.
    }
  };

  tick();
  if (document.querySelector('[data-until], [data-since]')) setInterval(tick, SECOND);
  document.querySelectorAll('[data-zone]').forEach(showLocalTime);
  for (const region of document.querySelectorAll('[data-refresh]')) {
    setInterval(() => void refresh(region), Number(region.dataset.refresh) * SECOND);
  }
})();
`;
