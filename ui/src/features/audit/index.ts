export { AccountAuditPage, AuditPage, PlatformAuditPage } from './audit'
