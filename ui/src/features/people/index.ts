export { UserRoles } from './roles'
export { SeatLink } from './seat-link'
