export { AuditPage, PlatformAuditPage } from './audit'
