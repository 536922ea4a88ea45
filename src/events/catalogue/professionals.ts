export const PROFESSIONAL_EVENTS = {};
