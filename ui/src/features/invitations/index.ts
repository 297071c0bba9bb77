export { AcceptPage } from './accept'
export { InvitePeople } from './invite'
export { InvitationList } from './list'
