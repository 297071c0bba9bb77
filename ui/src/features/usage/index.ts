export { Days } from './filters'
export { intervalOf, intervals, useFilter } from './params'
export { OwnUsage } from './own'
export type { Search as UsageSearch } from './params'
