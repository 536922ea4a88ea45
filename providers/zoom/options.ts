/** What the adapter is told from outside. Every host can be moved, so that the sandbox is reached by configuration alone. */
export interface ZoomOptions {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Secret Tokens of the app, the newest first; several while one is being replaced. */
  readonly webhookSecrets: readonly string[];
  /** Origin of `/oauth/authorize`, `/oauth/token` and `/oauth/revoke`: `https://zoom.us`. */
  readonly oauthUrl: string;
  /** `https://api.zoom.us/v2`, which serves every region. */
  readonly apiUrl: string;
  /** Origins from which media may be streamed in addition to https on zoom.us and its subdomains. */
  readonly mediaOrigins: readonly string[];
  /** The operator's own account, by a Server-to-Server app: its id at Zoom and the app's credentials. */
  readonly platform?: { readonly accountId: string; readonly clientId: string; readonly clientSecret: string } | undefined;
  readonly now: () => Date;
}
