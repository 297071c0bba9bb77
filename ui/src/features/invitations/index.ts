export { InvitePeople } from './invite'
export { InvitationList, invitationState, InvitationStates } from './list'
export { Links } from './links'
