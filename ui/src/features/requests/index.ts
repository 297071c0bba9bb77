export { AskDialog } from './ask'
export { MyRequests } from './mine'
