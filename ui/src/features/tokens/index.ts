export { TokenList } from './list'
