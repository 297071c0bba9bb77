export { AccountPage } from './account'
export { AccountsPage } from './accounts'
export { SettingsPage } from './settings'
