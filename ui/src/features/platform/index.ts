export { PlatformPage } from './platform'
