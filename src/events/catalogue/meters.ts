export const METER_EVENTS = {};
