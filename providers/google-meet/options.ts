/** What the adapter is told from outside. Every host can be moved, so that the sandbox is reached by configuration alone. */
export interface GoogleMeetOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Origin of the consent screen: `https://accounts.google.com`. */
  readonly authUrl: string;
  /** Origin of `/token` and `/revoke`: `https://oauth2.googleapis.com`. */
  readonly tokenUrl: string;
  /** Undefined: the four real hosts. Otherwise Meet, Calendar, Workspace Events and Drive are all on this origin. */
  readonly apiUrl: string | undefined;
  /** Whole URL of the keys that sign Google's tokens: `https://www.googleapis.com/oauth2/v3/certs`. */
  readonly jwksUrl: string;
  /** `projects/{project}/topics/{topic}`. Without this and the next two there is no event feed, and every push is refused. */
  readonly pubsubTopic: string | undefined;
  /** The audience set on our push subscription. */
  readonly pushAudience: string | undefined;
  /** E-mail of the service account that our push subscription signs with. */
  readonly pushServiceAccount: string | undefined;
  /** Origins from which media may be streamed in addition to Google's own hosts. */
  readonly mediaOrigins: readonly string[];
  /** A service account with domain-wide delegation in the operator's own domain. */
  readonly platform?:
    | {
        readonly clientEmail: string;
        readonly clientId?: string | undefined;
        /** PEM. */
        readonly privateKey: string;
        /** Whole URL of the token endpoint; also the audience of what the key signs. */
        readonly tokenUrl: string;
      }
    | undefined;
  readonly now: () => Date;
  /** Waits between two looks at a Calendar event whose link is not ready. Tests pass their own. */
  readonly wait?: (ms: number) => Promise<void>;
}
