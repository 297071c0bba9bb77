export { agentName } from './agent'
export { EndSessions, sessionKinds, SessionRows, UserSessions } from './sessions'
export { StatusBadge, StatusSwitch } from './status'
export { UserPicker } from './user-picker'
