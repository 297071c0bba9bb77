export { AuthorizationList } from './list'
