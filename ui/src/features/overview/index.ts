export { OverviewPage } from './overview'
