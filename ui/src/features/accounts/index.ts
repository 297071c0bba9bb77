export { AccountsPage } from './accounts'
export { SettingsPage } from './settings'
