/**
 * `conferencing-gateway/client`: the gateway's API for a marketplace's backend, and the proof that an event is the gateway's.
 *
 * ```ts
 * const gateway = createClient({ baseUrl: 'https://gateway.example', apiKey });
 * const meeting = await gateway.meetings.create(booking, { idempotencyKey: booking.id });
 * ```
 */
export { createClient, type GatewayClient, type List } from './client.ts';
export type { CallOptions, ClientOptions, PostOptions } from './call.ts';
export { GatewayError, isGatewayError, type ErrorCode } from './error.ts';
export type { EventData, EventType, GatewayEvent } from './events.ts';
export type * from './operations.ts';
export { EventVerificationError, verifyEvent, type EventHeaders, type VerificationFailure, type VerifyOptions } from './verify.ts';
