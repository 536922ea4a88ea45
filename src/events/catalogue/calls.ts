export const CALL_EVENTS = {};
