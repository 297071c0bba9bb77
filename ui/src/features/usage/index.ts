export { Days } from './filters'
export { intervalOf, intervals, useFilter } from './params'
