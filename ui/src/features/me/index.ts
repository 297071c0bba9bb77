export { MePage } from './me'
