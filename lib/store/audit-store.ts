/**
 * What the audit asks of a store: set-based steps, each of which may be repeated (design.md section 2).
 * Implemented per engine beside the rest of the store; used by lib/audit.ts alone.
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by the audit's author
export interface AuditStore {}
