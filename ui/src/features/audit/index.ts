export { AccountAuditPage, AuditPage, PlatformAuditPage } from './audit'
export { value as changeValue } from './sentence'
