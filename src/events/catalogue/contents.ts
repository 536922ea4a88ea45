export const CONTENT_EVENTS = {};
