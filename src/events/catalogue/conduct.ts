export const CONDUCT_EVENTS = {};
