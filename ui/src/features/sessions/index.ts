export { SessionsPage } from './sessions'
