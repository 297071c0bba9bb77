export { FeatureSwitches } from './switches'
