/**
 * The only script of the pages; everything works without it. It moves the clocks that the server has rendered, by the
 * server's time, adds the time of the device's own zone, and keeps the page of a meeting fresh while it lasts.
 */
export const script = `'use strict';
(() => {
  const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const language = document.documentElement.lang;
  const live = document.getElementById('live');
  // The device's clock goes on while the device sleeps; only its distance from a moment of the server counts, so it may be wrong.
  const { now: deviceNow } = Date;
  let known = Date.parse(document.documentElement.dataset.now), knownAt = deviceNow();
  const now = () => known + deviceNow() - knownAt;
  // The server is right, but no clock goes back for the time that its answer took: only when the device's own was set meanwhile.
  const correct = (moment) => {
    const ahead = now() - Date.parse(moment);
    if (ahead < -SECOND || ahead > 5 * SECOND) [known, knownAt] = [Date.parse(moment), deviceNow()];
  };
  const unit = (count, name) => new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'long' }).format(count);
  const digits = (count) => String(count).padStart(2, '0');

  const span = (ms) => {
    const rest = Math.max(0, ms);
    if (rest >= 2 * DAY) return unit(Math.floor(rest / DAY), 'day');
    const clock = digits(Math.floor(rest / MINUTE) % 60) + ':' + digits(Math.floor(rest / SECOND) % 60);
    return rest >= HOUR ? Math.floor(rest / HOUR) + ':' + clock : clock;
  };

  const isChanged = (field) => (field.type === 'radio' ? field.checked !== field.defaultChecked : field.value !== field.defaultValue);
  const typing = (place = document) => [...place.querySelectorAll('textarea, .field input, .scale input')].some(isChanged);
  let leaving = false;
  const leave = (url) => {
    // What somebody is writing is worth more than a fresh page.
    if (leaving || typing()) return;
    leaving = true;
    if (url) location.replace(url);
    else location.reload();
  };

  const showLimit = (limit) => {
    const rest = Date.parse(limit.dataset.limit) - now();
    for (const part of limit.querySelectorAll('[data-from]')) {
      const hidden = rest > Number(part.dataset.from) || rest <= Number(part.dataset.to);
      if (part.hidden !== hidden) part.hidden = hidden;
    }
  };

  let movesAt, stays = false;
  const move = (notice) => {
    if (typing()) stays = true;
    for (const part of notice.querySelectorAll('[data-moving], [data-stay]')) part.hidden = stays;
    if (stays) return;
    movesAt ??= deviceNow() + Number(notice.dataset.after) * SECOND;
    if (deviceNow() >= movesAt) leave(notice.dataset.move);
  };

  const tick = () => {
    for (const element of document.querySelectorAll('[data-until]')) {
      const rest = Date.parse(element.dataset.until) - now();
      element.textContent = span(rest);
      // One second late on purpose: the server decides again, and its clock must have passed the moment.
      if (rest < -SECOND && 'reload' in element.dataset) leave(live?.dataset.page);
    }
    for (const element of document.querySelectorAll('[data-since]')) {
      element.textContent = span(now() - Date.parse(element.dataset.since));
    }
    document.querySelectorAll('[data-limit]').forEach(showLimit);
    document.querySelectorAll('[data-move]').forEach(move);
  };

  const showLocalTime = (element) => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const moments = [new Date(element.dataset.starts), new Date(element.dataset.ends)];
    const show = (timeZone) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone }).formatRange(...moments);
    const here = show(zone);
    element.textContent = here === show(element.dataset.zone) ? element.dataset.same : element.dataset.text.replace('{time}', () => here);
  };

  const exchange = (part, fresh) => {
    // What somebody is writing is not taken away.
    if (!fresh || typing(part)) return;
    const focused = part.contains(document.activeElement) && [...part.querySelectorAll('a, button')].indexOf(document.activeElement);
    part.replaceChildren(...fresh.childNodes);
    Object.assign(part.dataset, fresh.dataset);
    if (focused !== false) part.querySelectorAll('a, button')[focused]?.focus();
  };

  const refresh = async () => {
    try {
      const answer = await fetch(live.dataset.page, { headers: { accept: 'text/html' }, cache: 'no-store' });
      // Too many at once, or a gateway that is being started: the next round tries again.
      if (answer.status === 429 || answer.status >= 500) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      correct(fresh.documentElement.dataset.now);
      const news = fresh.getElementById('live')?.dataset;
      if (news?.version === live.dataset.version) return;
      if (news?.door !== live.dataset.door) leave(live.dataset.page);
      for (const part of document.querySelectorAll('[data-part]')) exchange(part, fresh.getElementById(part.id));
      tick();
    } catch {
      // Offline for a moment; the next round tries again.
    }
  };

  // The browser itself comes back after a lost connection. Where streams do not get through, the page is fetched now and then.
  const listen = () => {
    let source, ended = false, last = Promise.resolve();
    const freshen = () => (last = last.then(refresh));
    const open = () => {
      source = new EventSource(live.dataset.page + '/live');
      source.addEventListener('state', ({ data }) => {
        const news = JSON.parse(data);
        correct(news.now);
        if (news.version !== live.dataset.version) freshen();
      });
      source.addEventListener('end', () => {
        ended = true;
        source.close();
      });
    };
    if ('EventSource' in window) open();
    setInterval(() => {
      if (source?.readyState === 1) return;
      if (source?.readyState === 2 && !ended) open();
      if (document.visibilityState === 'visible') freshen();
    }, Number(live.dataset.refresh) * SECOND);
  };

  // A telephone that rings, made here: two short tones every three seconds. Browsers keep a page silent until somebody has touched it.
  const ringAloud = (button) => {
    let context, timer;
    const tones = () => {
      for (const after of [0, 0.4]) {
        const [tone, volume] = [new OscillatorNode(context, { frequency: 480 }), new GainNode(context, { gain: 0.15 })];
        tone.connect(volume).connect(context.destination);
        tone.start(context.currentTime + after);
        tone.stop(context.currentTime + after + 0.25);
      }
    };
    const turn = (on) => {
      clearInterval(timer);
      context?.close();
      context = on ? new AudioContext() : undefined;
      if (on) tones();
      timer = on && setInterval(tones, 3 * SECOND);
      button.textContent = on ? button.dataset.off : button.dataset.on;
    };
    const allowed = navigator.getAutoplayPolicy?.('audiocontext') === 'allowed' || navigator.userActivation?.hasBeenActive;
    turn(Boolean(allowed));
    button.hidden = false;
    button.addEventListener('click', () => turn(!context));
  };

  const sound = document.querySelector('[data-sound]');
  if (sound && 'AudioContext' in window) ringAloud(sound);

  tick();
  if (live || document.querySelector('[data-until], [data-since], [data-move]')) setInterval(tick, SECOND);
  document.querySelectorAll('[data-zone]').forEach(showLocalTime);
  if (live) listen();
  document.addEventListener('click', ({ target }) => {
    const notice = target.closest('[data-stay]')?.closest('[data-move]');
    if (!notice) return;
    stays = true;
    move(notice);
    notice.querySelector('a').focus();
  });
})();
`;
