export { ImpactList, useDryRun } from './impact'
