import { http, HttpResponse } from 'msw';
import { describeProvider } from '../conformance/provider.ts';
import {
  ACCOUNT_ID,
  clientState,
  CONTRACT,
  fixture,
  HOST_PATH,
  idToken,
  LOGIN,
  NOW,
  PERSONAL,
  teams,
  TENANT,
  withMembers,
  withState,
} from './microsoft-teams/options.ts';
import { GRAPH, graphStandIn } from './microsoft-teams/stand-in.ts';

const RECORDING = fixture('notification-recording-basic.json');
const RENEW = fixture('lifecycle-reauthorizationRequired.json');
const RESOURCE = (JSON.parse(RECORDING.toString()) as { value: { resource: string }[] }).value[0]!.resource;
const recordingOf = (id: string) => withMembers(RECORDING, { resource: `communications/onlineMeetings('MSo1')/recordings('${id}')` });
const json = (name: string) => JSON.parse(fixture(name).toString()) as Record<string, unknown>;
const me = http.get(`${GRAPH}/v1.0/me`, () => HttpResponse.json(json('me-response.json')));
const licensing = (answer: () => Response) =>
  http.get(`${GRAPH}/v1.0/me/licenseDetails/getTeamsLicensingDetails`, answer as () => HttpResponse<null>);
const denied = () => HttpResponse.json({ error: { code: 'Authorization_RequestDenied', message: 'no' } }, { status: 403 });
const profile = {
  id: ACCOUNT_ID,
  email: 'AdeleV@contoso.com',
  organisation: TENANT,
  plan: 'unknown',
  createsMeetings: true,
  cloudRecording: 'unknown',
} as const;
const dead = (error: string, description: string, more: Record<string, unknown> = {}) => ({
  status: 400,
  body: { error, error_description: description, ...more },
});

/** As the app itself reads them: the licences by the long way. */
const hosted = (licences: () => Response) => [
  http.get(`${GRAPH}/v1.0${HOST_PATH}`, () => HttpResponse.json(json('me-response.json'))),
  http.get(`${GRAPH}/v1.0${HOST_PATH}/licenseDetails`, licences as () => HttpResponse<null>),
];
const withoutTeams = () =>
  HttpResponse.json({ value: [{ id: 'l', servicePlans: [{ servicePlanName: 'EXCHANGE_S_STANDARD', provisioningStatus: 'Success' }] }] });
const otherCloud = () =>
  HttpResponse.json({ value: [{ id: 'l', servicePlans: [{ servicePlanName: 'TEAMS_GOV', provisioningStatus: 'Success' }] }] });

describeProvider({
  id: 'microsoft-teams',
  now: NOW,
  contract: CONTRACT,
  create: ({ now = () => NOW } = {}) => teams({ now }),
  account: { id: ACCOUNT_ID, organisation: TENANT },
  vendor: () => graphStandIn(),
  api: [`${GRAPH}/*`],
  errorBody: (status) => ({ error: { code: `Error${status}`, message: 'x', innerError: { 'request-id': 'r' } } }),
  refusals: [
    {
      name: 'the documented 429',
      status: 429,
      headers: { 'retry-after': '2.128' },
      body: json('error-429.json'),
      code: 'vendor_quota',
      retryAfterMs: 2_128,
    },
    {
      name: 'a missing access policy',
      status: 403,
      body: json('error-applicationAccessPolicy.json'),
      code: 'vendor_refused',
      vendorCode: 'Unauthorized',
    },
    {
      name: 'an account without a mailbox',
      status: 404,
      body: { error: { code: 'MailboxNotEnabledForRESTAPI', message: 'x' } },
      code: 'not_capable',
    },
    { name: 'a refusal without a code', status: 400, body: 'no', code: 'vendor_refused', vendorCode: '400' },
  ],
  createIsRepeatable: { because: 'Graph makes one event for one transactionId' },
  settingDropped: { neverOn: () => graphStandIn({ drops: 'recording' }), alwaysOn: () => graphStandIn({ alwaysRecords: true }) },
  shares: { notApplicable: 'Graph names no file of a recording that could be shared' },
  removal: { notApplicable: 'Graph has no call that deletes a recording' },
  degraded: [
    {
      name: 'recording',
      request: { recordAutomatically: true },
      vendor: () => graphStandIn({ drops: 'recording' }),
      lists: ['record_automatically'],
    },
    { name: 'open access', request: {}, vendor: () => graphStandIn({ drops: 'lobby' }), lists: ['open_access'] },
    { name: 'camera', request: { participantVideo: false }, vendor: () => graphStandIn({ drops: 'camera' }), lists: ['participant_video'] },
  ],
  platform: {
    create: ({ now = () => NOW } = {}) => teams({ now, platform: { tenant: TENANT } }),
    account: { id: ACCOUNT_ID, organisation: TENANT },
    vendor: () => graphStandIn({ organizer: HOST_PATH }),
    degraded: { notApplicable: 'what a tenant drops is the same for each of its organizers' },
    refusals: [
      {
        name: 'a missing access policy',
        status: 403,
        body: json('error-applicationAccessPolicy.json'),
        code: 'not_capable',
        vendorCode: 'Unauthorized',
      },
      {
        name: 'a missing access policy in its other words',
        status: 403,
        body: { error: { code: 'Forbidden', message: 'No application access policy found for this app' } },
        code: 'not_capable',
        vendorCode: 'Forbidden',
      },
      {
        name: 'a missing application permission at Exchange',
        status: 403,
        body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied. Check credentials and try again.' } },
        code: 'not_capable',
        vendorCode: 'ErrorAccessDenied',
      },
      {
        name: 'a refusal that has nothing to do with what the app may do',
        status: 403,
        body: { error: { code: 'Forbidden', message: 'The meeting policy forbids it.' } },
        code: 'vendor_refused',
        vendorCode: 'Forbidden',
      },
    ],
    createIsRepeatable: { because: 'Graph makes one event for one transactionId' },
    meetings: true,
    token: {
      subject: TENANT,
      url: `${LOGIN}/${TENANT}/oauth2/v2.0/token`,
      handlers: [
        http.get(`${LOGIN}/${TENANT}/v2.0/.well-known/openid-configuration`, () =>
          HttpResponse.json({
            issuer: `${LOGIN}/${TENANT}/v2.0`,
            token_endpoint: `${LOGIN}/${TENANT}/oauth2/v2.0/token`,
            authorization_endpoint: `${LOGIN}/${TENANT}/oauth2/v2.0/authorize`,
            jwks_uri: `${LOGIN}/${TENANT}/discovery/v2.0/keys`,
          }),
        ),
      ],
      answer: (accessToken) => ({ token_type: 'Bearer', expires_in: 3_599, ext_expires_in: 3_599, access_token: accessToken }),
      ourFault: [
        {
          name: 'a wrong client secret (AADSTS7000215)',
          status: 401,
          body: { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided.', error_codes: [7_000_215] },
        },
        {
          name: 'an expired client secret (AADSTS7000222)',
          status: 401,
          body: { error: 'invalid_client', error_description: 'AADSTS7000222: expired', error_codes: [7_000_222] },
        },
        { name: 'an app that the tenant does not know', ...dead('unauthorized_client', 'AADSTS700016: not found in the directory') },
        { name: 'a tenant that does not exist', ...dead('invalid_request', 'AADSTS90002: Tenant not found') },
      ],
    },
    hosts: [
      {
        name: 'is paid with a Teams licence',
        host: ACCOUNT_ID,
        handlers: hosted(() => HttpResponse.json(json('licenseDetails-response.json'))),
        expected: { ...profile, plan: 'paid' },
      },
      {
        name: 'may host where another cloud calls its plan otherwise',
        host: ACCOUNT_ID,
        handlers: hosted(otherCloud),
        expected: profile,
      },
      { name: 'may host where licences may not be seen', host: ACCOUNT_ID, handlers: hosted(denied), expected: profile },
    ],
    noHosts: [
      { name: 'may not host without any plan of Teams', host: ACCOUNT_ID, handlers: hosted(withoutTeams), code: 'not_capable' },
      {
        name: 'is not found when the tenant has no such user',
        host: ACCOUNT_ID,
        handlers: [
          http.get(`${GRAPH}/v1.0${HOST_PATH}`, () =>
            HttpResponse.json({ error: { code: 'Request_ResourceNotFound', message: 'x' } }, { status: 404 }),
          ),
        ],
        code: 'not_found',
      },
    ],
  },
  hostUrl: /^https:\/\/teams\.microsoft\.com\/l\/meetup-join\//,
  endMeeting: { notApplicable: 'Graph cannot end a running meeting' },
  ranges: true,
  processingIsListed: { notApplicable: 'Graph lists a recording only when it can be fetched' },

  oauth: {
    authorizationPage: `${LOGIN}/common/oauth2/v2.0/authorize`,
    tokenUrl: `${LOGIN}/common/oauth2/v2.0/token`,
    clientId: 'client-1',
    clientSecret: 'client-secret-1',
    secretIn: 'post',
    scopesInUrl: true,
    tokenAnswer: ({ accessToken, refreshToken }) => ({
      token_type: 'Bearer',
      scope: 'Calendars.ReadWrite OnlineMeetings.ReadWrite User.Read profile openid email',
      expires_in: 3_736,
      ext_expires_in: 3_736,
      access_token: accessToken,
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      id_token: idToken(TENANT),
    }),
    rotates: true,
    badCode: dead('invalid_grant', 'AADSTS54005: OAuth2 Authorization code was already redeemed.', { error_codes: [54_005] }),
    deadGrants: [
      { name: 'a withdrawn consent (AADSTS65001)', status: 400, body: json('oauth-error-AADSTS65001.json') },
      { name: 'a revoked session (AADSTS50173)', ...dead('invalid_grant', 'AADSTS50173: revoked', { error_codes: [50_173] }) },
      { name: 'a second factor that is due', ...dead('interaction_required', 'AADSTS50076: MFA', { error_codes: [50_076] }) },
      { name: 'consent_required', ...dead('consent_required', 'AADSTS65001: consent') },
      { name: 'an approval by the administrator (AADSTS90094)', ...dead('access_denied', 'x', { error_codes: [90_094] }) },
    ],
    ourFault: [
      {
        name: 'a wrong client secret (AADSTS7000215)',
        status: 401,
        body: { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid client secret provided.', error_codes: [7_000_215] },
      },
      {
        name: 'an expired client secret (AADSTS7000222)',
        status: 401,
        body: { error: 'invalid_client', error_description: 'AADSTS7000222: expired', error_codes: [7_000_222] },
      },
      { name: 'a disabled app', ...dead('unauthorized_client', 'AADSTS700016: not found', { error_codes: [700_016] }) },
    ],
    revocation: { notApplicable: 'Entra v2 has no revocation endpoint' },
    profiles: [
      {
        name: 'is paid with a Teams licence',
        grant: { claims: { tid: TENANT } },
        handlers: [me, licensing(() => HttpResponse.json({ hasTeamsLicense: true }))],
        profile: { ...profile, plan: 'paid' },
      },
      {
        name: 'is of unknown plan without a Teams licence',
        grant: { claims: { tid: TENANT } },
        handlers: [me, licensing(() => HttpResponse.json({ hasTeamsLicense: false }))],
        profile,
      },
      {
        name: 'finds Teams among the service plans where the short way is closed',
        grant: { claims: { tid: TENANT } },
        handlers: [
          me,
          licensing(denied),
          http.get(`${GRAPH}/v1.0/me/licenseDetails`, () => HttpResponse.json(json('licenseDetails-response.json'))),
        ],
        profile: { ...profile, plan: 'paid' },
      },
      {
        name: 'is of unknown plan where licences may not be seen',
        grant: { claims: { tid: TENANT } },
        handlers: [me, licensing(denied), http.get(`${GRAPH}/v1.0/me/licenseDetails`, denied)],
        profile,
      },
      {
        name: 'is free, makes no meetings and records nothing with a personal account',
        grant: { claims: { tid: PERSONAL } },
        handlers: [
          http.get(`${GRAPH}/v1.0/me`, () =>
            HttpResponse.json({ id: '0123456789abcdef', mail: null, userPrincipalName: 'ada@outlook.com' }),
          ),
        ],
        profile: {
          id: '0123456789abcdef',
          email: 'ada@outlook.com',
          organisation: PERSONAL,
          plan: 'free',
          createsMeetings: false,
          cloudRecording: 'no',
        },
      },
    ],
  },

  webhook: {
    sign: (bytes) => ({ bytes: withState(bytes, clientState()) }),
    unsigned: (bytes) => ({ bytes: bytes.length === 0 ? bytes : withState(bytes, undefined) }),
    forged: (bytes) => ({ bytes: withState(bytes, 'c2VjcmV0.c2VjcmV0') }),
    wrongSecret: (bytes) => ({ bytes: withState(bytes, clientState(Buffer.alloc(32, 8))) }),
    proofCoversBytes: { notApplicable: 'clientState is the same in every notification of a subscription' },
    signedMoment: { notApplicable: 'a notification carries no moment' },
    moreForgeries: [
      { name: 'the client state as documented in the sample', arrive: (bytes) => ({ bytes: withState(bytes, 'secretClientValue') }) },
      {
        name: 'the proof of another account',
        arrive: (bytes) => ({
          bytes: withState(bytes, `${Buffer.from('other').toString('base64url')}.${clientState().split('.')[1]!}`),
        }),
      },
      { name: 'a proof in another spelling', arrive: (bytes) => ({ bytes: withState(bytes, `${clientState()}=`) }) },
      { name: 'a client state of 4,000 characters', arrive: (bytes) => ({ bytes: withState(bytes, 'x'.repeat(4_000)) }) },
      { name: 'a list without items', arrive: (bytes) => ({ bytes }), bytes: Buffer.from('{"value":[]}') },
    ],
    deliveries: [
      {
        name: 'a new recording',
        bytes: RECORDING,
        notices: [
          {
            type: 'pointer',
            subscriptionId: '6aa5ced2-0a5a-4643-9274-3109c731d986',
            about: 'callRecording.created',
            resource: RESOURCE,
            at: NOW,
          },
        ],
      },
      {
        name: 'a new recording, as documented without a list around it',
        bytes: fixture('notification-recording-basic.as-documented.json'),
        notices: [
          {
            type: 'pointer',
            subscriptionId: '6aa5ced2-0a5a-4643-9274-3109c731d986',
            about: 'callRecording.created',
            resource: RESOURCE,
            at: NOW,
          },
        ],
      },
      {
        name: 'a new recording with encrypted content, which is left alone',
        bytes: fixture('notification-recording-rich.json'),
        notices: [
          {
            type: 'pointer',
            subscriptionId: '7a62d59e-a789-4dd7-9c85-cf7d6567890d',
            about: 'callRecording.created',
            resource: RESOURCE,
            at: NOW,
          },
        ],
      },
      ...(
        [
          ['reauthorizationRequired', 'subscription.expiring'],
          ['subscriptionRemoved', 'subscription.removed'],
          ['missed', 'subscription.missed'],
        ] as const
      ).map(([name, type]) => ({
        name: `case 47: the lifecycle event ${name}`,
        channel: 'lifecycle' as const,
        bytes: fixture(`lifecycle-${name}.json`),
        notices: [{ type, subscriptionId: '7a62d59e-a789-4dd7-9c85-cf7d6567890d', reason: null }],
      })),
    ],
    redelivered: [
      {
        name: 'a recording, after the subscription was renewed',
        first: RECORDING,
        again: withMembers(RECORDING, { subscriptionExpirationDateTime: '2023-09-18T08:27:05.0241757+00:00' }),
      },
      {
        name: 'a recording, under its other address',
        first: recordingOf('r1'),
        again: withMembers(recordingOf('r1'), { resource: "users('u1')/onlineMeetings('MSo1')/recordings('r1')" }),
      },
      { name: 'a lifecycle event', first: RENEW, again: withMembers(RENEW, { tenantId: 'spelled otherwise' }) },
    ],
    distinct: [
      { name: 'two recordings of one meeting', one: recordingOf('r1'), other: recordingOf('r2') },
      {
        name: 'the same lifecycle event after a renewal',
        one: RENEW,
        other: withMembers(RENEW, { subscriptionExpirationDateTime: '2019-03-20T12:00:00.0000000Z' }),
      },
      { name: 'two lifecycle events', one: RENEW, other: fixture('lifecycle-missed.json') },
    ],
    inOrder: { earlier: RENEW, later: withMembers(RENEW, { subscriptionExpirationDateTime: '2019-03-20T12:00:00.0000000Z' }) },
    unknown: [
      fixture('notification-basic-message.json'),
      fixture('notification-rich-generic-chatMessage.json'),
      fixture('notification-meetingCallEvents-rich.json'),
      withMembers(RECORDING, { changeType: 'deleted' }),
      withMembers(RENEW, { lifecycleEvent: 'somethingNew' }),
    ],
    garbage: ['{"value":{}}', '{"value":[{"subscriptionId":5}]}', '{"value":["x"]}'].map((text) => Buffer.from(text)),
    handshakes: [
      {
        name: 'the documented token, whose blanks arrive as plus signs',
        arrival: (bytes) => ({
          bytes,
          query: Object.fromEntries(
            new URLSearchParams(
              'validationToken=Validation%3a+Testing+client+application+reachability+for+subscription+Request-Id%3a+6a2ea0b8',
            ),
          ),
        }),
        bytes: Buffer.alloc(0),
        body: 'Validation: Testing client application reachability for subscription Request-Id: 6a2ea0b8',
        contentType: /^text\/plain/,
      },
      {
        name: 'case 45: HTML and line breaks, echoed as plain text exactly',
        arrival: (bytes) => ({ bytes, query: { validationToken: '<script>alert(1)</script>\r\nSet-Cookie: a=b' } }),
        bytes: Buffer.from('not JSON'),
        body: '<script>alert(1)</script>\r\nSet-Cookie: a=b',
        contentType: /^text\/plain/,
      },
    ],
    resolve: [
      {
        name: 'the documented recording becomes ready',
        pointer: {
          type: 'pointer',
          subscriptionId: 's1',
          about: 'callRecording.created',
          resource: "communications/onlineMeetings('MSpiOTM1')/recordings('7e31db25-bc6e-4fd8-96c7-e01264e9b6fc')",
          at: NOW,
        },
        handlers: [
          http.get(`${GRAPH}/v1.0/me/onlineMeetings/MSpiOTM1/recordings/7e31db25-bc6e-4fd8-96c7-e01264e9b6fc`, () =>
            HttpResponse.json(json('recording-get-response.json')),
          ),
        ],
        events: [
          {
            type: 'recording.ready',
            meetingId: json('recording-get-response.json')['meetingId'] as string,
            at: new Date('2023-04-10T08:13:17.599Z'),
            recording: {
              id: '7e31db25-bc6e-4fd8-96c7-e01264e9b6fc',
              state: 'ready',
              startedAt: new Date('2023-04-10T08:13:17.599Z'),
              endedAt: null,
              files: [{ id: 'content', kind: 'video', contentType: 'video/mp4', bytes: null }],
            },
          },
        ],
      },
      {
        name: 'a recording that is gone by now gives nothing',
        pointer: {
          type: 'pointer',
          subscriptionId: 's1',
          about: 'callRecording.created',
          resource: "users('u1')/onlineMeetings('m1')/recordings('r1')",
          at: NOW,
        },
        handlers: [
          http.get(`${GRAPH}/v1.0/me/onlineMeetings/m1/recordings/r1`, () =>
            HttpResponse.json({ error: { code: 'NotFound', message: 'x' } }, { status: 404 }),
          ),
        ],
        events: [],
      },
    ],
  },
  subscriptions: {
    notificationUrl: 'https://gateway.example/webhooks/microsoft-teams',
    lifecycleUrl: 'https://gateway.example/webhooks/microsoft-teams/lifecycle',
  },
});
