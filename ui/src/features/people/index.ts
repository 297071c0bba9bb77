export { UserRoles } from './roles'
