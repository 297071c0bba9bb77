export { AskDialog } from './ask'
export { AskAccess } from './ask-access'
export { MyRequests } from './mine'
