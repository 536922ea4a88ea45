/** The pages for people: pure functions from a model to HTML. */
export { type Asset, assets, scriptPath, stylesheetPath } from './assets.ts';
export { adminLinkPage, type AdminLinkPage } from './admin-link.ts';
export { type ConnectApp, type ConnectNotice, connectPage, type ConnectPage } from './connect.ts';
export type { ConnectedAccount, ReconnectReason } from './connected-account.ts';
export { consentText, type ConsentText, isCurrentConsentVersion } from './consent.ts';
export { type ApiDocument, docsPage, type DocsPage } from './docs.ts';
export { evidencePage, type EvidencePage } from './evidence.ts';
export { type HostAttendee, hostPage, type HostPage } from './host.ts';
export { joinPage, type JoinPage, type JoinRecording } from './join.ts';
export type { AppName, Html, PageBase } from './layout.ts';
export type { LiveMeeting, MeetingBase, MeetingPageState } from './meeting.ts';
export { messageKindOf, messagePage, type MessageKind, type MessagePage, messageTexts } from './message.ts';
export { problemPage, type ProblemPage } from './problem.ts';
export { PROBLEMS, type ProblemExplanation } from './problems.ts';
export type { ReportState } from './report.ts';
export { recordingPage, type RecordingFile, type RecordingPage, type RecordingPageState, type RecordingSource } from './recording.ts';
export { MOST_TITLE_CHARACTERS, type UploadedLink, type UploadRefusal, type UploadsCard, type UploadState } from './uploads.ts';
