export { InvitePeople } from './invite'
export { InvitationList } from './list'
