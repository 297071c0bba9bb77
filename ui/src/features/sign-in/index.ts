export { SignInSettingsPage } from './page'
