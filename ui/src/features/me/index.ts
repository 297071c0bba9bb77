export { MePage } from './me'
export { ProfilePage } from './profile'
export { ProgramsPage } from './programs'
export { MeTabs } from './tabs'
