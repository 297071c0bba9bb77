export { InvitePeople } from './invite'
export { InvitationList, invitationState, InvitationStates } from './list'
