export { ImpactList, useDryRun } from './impact'
export { OrganizationsPage } from './organizations'
export { TeamsPage } from './teams'
