export { AuthorizePage } from './authorize'
export { AuthorizationList } from './list'
