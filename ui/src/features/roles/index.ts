export { BindRole, type BindPlace } from './bind'
export { RoleList } from './list'
export { UnbindRole } from './unbind'
export { placeName, roleMeans, roleName } from './words'
