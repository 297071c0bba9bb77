export { PeoplePage } from './people'
export { UserRoles } from './roles'
