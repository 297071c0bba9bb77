export { MembersPage } from './members'
