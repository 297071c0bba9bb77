export { VerifiedDomains } from './verified'
export { DomainsPage } from './domains'
