export { EndSessions, SessionRows, UserSessions } from './sessions'
export { StatusBadge, StatusSwitch } from './status'
export { UserPicker } from './user-picker'
