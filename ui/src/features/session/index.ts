export { ResetPage } from './reset'
export { SignInPage } from './sign-in'
export { SwitchAccount } from './switch'
