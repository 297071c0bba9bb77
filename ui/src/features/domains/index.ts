export { ApproveDomain } from './approve'
export { DomainsPage } from './domains'
