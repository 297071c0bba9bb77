export { UsagePage } from './usage'
