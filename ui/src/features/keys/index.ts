export { KeyList, KeysPage } from './keys'
